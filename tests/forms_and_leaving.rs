//! What a person sees whose form is refused or kept, and what they are told when they leave.

use http::Method;

use crate::support::{Answer, App, Browser, Gateway, Impostor, World, between, free_port};

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
path = "/wiki"
upstream = "{app}"
access = "signed-in"

[[routes]]
name = "ops"
path = "/ops"
upstream = "{app}"
allow = [{ groups = ["ops"] }]

[[routes]]
name = "read"
path = "/read"
methods = ["GET"]
upstream = "{app}"
access = "public"

[[routes]]
name = "small"
path = "/small"
upstream = "{app}"
access = "public"
max_body = "10B"

[[routes]]
name = "busy"
path = "/busy"
upstream = "{app}"
access = "public"
limits = [{ per = "route", rate = "1/h", burst = 1 }]

[[routes]]
name = "down"
path = "/down"
upstream = "http://127.0.0.1:{down}"
access = "public"
"#;

async fn world() -> World {
    World::open(&ROUTES.replace("{down}", &free_port().to_string())).await
}

async fn sent(browser: &Browser, url: &str, site: &str, media_type: &str, body: &str) -> Answer {
    let head = [
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", site),
        ("content-type", media_type),
    ];
    browser.send(Method::POST, url, &head, body).await
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_persons_form_that_is_refused_gets_a_page_and_a_programs_call_a_document() {
    let world = world().await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&world.gateway.url("/wiki")).await.status, 200);
    Browser::new().get(&world.gateway.url("/busy")).await;
    for (path, status) in [("/ops", 403), ("/read", 405), ("/small", 413), ("/busy", 429), ("/down", 502)] {
        let url = world.gateway.url(path);
        let page = sent(&browser, &url, "same-origin", FORM, "text=a+long+enough+form").await;
        assert_eq!(page.status, status, "{path}: {}", page.body);
        assert!(page.header("content-type").starts_with("text/html"), "{path}: {:?}", page.headers);
        assert!(page.body.contains("<h1>") && !page.body.contains("id=\"wait\""), "{path} is not sent again");
        let script = [("accept", "*/*"), ("sec-fetch-mode", "cors"), ("content-type", FORM)];
        let call = browser.send(Method::POST, &url, &script, "text=a+long+enough+form").await;
        assert_eq!(
            (call.status, call.header("content-type")),
            (status, "application/problem+json"),
            "{path}"
        );
    }
    for path in ["/nowhere", "/wiki/a%2fb"] {
        let page = browser.get(&world.gateway.url(path)).await;
        let home = world.gateway.url("/.portcullis");
        assert!(page.body.contains(&format!("href=\"{home}\"")), "{path} has a way on: {}", page.body);
    }
}

#[tokio::test]
async fn a_form_without_a_session_is_kept_or_said_to_be_lost() {
    let world = world().await;
    let url = world.gateway.url("/wiki/save");
    let multipart = "multipart/form-data; boundary=x";
    let parts = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n\0\r\n--x--\r\n";
    let large = "a=1&".repeat(20_000);
    for (site, media_type, body, kept) in [
        ("same-origin", FORM, "a=1", true),
        ("same-origin", multipart, parts, true),
        ("same-origin", FORM, large.as_str(), false),
        ("same-origin", multipart, large.as_str(), false),
        ("same-origin", "text/plain", "a=1", false),
        ("cross-site", FORM, "a=1", false),
    ] {
        let page = sent(&Browser::new(), &url, site, media_type, body).await;
        assert_eq!(page.status, 401, "{}", page.body);
        assert!(
            page.header("www-authenticate").starts_with("Bearer") && page.body.contains("First, sign in")
        );
        assert_eq!(
            page.body.contains("data-sealed"),
            kept,
            "{site} {media_type} {}: {}",
            body.len(),
            page.body
        );
        assert_eq!(page.body.contains("it is not kept"), !kept, "{site} {media_type}: {}", page.body);
    }
    assert_eq!(world.app.served(), 0);
}

/// Whoever filled it in may be another than who has signed in by now.
#[tokio::test]
async fn a_kept_form_names_the_person_in_whose_name_it_would_go_out() {
    let world = world().await;
    let url = world.gateway.url("/wiki/save");
    let page = sent(&Browser::new(), &url, "same-origin", FORM, "text=mine").await;
    let sealed = between(&page.body, "data-sealed=\"", "\"");
    world.provider.control("as?user=bob").await;
    let bob = Browser::new();
    assert_eq!(bob.visit(&world.gateway.url("/wiki")).await.status, 200);
    let sealed = url::form_urlencoded::Serializer::new(String::new()).append_pair("sealed", &sealed).finish();
    let replay = bob.submit(&world.gateway.url("/.portcullis/resume"), &sealed).await;
    assert_eq!(replay.status, 200, "{}", replay.body);
    assert!(replay.body.contains("Send it in my name") && replay.body.contains("bob"), "{}", replay.body);
    assert!(!replay.body.contains(".submit("), "nothing sends it but a press of the button");
    assert_eq!(world.app.served(), 1, "it has not gone out");
}

#[tokio::test]
async fn another_sites_form_signs_nobody_out_and_says_so_in_a_page() {
    let world = world().await;
    let browser = world.signed_in().await;
    let url = world.gateway.url("/.portcullis/sign-out");
    let page = sent(&browser, &url, "cross-site", FORM, "").await;
    assert_eq!((page.status, page.body.contains("Not from here")), (403, true), "{}", page.body);
    assert_eq!(browser.get(&world.gateway.url("/wiki")).await.status, 200);
}

async fn leave(session: &str) -> Answer {
    let (impostor, app, port) = (Impostor::start().await, App::start().await, free_port());
    let route = format!("[[routes]]\nupstream = \"{}\"\naccess = \"signed-in\"\n", app.url());
    let gateway = Gateway::on(port, "", &format!("{session}\n{}{route}", impostor.configuration()));
    let browser = Browser::new();
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200, "{}", gateway.log());
    let left = browser.submit(&gateway.url("/.portcullis/sign-out"), "").await;
    assert_eq!((left.status, browser.get(&gateway.url("/")).await.status), (200, 302));
    left
}

#[tokio::test]
async fn who_leaves_a_provider_without_a_sign_out_is_told_that_it_may_remember_them() {
    let left = leave("").await;
    assert!(left.body.contains("You are signed out"), "{}", left.body);
    assert!(
        left.body.contains("corp</bdi> was not told, and may still remember you in this browser"),
        "{}",
        left.body
    );
    let again = between(&left.body, "class=\"button\" href=\"", "\"");
    assert!(again.ends_with("/.portcullis/sign-in"), "{again}");
}

#[tokio::test]
async fn browsers_are_told_to_forget_what_the_file_says() {
    assert_eq!(leave("").await.header("clear-site-data"), "\"cache\"");
    assert!(leave("[session]\nclear_site_data = []").await.headers.get("clear-site-data").is_none());
    let both = leave("[session]\nclear_site_data = [\"cache\", \"storage\"]").await;
    assert_eq!(both.header("clear-site-data"), "\"cache\", \"storage\"");
}
