//! Sessions that are bound to a key of their browser's device: who carries the session's cookie elsewhere has nothing
//! (Device Bound Session Credentials, W3C draft of 2026).

mod hosts;
mod proofs;
mod required;
mod siblings;

use http::Method;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::device::{asked, offered, refresh_url, way};
use crate::support::{Answer, Browser, Device, World, answered, event, logged, until_async};

const PUBLIC: &str = "https://login.localhost";
const PROXY: &str = "trusted_proxies = [\"127.0.0.1\"]";
const BOUND: &str = "__Host-portcullis_bound";
const SESSION: &str = "__Host-portcullis";

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
host = "login.localhost"
upstream = "{app}"
access = "signed-in"

[[routes]]
name = "bound"
host = "login.localhost"
path = "/bound"
upstream = "{app}"
allow = [{ bound = true }]

[[routes]]
name = "app"
host = "*.localhost"
upstream = "{app}"
access = "signed-in"
"#;

async fn world() -> World {
    World::at(PUBLIC, PROXY, "", ROUTES).await
}

async fn with(session: &str) -> World {
    World::at(PUBLIC, PROXY, "", &format!("[session]\n{session}\n{ROUTES}")).await
}

/// One whose sessions are bound for the whole of `corp.localhost`.
async fn site_world(session: &str) -> World {
    let routes =
        ROUTES.replace("*.localhost", "*.corp.localhost").replace("login.localhost", "login.corp.localhost");
    let apex = "[[routes]]\nname = \"apex\"\nhost = \"corp.localhost\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n";
    let site = format!("[session]\nbind_site = \"corp.localhost\"\n{session}\n");
    World::at("https://login.corp.localhost", PROXY, "", &format!("{site}{routes}{apex}")).await
}

fn at(path: &str) -> String {
    format!("{PUBLIC}{path}")
}

/// A browser whose session is bound, and what it was told of that.
async fn bound(world: &World) -> (Browser, Device, Value) {
    let (browser, device) = (Browser::behind_tls(world.gateway.port), Device::new());
    let offer = offered(&browser, &at("/")).await.expect("the sign-in tells how to bind");
    let answer = device.register(&browser, &offer).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (browser, device, answer.json())
}

/// What the gateway counts of one step and result.
async fn counted(world: &World, step: &str, result: &str) -> u64 {
    let metrics = Browser::new().get(&world.gateway.admin_url("/metrics")).await.body;
    let labels = format!("portcullis_bound_sessions_total{{step=\"{step}\",result=\"{result}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&labels)).map_or(0, |count| count.parse().unwrap())
}

/// A thief who has the session's cookie and nothing else.
fn thief(world: &World, browser: &Browser) -> Browser {
    let thief = Browser::behind_tls(world.gateway.port);
    thief.set_cookie(&at("/"), SESSION, &browser.cookie(&at("/"), SESSION).unwrap());
    thief
}

async fn call(browser: &Browser, url: &str) -> Answer {
    browser.send(Method::GET, url, &[("accept", "application/json")], "").await
}

/// Asks until requests without the bound cookie are no longer taken for such as were under way when it was set.
async fn until_grace_is_over(thief: &Browser) {
    until_async("the grace to be over", || async { call(thief, &at("/")).await.status == 401 }).await;
}

#[tokio::test]
async fn a_session_is_bound_where_it_was_made_and_its_cookie_is_worthless_alone() {
    let world = world().await;
    let (browser, device, session) = bound(&world).await;
    assert_eq!(session["scope"]["include_site"], json!(false));
    assert_eq!(session["scope"]["origin"], json!(PUBLIC));
    assert_eq!(refresh_url(&session), at("/.portcullis/bound-session/refresh"));
    assert_eq!(session["credentials"][0]["name"], json!(BOUND));
    let answer = call(&browser, &at("/")).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("_bound"), "no app sees it: {}", answer.body);
    let alone = Browser::behind_tls(world.gateway.port);
    alone.set_cookie(&at("/"), BOUND, &browser.cookie(&at("/"), BOUND).unwrap());
    assert_eq!(call(&alone, &at("/")).await.status, 401, "the bound cookie opens nothing");
    let again = device.refresh(&browser, &session, None).await;
    assert_eq!(again.status, 200, "{}", again.body);
    let next = device.refresh(&browser, &session, Some(&asked(&again))).await;
    assert_eq!(next.status, 200, "the challenge that came along is good: no 403 in between");
    assert_eq!(counted(&world, "refresh", "ok").await, 2);
    assert_eq!(counted(&world, "refresh", "no-proof").await, 1);
    let bound = event(&world.gateway, "session.bound");
    assert_eq!(bound["key"].as_str().map(str::len), Some(43), "a thumbprint: {bound}");
}

