//! An app on a host of its own gets its session by a one-time ticket; all of a person's sessions end
//! together (invariants 6 and 8).

use http::Method;
use url::{Url, form_urlencoded};

use crate::support::{Answer, Browser, World, answered, free_port, told};

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
host = "wiki.localhost"
upstream = "{app}"
access = "signed-in"
identity = { headers = "x-auth-request" }

[[routes]]
name = "files"
host = "files.localhost"
upstream = "{app}"
access = "signed-in"

[[routes]]
name = "home"
host = "login.localhost"
upstream = "{app}"
access = "signed-in"
"#;

async fn world() -> World {
    World::at("http://login.localhost:{port}", "", "", ROUTES).await
}

fn at(world: &World, host: &str, path: &str) -> String {
    format!("http://{host}.localhost:{}{path}", world.gateway.port)
}

async fn refused(world: &World, browser: &Browser, ticket: &str) {
    let answer = browser.get(ticket).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(!answer.set_cookies().iter().any(|cookie| cookie.starts_with("portcullis=")), "no session");
    let line = answered(&world.gateway, answer.header("x-request-id"));
    assert!(line.contains("the ticket is not good here"), "{line}");
}

/// The ticket opens nothing in this browser, which begins a way of its own.
async fn begins_anew(world: &World, browser: &Browser, ticket: &str) {
    let answer = browser.get(ticket).await;
    let next = answer.next().unwrap();
    assert!(next.starts_with(&at(world, "wiki", "/.portcullis/sign-in?again=1")), "{next}");
    assert!(!answer.set_cookies().iter().any(|cookie| cookie.starts_with("portcullis=")), "no session");
    let line = answered(&world.gateway, answer.header("x-request-id"));
    assert!(line.contains("does not hold the secret"), "{line}");
}

/// On the app's own host its scripts would be of the same origin as the page.
#[tokio::test]
async fn invariant_18_the_page_of_ones_sessions_is_on_the_sign_in_host_alone() {
    let world = world().await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&at(&world, "wiki", "/")).await.status, 200);
    for method in [Method::GET, Method::POST] {
        let headers =
            [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
        let url = at(&world, "wiki", "/.portcullis/sessions");
        let answer = browser.send(method, &url, &headers, "others=yes").await;
        assert_eq!((answer.status, answer.next()), (303, Some(at(&world, "login", "/.portcullis/sessions"))));
        assert!(!answer.body.contains("Sign out"), "{}", answer.body);
    }
    let page = browser.visit(&at(&world, "wiki", "/.portcullis/sessions")).await;
    assert!(page.status == 200 && page.body.contains("wiki.localhost"), "{}", page.body);
}

/// Where a browser is sent with its ticket.
async fn ticket(world: &World, browser: &Browser, path: &str) -> Url {
    browser.stop_before(&at(world, "wiki", path), "/.portcullis/ticket").await
}

#[tokio::test]
async fn an_app_on_another_host_gets_its_session_by_ticket_and_keeps_path_and_query() {
    let world = world().await;
    let browser = Browser::new();
    let answer = browser.visit(&at(&world, "wiki", "/page?a=%26&b")).await;
    assert_eq!(answer.url.as_str(), at(&world, "wiki", "/page?a=%26&b"));
    assert_eq!(answer.json()["target"], "/page?a=%26&b");
    assert_eq!(told(&answer, "x-auth-request-user"), ["alice"]);
    assert_eq!(world.provider.asked("/token").await, 1);
    assert_eq!(browser.visit(&at(&world, "files", "/")).await.status, 200);
    assert_eq!(world.provider.asked("/token").await, 1, "one sign-in serves both");
    let keys: Vec<_> =
        ["wiki", "files", "login"].map(|host| browser.cookie(&at(&world, host, "/"), "portcullis")).into();
    assert!(
        keys.iter().all(Option::is_some) && keys[0] != keys[1] && keys[1] != keys[2],
        "each host has a key of its own"
    );
}

#[tokio::test]
async fn another_apps_cookie_with_a_letter_beyond_ascii_keeps_nobody_out() {
    let world = world().await;
    let browser = Browser::new();
    for host in ["wiki", "login"] {
        browser.set_cookie(&at(&world, host, "/"), "name", "Jürgen");
    }
    let answer = browser.visit(&at(&world, "wiki", "/page")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["target"], "/page");
    assert!(answer.body.contains("name=J"), "and its own app gets it: {}", answer.body);
}

/// Whatever else listens on the app's host would take the ticket (invariant 25).
#[tokio::test]
async fn invariant_25_no_ticket_goes_to_another_port_of_the_apps_host() {
    let world = world().await;
    let browser = Browser::new();
    browser.visit(&at(&world, "wiki", "/")).await;
    let other = free_port();
    for host in ["wiki", "files", "login"] {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", &format!("http://{host}.localhost:{other}/x"))
            .append_pair("hop", &"ab".repeat(32))
            .finish();
        let answer = browser.get(&at(&world, "login", &format!("/.portcullis/sign-in?{query}"))).await;
        let next = answer.next().unwrap_or_default();
        assert!(!next.contains(&other.to_string()) && !next.contains("ticket"), "{next}");
    }
}

