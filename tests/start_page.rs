//! The person's own page at an address that the configuration chooses: a route that serves is judged as one that
//! forwards.

use http::Method;

use crate::support::{Answer, Browser, World, answered, between, program};

const ROUTES: &str = r#"
[policies.staff]
allow = [{ groups = ["staff"] }]

[policies.ops]
allow = [{ groups = ["ops"] }]

[[routes]]
name = "start"
host = "start.localhost"
serve = "portal"
policy = "staff"

[[routes]]
name = "control"
host = "control.localhost"
path = "/me"
serve = "portal"
policy = "ops"

[[routes]]
name = "lobby"
host = "lobby.localhost"
serve = "portal"
access = "public"

[[routes]]
name = "wiki"
host = "wiki.localhost"
upstream = "{app}"
policy = "staff"

[[routes]]
name = "machines"
host = "machines.localhost"
upstream = "{app}"
policy = "ops"
"#;

async fn world() -> World {
    World::at("http://login.localhost:{port}", "", "", ROUTES).await
}

fn at(world: &World, host: &str, path: &str) -> String {
    format!("http://{host}.localhost:{}{path}", world.gateway.port)
}

async fn call(browser: &Browser, method: Method, url: &str) -> Answer {
    browser.send(method, url, &[("accept", "application/json")], "").await
}

