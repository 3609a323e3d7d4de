//! A provider that answers by a form which the browser posts (OAuth 2.0 Form Post Response Mode).

use http::Method;
use url::form_urlencoded::Serializer;

use crate::support::{Answer, Browser, World, between};

const LOGIN: &str = "https://login.example";
const CALLBACK: &str = "https://login.example/.portcullis/callback";
const BEHIND: &str = "trusted_proxies = [\"127.0.0.1\"]";
const STRONG: &str = r#"
[[routes]]
name = "strong"
host = "login.example"
path = "/strong"
upstream = "{app}"
allow = [{ groups = ["staff"], acr = ["mfa"] }]
"#;
const WIKI: &str = r#"
[[routes]]
name = "wiki"
host = "login.example"
upstream = "{app}"
access = "signed-in"
identity = { headers = { X-User = "user" } }
"#;

async fn world(response_mode: &str) -> World {
    World::at(LOGIN, BEHIND, &format!("response_mode = \"{response_mode}\"\n"), WIKI).await
}

/// What the provider's page would post for somebody who wants to see `page`.
async fn form_for(browser: &Browser, page: &str) -> Vec<(String, String)> {
    let answer = browser.visit(&format!("{LOGIN}{page}")).await;
    assert!(answer.body.contains("method=\"post\"") && answer.body.contains(CALLBACK), "{}", answer.body);
    let input = |part: &str| {
        let part = format!("<{part}");
        Some((between(&part, "name=\"", "\""), between(&part, "value=\"", "\"")))
    };
    answer.body.split("<input").skip(1).filter_map(input).collect()
}