#[tokio::test]
async fn a_key_of_one_host_opens_nothing_on_another() {
    let world = world().await;
    let browser = Browser::new();
    browser.visit(&at(&world, "wiki", "/")).await;
    let key = browser.cookie(&at(&world, "wiki", "/"), "portcullis").unwrap();
    for host in ["files", "login"] {
        let thief = Browser::new();
        thief.set_cookie(&at(&world, host, "/"), "portcullis", &key);
        assert_eq!(thief.get(&at(&world, host, "/")).await.status, 302, "{host}");
    }
}

#[tokio::test]
async fn invariant_6_a_ticket_is_good_once() {
    let world = world().await;
    let browser = Browser::new();
    let url = ticket(&world, &browser, "/").await;
    let hop = browser.cookie_names(url.as_str()).into_iter().find(|name| name.contains("hop")).unwrap();
    let secret = browser.cookie(url.as_str(), &hop).unwrap();
    assert_eq!(browser.get(url.as_str()).await.status, 303);
    browser.set_cookie(url.as_str(), &hop, &secret);
    let again = browser.get(url.as_str()).await;
    assert_eq!(again.next(), Some(at(&world, "wiki", "/")), "who is signed in goes on");
    assert!(again.set_cookies().is_empty(), "without another session");
    let thief = Browser::new();
    thief.set_cookie(url.as_str(), &hop, &secret);
    refused(&world, &thief, url.as_str()).await;
}

#[tokio::test]
async fn invariant_6_a_ticket_is_not_good_on_another_host() {
    let world = world().await;
    let browser = Browser::new();
    let url = ticket(&world, &browser, "/").await;
    let hop = browser.cookie_names(url.as_str()).into_iter().find(|name| name.contains("hop")).unwrap();
    let secret = browser.cookie(url.as_str(), &hop).unwrap();
    let elsewhere = url.as_str().replace("wiki.", "files.");
    browser.set_cookie(&elsewhere, &hop, &secret);
    refused(&world, &browser, &elsewhere).await;
    refused(&world, &browser, url.as_str()).await;
}

#[tokio::test]
async fn invariant_6_a_ticket_is_not_good_in_another_browser() {
    let world = world().await;
    let browser = Browser::new();
    let url = ticket(&world, &browser, "/").await;
    let other = Browser::new();
    other.stop_before(&at(&world, "wiki", "/"), "/.portcullis/sign-in").await;
    begins_anew(&world, &other, url.as_str()).await;
    refused(&world, &Browser::new(), url.as_str()).await;
    refused(&world, &browser, url.as_str()).await;
    let made_up = at(&world, "wiki", &format!("/.portcullis/ticket?ticket={}", "A".repeat(43)));
    refused(&world, &browser, &made_up).await;
}

#[tokio::test]
async fn invariant_6_nobody_gets_a_ticket_for_a_way_that_another_browser_began() {
    let world = world().await;
    let attacker = Browser::new();
    let lure = attacker.stop_before(&at(&world, "wiki", "/"), "/.portcullis/sign-in").await;
    let victim = Browser::new();
    let ticket = victim.stop_before(lure.as_str(), "/.portcullis/ticket").await;
    begins_anew(&world, &victim, ticket.as_str()).await;
    // And what the victim spent, the attacker cannot spend either.
    refused(&world, &attacker, ticket.as_str()).await;
    assert_eq!(victim.visit(&at(&world, "wiki", "/")).await.status, 200, "the victim has a way of their own");
    assert_eq!(attacker.get(&at(&world, "wiki", "/")).await.status, 302, "the attacker has none");
}

async fn sign_out(world: &World, browser: &Browser, host: &str) -> Answer {
    browser.submit(&at(world, host, "/.portcullis/sign-out"), "").await
}

#[tokio::test]
async fn invariant_8_signed_out_on_one_host_is_signed_out_on_all() {
    for host in ["wiki", "login"] {
        let world = world().await;
        let browser = Browser::new();
        for app in ["wiki", "files"] {
            assert_eq!(browser.visit(&at(&world, app, "/")).await.status, 200);
        }
        assert_eq!(sign_out(&world, &browser, host).await.status, 200);
        for app in ["wiki", "files", "login"] {
            let script = browser.send(Method::GET, &at(&world, app, "/"), &[("accept", "*/*")], "").await;
            assert_eq!(script.status, 401, "{app} after signing out on {host}");
        }
    }
}

#[tokio::test]
async fn the_redirect_uri_stays_the_one_of_the_sign_in_host() {
    let world = world().await;
    let sent = Browser::new().stop_before(&at(&world, "wiki", "/"), "/auth?").await;
    let uri = sent.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    assert_eq!(uri, at(&world, "login", "/.portcullis/callback"));
    assert_eq!(Browser::new().get(&at(&world, "wiki", "/.portcullis/callback")).await.status, 404);
}