#[tokio::test]
async fn who_signs_in_on_the_way_comes_back_to_the_page_and_finds_themselves_and_their_apps() {
    let world = world().await;
    let browser = Browser::new();
    let page = browser.visit(&at(&world, "start", "/")).await;
    assert_eq!((page.status, page.url.as_str()), (200, at(&world, "start", "/").as_str()), "{}", page.body);
    assert!(page.body.contains("Your apps") && page.body.contains("alice"), "{}", page.body);
    assert!(page.body.contains(&format!("href=\"{}\"", at(&world, "wiki", "/"))), "{}", page.body);
    for host in ["machines", "start", "control", "lobby"] {
        assert!(!page.body.contains(&at(&world, host, "")), "{host} is no app of alice's: {}", page.body);
    }
    assert_eq!(page.header("cache-control"), "no-store");
    let endpoint = browser.get(&at(&world, "start", "/.portcullis")).await;
    let policy = |answer: &Answer| answer.header("content-security-policy").to_owned();
    assert!(policy(&page).contains("default-src 'none'"), "{}", policy(&page));
    assert_eq!(policy(&page), policy(&endpoint), "the page of every host");
    let list = |answer: &Answer| between(&answer.body, "<ul class=\"apps\"", "</ul>");
    assert_eq!(list(&page), list(&endpoint));
    let line = answered(&world.gateway, page.header("x-request-id"));
    for part in ["\"route\":\"start\"", "\"user\":\"alice\"", "\"outcome\":\"own\"", "staff"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[tokio::test]
async fn whom_the_policy_refuses_does_not_see_the_page() {
    let world = world().await;
    let browser = Browser::new();
    let page = browser.visit(&at(&world, "control", "/me")).await;
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(!page.body.contains("Your apps"), "{}", page.body);
    let script = call(&Browser::new(), Method::GET, &at(&world, "control", "/me")).await;
    assert_eq!(script.status, 401);
    world.provider.control("as?user=bob").await;
    let page = Browser::new().visit(&at(&world, "control", "/me")).await;
    assert!(page.status == 200 && page.body.contains("bob"), "{}", page.body);
    assert!(page.body.contains(&at(&world, "machines", "/")), "{}", page.body);
}

#[tokio::test]
async fn the_page_is_one_path_and_is_only_read() {
    let world = world().await;
    world.provider.control("as?user=bob").await;
    let browser = Browser::new();
    for (host, path) in [("start", "/"), ("control", "/me"), ("control", "/me/")] {
        let url = at(&world, host, path);
        assert_eq!(browser.visit(&url).await.status, 200, "{url}");
        let head = call(&browser, Method::HEAD, &url).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{url}");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let refused = call(&browser, method.clone(), &url).await;
            assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD"), "{method} {url}");
        }
    }
    for (host, path) in [("start", "/below"), ("control", "/me/below"), ("control", "/"), ("control", "/men")]
    {
        let missing = call(&browser, Method::GET, &at(&world, host, path)).await;
        assert_eq!(missing.status, 404, "{host} {path}");
    }
    let below = call(&browser, Method::GET, &at(&world, "start", "/below")).await;
    let line = answered(&world.gateway, below.header("x-request-id"));
    assert!(line.contains("\"user\":\"bob\""), "a page that is not there is asked for by somebody: {line}");
}

#[tokio::test]
async fn the_page_is_shown_for_the_credential_that_the_route_accepts_and_no_other() {
    let routes = ROUTES.replacen("policy = \"staff\"", "access = \"signed-in\"\naccept = \"bearer\"", 1);
    let world = World::at("http://login.localhost:{port}", "", "", &routes).await;
    let url = at(&world, "start", "/");
    let token = format!("Bearer {}", world.provider.access_token("orders:read").await);
    let browser = Browser::new();
    let page = browser.send(Method::GET, &url, &[("authorization", &token)], "").await;
    assert!(page.status == 200 && page.body.contains("Your apps"), "{}", page.body);
    let line = answered(&world.gateway, page.header("x-request-id"));
    assert!(line.contains("\"user\":\"portcullis\""), "the client of the token: {line}");
    assert_eq!(browser.visit(&at(&world, "lobby", "/")).await.status, 200);
    let ticket = at(&world, "start", "/.portcullis/sign-in?return_to=") + &url;
    browser.visit(&ticket).await;
    assert_eq!(browser.get(&at(&world, "start", "/.portcullis")).await.status, 200, "signed in on that host");
    assert_eq!(browser.get(&url).await.status, 401, "and the route takes no session");
}

#[tokio::test]
async fn where_nobody_is_asked_for_a_session_the_page_leads_to_sign_in_and_back() {
    let world = world().await;
    for (host, path) in [("lobby", "/"), ("wiki", "/.portcullis")] {
        let (browser, url) = (Browser::new(), at(&world, host, path));
        let first = browser.get(&url).await;
        assert_eq!((first.status, first.header("cache-control")), (303, "no-store"), "{url}");
        let next = first.next().unwrap();
        assert!(next.starts_with(&at(&world, host, "/.portcullis/sign-in?")), "{next}");
        let page = browser.follow(first).await;
        assert_eq!((page.status, page.url.as_str()), (200, url.as_str()), "{}", page.body);
        assert!(page.body.contains("alice"), "{}", page.body);
        let line = answered(&world.gateway, page.header("x-request-id"));
        assert!(line.contains("\"user\":\"alice\""), "{line}");
    }
}

#[tokio::test]
async fn the_page_signs_out_on_its_own_host() {
    let world = world().await;
    let browser = Browser::new();
    let url = at(&world, "start", "/");
    let page = browser.visit(&url).await;
    let form = between(&page.body, "<form method=\"post\" action=\"", "\"");
    let form = page.url.join(&form).unwrap();
    assert_eq!(form.as_str(), at(&world, "start", "/.portcullis/sign-out"));
    let of_a_sibling = [("sec-fetch-site", "same-site"), ("accept", "text/html")];
    assert_eq!(browser.send(Method::POST, form.as_str(), &of_a_sibling, "").await.status, 403);
    assert_eq!(browser.get(&url).await.status, 200, "still signed in");
    assert_eq!(browser.submit(form.as_str(), "").await.status, 200);
    for host in ["start", "wiki"] {
        assert_eq!(call(&browser, Method::GET, &at(&world, host, "/")).await.status, 401, "{host}");
    }
}

#[tokio::test]
async fn explain_says_what_a_route_serves() {
    let world = world().await;
    let explain = |arguments: &[&str]| {
        let directory = world.gateway.directory.path();
        let output = program(directory, &[&["explain", "--config", "portcullis.toml"], arguments].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (start, below) = (at(&world, "start", "/"), at(&world, "start", "/below"));
    for (arguments, code, parts) in [
        (
            &["--url", &*start, "--user", "alice", "--group", "staff"][..],
            0,
            &["start", "staff", "serve", "portal"][..],
        ),
        (&["--url", &below, "--user", "alice", "--group", "staff"], 0, &["404", "portal"]),
        (&["--url", &start, "--user", "mallory", "--group", "guests"], 1, &["forbidden", "staff"]),
        (&["--url", &start], 1, &["nobody is signed in"]),
        (&["--url", &start, "--method", "POST", "--user", "alice", "--group", "staff"], 1, &["405", "POST"]),
    ] {
        let (status, told) = explain(arguments);
        assert_eq!(status, Some(code), "{told}");
        parts.iter().for_each(|part| assert!(told.contains(part), "{part}: {told}"));
        assert_eq!(told.contains("served by"), parts.contains(&"serve"), "{told}");
    }
}