/// A browser compares them (draft, section 8.6): where they differ it renews at each request, or never.
#[tokio::test]
async fn the_attributes_that_a_browser_is_told_are_those_of_the_cookie() {
    let world = world().await;
    let (browser, device, session) = bound(&world).await;
    let told: Vec<_> = session["credentials"][0]["attributes"].as_str().unwrap().split("; ").collect();
    let answer = device.refresh(&browser, &session, None).await;
    let set = answer.set_cookies().into_iter().find(|set| set.starts_with(BOUND)).unwrap().to_owned();
    let set: Vec<_> = set.split("; ").skip(1).filter(|part| !part.starts_with("Max-Age=")).collect();
    assert_eq!(told, set);
    for guard in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(told.contains(&guard), "{guard} of {told:?}");
    }
    assert!(
        answer.set_cookies().iter().any(|set| set.contains("Max-Age=600")),
        "ten minutes, for Chrome's quota"
    );
    assert_eq!(answer.json(), session, "a refresh says the same");
}

#[tokio::test]
async fn invariant_27_a_stolen_cookie_alone_is_asked_to_sign_in_whatever_it_claims() {
    let world = world().await;
    let (browser, _, _) = bound(&world).await;
    let thief = thief(&world, &browser);
    until_grace_is_over(&thief).await;
    let answer = call(&thief, &at("/")).await;
    assert!(
        answer.header("www-authenticate").contains("insufficient_user_authentication"),
        "{:?}",
        answer.headers
    );
    let line = answered(&world.gateway, answer.header("x-request-id"));
    assert!(line.contains("bound to its device") && line.contains("without the bound cookie"), "{line}");
    let claims = [
        ("accept", "application/json"),
        ("secure-session-skipped", "quota_exceeded;session_identifier=\"s1\""),
    ];
    let answer = thief.send(Method::GET, &at("/"), &claims, "").await;
    assert_eq!(answer.status, 401, "what a browser says of itself is no proof");
    assert!(
        answered(&world.gateway, answer.header("x-request-id")).contains("the browser says quota_exceeded")
    );
    let page = thief.get(&at("/")).await;
    assert!(page.next().unwrap().contains("/auth?"), "to the provider: {:?}", page.next());
    assert_eq!(call(&browser, &at("/")).await.status, 200, "its person goes on");
    // Not even whose session it is; and no token of the provider's on the way out.
    let page = thief.get(&at("/.portcullis/sign-out")).await;
    assert!(page.next().unwrap().contains("/.portcullis/sign-in"), "{}", page.body);
    thief.set_cookie(&at("/"), BOUND, "AAAAAAAAAAA");
    assert_eq!(call(&thief, &at("/")).await.status, 401);
    assert!(counted(&world, "request", "missing-cookie").await >= 2);
    assert_eq!(counted(&world, "request", "foreign-cookie").await, 1);
    let left = thief.submit(&at("/.portcullis/sign-out"), "").await;
    assert!(left.body.contains("id=\"onward\"") && !left.body.contains("id_token_hint"), "{}", left.body);
}

#[tokio::test]
async fn invariant_27_a_stolen_cookie_opens_no_web_socket() {
    let world = world().await;
    let (browser, _, _) = bound(&world).await;
    until_grace_is_over(&thief(&world, &browser)).await;
    let mut request = format!("ws://127.0.0.1:{}/socket", world.gateway.port).into_client_request().unwrap();
    let cookie = format!("{SESSION}={}", browser.cookie(&at("/"), SESSION).unwrap());
    let headers = request.headers_mut();
    headers.insert("host", "login.localhost".parse().unwrap());
    headers.insert("x-forwarded-proto", "https".parse().unwrap());
    headers.insert("cookie", cookie.parse().unwrap());
    let Err(tokio_tungstenite::tungstenite::Error::Http(refused)) = connect_async(request).await else {
        panic!("it opens")
    };
    assert_eq!(refused.status(), 401);
}

