//! Somebody without a session is signed in by a certified provider and arrives where they wanted to go.

use crate::support::{App, Browser, Gateway, Provider, World, answered, free_port};

const WIKI: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
identity = { headers = "x-auth-request" }

[[routes]]
name = "admin"
path = "/admin"
upstream = "{app}"
allow = [{ groups = ["ops"] }]
"#;

#[tokio::test]
async fn a_person_signs_in_and_arrives_with_path_and_query() {
    let world = World::open(WIKI).await;
    let browser = Browser::new();
    let answer = browser.visit(&world.gateway.url("/page?a=1&b=%23x+y")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    assert_eq!(told["target"], "/page?a=1&b=%23x+y");
    let headers = told["headers"].to_string();
    assert!(headers.contains(r#"["x-auth-request-user","alice"]"#), "{headers}");
    assert!(headers.contains(r#"["x-auth-request-groups","staff"]"#), "{headers}");
    assert!(!headers.contains("portcullis="), "the app does not see our cookies: {headers}");
    assert_eq!(browser.get(&world.gateway.url("/again")).await.status, 200, "the session lasts");
}

#[tokio::test]
async fn ten_tabs_opened_at_once_all_arrive_where_they_wanted_to_go() {
    let world = World::open(WIKI).await;
    let browser = Browser::new();
    let mut started = Vec::new();
    for tab in 0..10 {
        started.push(browser.get(&world.gateway.url(&format!("/tab-{tab}"))).await);
    }
    for (tab, start) in started.iter().enumerate() {
        assert_eq!(start.status, 302);
        let arrived = browser.visit(start.header("location")).await;
        assert_eq!(arrived.json()["target"], format!("/tab-{tab}"));
    }
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let mut world = World::open(WIKI).await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&world.gateway.url("/")).await.status, 200);
    world.gateway.restart();
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 200);
    assert_eq!(world.app.served(), 2);
}

#[tokio::test]
async fn who_is_known_but_not_allowed_is_told_so() {
    let world = World::open(WIKI).await;
    let browser = Browser::new();
    let answer = browser.visit(&world.gateway.url("/admin")).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("alice") && answer.body.contains("ops"), "{}", answer.body);
    let id = answer.header("x-request-id");
    assert!(!id.is_empty() && answer.body.contains(id), "the page names the request");
    let line = answered(&world.gateway, id);
    assert!(line.contains(r#""outcome":"forbidden""#) && line.contains(r#""user":"alice""#), "{line}");
    assert_eq!(world.app.served(), 0);
    world.provider.control("as?user=bob").await;
    assert_eq!(Browser::new().visit(&world.gateway.url("/admin")).await.status, 200);
}

#[tokio::test]
async fn a_script_is_not_redirected_into_cors_errors() {
    let world = World::open(WIKI).await;
    let fetch = [("sec-fetch-mode", "cors"), ("accept", "*/*")];
    let answer = Browser::new().send(http::Method::GET, &world.gateway.url("/"), &fetch, "").await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{:?}", answer.headers);
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn a_provider_that_is_away_at_start_comes_back_by_itself() {
    let app = App::start().await;
    let port = free_port();
    let mut provider = Provider::stopped(&format!("http://127.0.0.1:{port}"));
    let rest = format!("{}{}", provider.configuration(), WIKI.replace("{app}", &app.url()));
    let gateway = Gateway::on(port, "", &rest);
    let away = Browser::new().get(&gateway.url("/")).await;
    assert_eq!(away.status, 503);
    assert!(!away.header("retry-after").is_empty());
    assert!(away.body.contains("corp") && away.body.contains(away.header("x-request-id")), "{}", away.body);
    let script = Browser::new().send(http::Method::GET, &gateway.url("/"), &[("accept", "*/*")], "").await;
    assert_eq!(script.status, 401, "a script has no use for the provider");
    provider.resume();
    crate::support::until_async("the provider to be found again", || async {
        Browser::new().visit(&gateway.url("/")).await.status == 200
    })
    .await;
}