/// Posts it as the page of another site does.
async fn post(browser: &Browser, media_type: &str, body: &str) -> Answer {
    let head = [
        ("accept", "text/html"),
        ("content-type", media_type),
        ("origin", "http://id.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
    ];
    browser.send(Method::POST, CALLBACK, &head, body).await
}

const FORM: &str = "application/x-www-form-urlencoded";

fn encoded(fields: &[(String, String)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn signs_nobody_in(answer: &Answer) {
    let cookies = answer.set_cookies();
    assert!(!cookies.iter().any(|cookie| cookie.starts_with("__Host-portcullis=")), "{cookies:?}");
}

/// The browser brings no session along, so that nobody can tell whose it is that such an answer would replace.
#[tokio::test]
async fn a_posted_step_up_that_falls_short_takes_no_session_away() {
    let routes = format!("{WIKI}{STRONG}");
    let world = World::at(LOGIN, BEHIND, "response_mode = \"form_post\"\n", &routes).await;
    world.provider.control("levels?of=pwd").await;
    let browser = Browser::behind_tls(world.gateway.port);
    let form = form_for(&browser, "/").await;
    assert_eq!(post(&browser, FORM, &encoded(&form)).await.status, 303);
    let form = form_for(&browser, "/strong").await;
    let page = post(&browser, FORM, &encoded(&form)).await;
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(page.body.contains("mfa"), "{}", page.body);
    signs_nobody_in(&page);
    assert_eq!(browser.get(&format!("{LOGIN}/")).await.status, 200, "the session is as it was");
    world.provider.control("levels?of=mfa").await;
    let form = form_for(&browser, "/strong").await;
    assert_eq!(post(&browser, FORM, &encoded(&form)).await.status, 303);
    assert_eq!(browser.get(&format!("{LOGIN}/strong")).await.status, 200);
}

#[tokio::test]
async fn a_posted_response_signs_in_and_only_the_flow_comes_along_from_other_sites() {
    let world = world("form_post").await;
    let browser = Browser::behind_tls(world.gateway.port);
    let left = browser.get(&format!("{LOGIN}/page?a=1")).await;
    let flow = left.set_cookies().join("\n");
    assert!(
        flow.starts_with("__Host-portcullis-flow-")
            && flow.contains("SameSite=None")
            && flow.contains("Secure"),
        "{flow}"
    );
    let mut form = form_for(&browser, "/page?a=1").await;
    assert!(form.iter().any(|(name, _)| name == "code"), "{form:?}");
    form.push(("id_token".into(), "of no use".into()));
    let answer = post(&browser, &format!("{FORM}; charset=UTF-8"), &encoded(&form)).await;
    assert_eq!(
        (answer.status, answer.next().as_deref()),
        (303, Some("https://login.example/page?a=1")),
        "{}",
        answer.body
    );
    let session = answer
        .set_cookies()
        .into_iter()
        .find(|cookie| cookie.starts_with("__Host-portcullis="))
        .unwrap()
        .to_owned();
    assert!(session.contains("SameSite=Lax"), "{session}");
    assert_eq!(browser.follow(answer).await.status, 200);
    post(&browser, FORM, &encoded(&form)).await;
    assert_eq!(world.provider.asked("/token").await, 1, "good once");
}

#[tokio::test]
async fn invariant_14_what_is_no_small_form_of_a_response_signs_nobody_in() {
    let world = world("form_post").await;
    let browser = Browser::behind_tls(world.gateway.port);
    let form = form_for(&browser, "/").await;
    let with =
        |name: &str, value: &str| encoded(&[&form[..], &[(name.to_owned(), value.to_owned())]].concat());
    for (media_type, body) in [
        (FORM, with("x", &"x".repeat(16 << 10))),
        (FORM, with("state", "another")),
        (FORM, with("code", "another")),
        ("text/plain", encoded(&form)),
        ("multipart/form-data; boundary=x", encoded(&form)),
        ("", encoded(&form)),
        (FORM, String::new()),
    ] {
        let answer = post(&browser, media_type, &body).await;
        assert_eq!((answer.status, answer.next()), (400, None), "{media_type}: {}", answer.body);
    }
    assert_eq!(world.provider.asked("/token").await, 0);
    assert_eq!(post(&browser, FORM, &encoded(&form)).await.status, 303, "the flow is still good");
}

#[tokio::test]
async fn invariant_6_a_form_finishes_no_flow_of_another_browser_or_one_that_asked_for_a_redirect() {
    let posted = world("form_post").await;
    let form = form_for(&Browser::behind_tls(posted.gateway.port), "/").await;
    let stranger = Browser::behind_tls(posted.gateway.port);
    signs_nobody_in(&post(&stranger, FORM, &encoded(&form)).await);
    assert_eq!(posted.provider.asked("/token").await, 0);
    let redirected = world("query").await;
    let browser = Browser::behind_tls(redirected.gateway.port);
    let callback = browser.stop_before(&format!("{LOGIN}/"), CALLBACK).await;
    let answer = post(&browser, FORM, callback.query().unwrap()).await;
    signs_nobody_in(&answer);
    assert_eq!(redirected.provider.asked("/token").await, 0);
    assert_eq!(browser.visit(callback.as_str()).await.status, 200);
}

/// Browsers do not bring its cookie along with another site's form.
#[tokio::test]
async fn invariant_8_a_posted_response_ends_the_session_that_it_replaces() {
    let world = world("form_post").await;
    let browser = Browser::behind_tls(world.gateway.port);
    let form = form_for(&browser, "/").await;
    post(&browser, FORM, &encoded(&form)).await;
    let old = browser.cookie(&format!("{LOGIN}/"), "__Host-portcullis").unwrap();
    let form = form_for(&browser, "/.portcullis/sign-in?anew=1").await;
    let flows: Vec<_> = browser
        .cookie_names(CALLBACK)
        .into_iter()
        .filter(|name| name.starts_with("__Host-portcullis-flow-"))
        .map(|name| format!("{name}={}", browser.cookie(CALLBACK, &name).unwrap()))
        .collect();
    let flows = flows.join("; ");
    let head = [("content-type", FORM), ("cookie", flows.as_str()), ("sec-fetch-site", "cross-site")];
    let cross_site = Browser::behind_tls(world.gateway.port);
    assert_eq!(cross_site.send(Method::POST, CALLBACK, &head, &encoded(&form)).await.status, 303);
    assert_eq!(cross_site.visit(&format!("{LOGIN}/")).await.status, 200);
    let thief = [("cookie", format!("__Host-portcullis={old}"))];
    let thief = thief.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer =
        Browser::behind_tls(world.gateway.port).send(Method::GET, &format!("{LOGIN}/"), &thief, "").await;
    assert_eq!(answer.status, 401);
}