#[tokio::test]
async fn a_bound_cookie_of_another_session_shows_nothing() {
    let world = world().await;
    let (one, _, _) = bound(&world).await;
    let (other, _, _) = bound(&world).await;
    let thief = thief(&world, &one);
    thief.set_cookie(&at("/"), BOUND, &other.cookie(&at("/"), BOUND).unwrap());
    assert_eq!(call(&thief, &at("/")).await.status, 401, "not even in the grace");
}

#[tokio::test]
async fn who_has_lost_the_device_signs_in_anew_and_is_bound_anew() {
    let world = world().await;
    let (browser, _, _) = bound(&world).await;
    until_grace_is_over(&thief(&world, &browser)).await;
    let before = browser.cookie(&at("/"), SESSION).unwrap();
    browser.set_cookie(&at("/"), BOUND, "");
    let offer = offered(&browser, &at("/")).await.expect("the new session is offered to be bound");
    assert_ne!(browser.cookie(&at("/"), SESSION).unwrap(), before);
    let device = Device::new();
    assert_eq!(device.register(&browser, &offer).await.status, 200);
    assert_eq!(call(&browser, &at("/")).await.status, 200);
    let old = Browser::behind_tls(world.gateway.port);
    old.set_cookie(&at("/"), SESSION, &before);
    assert_eq!(call(&old, &at("/")).await.status, 401, "the one before has ended");
}

#[tokio::test]
async fn a_browser_that_binds_nothing_goes_on_as_before() {
    let world = world().await;
    let browser = Browser::behind_tls(world.gateway.port);
    assert_eq!(browser.visit(&at("/")).await.status, 200);
    assert_eq!(call(&browser, &at("/")).await.status, 200);
    assert_eq!(browser.cookie(&at("/"), BOUND), None);
    let page = browser.get(&at("/bound")).await;
    assert_eq!(page.status, 503, "its browser may be about to bind it: {}", page.body);
    assert!(page.header("retry-after") == "2" && page.body.contains("binding this session"), "{}", page.body);
}

#[tokio::test]
async fn a_rule_may_ask_for_a_bound_session() {
    let world = world().await;
    let (browser, _, _) = bound(&world).await;
    assert_eq!(call(&browser, &at("/bound")).await.status, 200);
    let nobody = Browser::behind_tls(world.gateway.port);
    assert_eq!(call(&nobody, &at("/bound")).await.status, 401);
}

#[tokio::test]
async fn no_browser_is_told_of_it_where_it_is_off_and_what_is_bound_stays_so() {
    let off = with("bind = \"off\"").await;
    let browser = Browser::behind_tls(off.gateway.port);
    assert!(offered(&browser, &at("/")).await.is_none());
    assert_eq!(call(&browser, &at("/bound")).await.status, 403, "nothing is awaited");

    let mut world = with("bind = \"auto\"").await;
    let (browser, device, session) = bound(&world).await;
    let file = world.gateway.configuration();
    let text = std::fs::read_to_string(&file).unwrap().replace("bind = \"auto\"", "bind = \"off\"");
    std::fs::write(&file, text).unwrap();
    world.gateway.restart();
    let thief = thief(&world, &browser);
    until_grace_is_over(&thief).await;
    assert_eq!(call(&browser, &at("/")).await.status, 200);
    assert_eq!(device.refresh(&browser, &session, None).await.status, 200);
}

#[tokio::test]
async fn a_binding_outlives_a_restart_and_a_take_over() {
    let mut world = world().await;
    let (browser, device, session) = bound(&world).await;
    let challenge = asked(&device.refresh(&browser, &session, None).await);
    world.gateway.restart();
    let answer = device.refresh(&browser, &session, Some(&challenge)).await;
    assert_eq!(answer.status, 200, "a challenge from before is good");
    let thief = thief(&world, &browser);
    until_grace_is_over(&thief).await;
    let before = world.gateway.take_over();
    event(&world.gateway, "process.took-over");
    until_async("the new process to answer", || async {
        device.refresh(&browser, &session, None).await.status == 200
    })
    .await;
    assert_eq!(call(&browser, &at("/")).await.status, 200);
    assert_eq!(call(&thief, &at("/")).await.status, 401);
    drop(before);
}

#[tokio::test]
async fn operators_see_which_sessions_are_bound() {
    let world = world().await;
    let (_, _, _) = bound(&world).await;
    let list =
        crate::support::program(world.gateway.directory.path(), &["sessions", "list", "--all", "--json"]);
    let text = String::from_utf8_lossy(&list.stdout).into_owned();
    let told: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(told["sessions"][0]["bound"], json!(["login.localhost"]), "{text}");
}
