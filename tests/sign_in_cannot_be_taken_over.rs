//! A sign-in ends in the browser that began it, with the provider it was begun with, once (invariant 6),
//! and on our own pages (invariant 13).

use url::{Url, form_urlencoded};

use crate::support::{Answer, Browser, Provider, World, answered, logged};

const WIKI: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
"#;

/// `url` with one parameter put in the place of another of the same name, or taken away.
fn with(url: &Url, name: &str, value: Option<&str>) -> String {
    let mut changed = url.clone();
    let kept: Vec<_> = url.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    changed.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(value.map(|value| (name, value)));
    changed.into()
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .unwrap_or_else(|| panic!("no {name} in {url}"))
        .1
        .into_owned()
}

/// The page says that nothing came of it, without what came; the log says why, under the page's id.
fn refused(world: &World, answer: &Answer, why: &str) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(!answer.set_cookies().iter().any(|cookie| cookie.starts_with("portcullis=")), "no session");
    let id = answer.header("x-request-id");
    assert!(answer.body.contains(id));
    let line = logged(&world.gateway, id);
    assert!(line.contains(why), "{line}");
    assert_eq!(world.app.served(), 0);
}

/// Nobody is signed in by it and no provider is asked; the browser begins a sign-in of its own to the same page. The
/// log says why.
fn begins_anew(world: &World, answer: &Answer, to: &str, why: &str) {
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(!answer.set_cookies().iter().any(|cookie| cookie.starts_with("portcullis=")), "no session");
    let next = Url::parse(&answer.next().unwrap()).unwrap();
    assert_eq!(next.path(), "/.portcullis/sign-in");
    assert_eq!(parameter(&next, "return_to"), world.gateway.url(to));
    let line = answered(&world.gateway, answer.header("x-request-id"));
    assert!(line.contains(why) && line.contains("bad-request"), "{line}");
    assert_eq!(world.app.served(), 0);
}

async fn begun(world: &World) -> (Browser, Url) {
    let browser = Browser::new();
    let callback = browser.stop_before(&world.gateway.url("/x"), "/.portcullis/callback").await;
    (browser, callback)
}

#[tokio::test]
async fn invariant_6_a_response_without_the_iss_that_was_announced_is_refused() {
    let world = World::open(WIKI).await;
    let (browser, callback) = begun(&world).await;
    refused(&world, &browser.get(&with(&callback, "iss", None)).await, "iss of the response");
    assert_eq!(world.provider.asked("/token").await, 0, "its code was not spent");
}

#[tokio::test]
async fn invariant_6_a_response_of_another_issuer_is_refused() {
    let world = World::open(WIKI).await;
    let (browser, callback) = begun(&world).await;
    let wrong = with(&callback, "iss", Some("https://evil.example"));
    refused(&world, &browser.get(&wrong).await, "https://evil.example");
    assert_eq!(world.provider.asked("/token").await, 0);
}

#[tokio::test]
async fn invariant_6_two_providers_responses_are_not_mixed_up() {
    let port = crate::support::free_port();
    let ours = format!("http://127.0.0.1:{port}");
    let (corp, partner) = (Provider::start(&ours), Provider::start(&ours));
    let more = partner.configuration_of("partner");
    let world = World::before(corp, port, &ours, "", &more, WIKI).await;
    let browser = Browser::new();
    let to = |name: &str| world.gateway.url(&format!("/.portcullis/sign-in?provider={name}"));
    let callback = browser.stop_before(&to("corp"), "/.portcullis/callback").await;
    let other = browser.stop_before(&to("partner"), "/.portcullis/callback").await;
    let mixed = with(&other, "state", Some(&parameter(&callback, "state")));
    refused(&world, &browser.get(&mixed).await, "mix-up");
    assert_eq!(world.provider.asked("/token").await, 0, "partner's code did not go to corp");
    assert_eq!(browser.get(other.as_str()).await.status, 303, "partner's own response is good");
}

#[tokio::test]
async fn invariant_6_a_flow_is_not_finished_in_another_browser() {
    let world = World::open(WIKI).await;
    let (_, callback) = begun(&world).await;
    begins_anew(&world, &Browser::new().get(callback.as_str()).await, "/x", "did not start this flow");
    let (other, _) = begun(&world).await;
    begins_anew(&world, &other.get(callback.as_str()).await, "/x", "did not start this flow");
    assert_eq!(world.provider.asked("/token").await, 0);
}

#[tokio::test]
async fn invariant_6_a_state_that_is_not_the_flows_is_refused() {
    let world = World::open(WIKI).await;
    let (browser, callback) = begun(&world).await;
    for state in [Some("x"), Some(""), None] {
        refused(&world, &browser.get(&with(&callback, "state", state)).await, "this state");
    }
    let twice = format!("{callback}&state={}", parameter(&callback, "state"));
    refused(&world, &browser.get(&twice).await, "twice");
    assert_eq!(world.provider.asked("/token").await, 0);
}

#[tokio::test]
async fn invariant_6_a_flow_moved_to_another_state_is_refused() {
    let world = World::open(WIKI).await;
    let (browser, first) = begun(&world).await;
    let flows = |browser: &Browser| browser.cookie_names(first.as_str());
    let (name, url) = (flows(&browser).remove(0), first.as_str());
    let second = browser.stop_before(&world.gateway.url("/y"), "/.portcullis/callback").await;
    let other = flows(&browser).into_iter().find(|other| *other != name && other.contains("flow")).unwrap();
    let sealed = browser.cookie(url, &other).unwrap();
    assert_eq!(browser.get(second.as_str()).await.status, 303);
    let planted = Browser::new();
    planted.set_cookie(url, &name, &sealed);
    begins_anew(&world, &planted.get(url).await, "/x", "not one that this gateway sealed");
}

#[tokio::test]
async fn invariant_6_a_callback_is_good_once() {
    let world = World::open(WIKI).await;
    let (browser, callback) = begun(&world).await;
    let kept =
        browser.cookie_names(callback.as_str()).into_iter().find(|name| name.contains("flow")).unwrap();
    let sealed = browser.cookie(callback.as_str(), &kept).unwrap();
    assert_eq!(browser.get(callback.as_str()).await.status, 303);
    let again = browser.get(callback.as_str()).await;
    assert_eq!(again.next(), Some(world.gateway.url("/x")), "who is signed in goes on to the page");
    assert!(!again.set_cookies().iter().any(|cookie| cookie.starts_with("portcullis=")), "no other session");
    // Even a browser that kept the cookie gets nothing, and the provider is not called for it.
    let thief = Browser::new();
    thief.set_cookie(callback.as_str(), &kept, &sealed);
    begins_anew(&world, &thief.get(callback.as_str()).await, "/x", "has come back before");
    assert_eq!(world.provider.asked("/token").await, 1);
}

#[tokio::test]
async fn what_the_provider_says_against_it_is_told_in_our_own_words() {
    let world = World::open(WIKI).await;
    let (browser, callback) = begun(&world).await;
    let mut no = Url::parse(&with(&callback, "code", None)).unwrap();
    no.query_pairs_mut().append_pair("error", "access_denied").append_pair("error_description", "<b>no</b>");
    let answer = browser.get(no.as_str()).await;
    assert!(!answer.body.contains("<b>no"), "{}", answer.body);
    refused(&world, &answer, "access_denied");
}

#[tokio::test]
async fn the_redirect_uri_is_not_made_from_what_the_request_says() {
    let world = World::open(WIKI).await;
    let headers = [
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
    ];
    for headers in [&headers[..], &headers[3..], &headers[..3]] {
        let url = world.gateway.url("/.portcullis/sign-in?provider=corp");
        let answer = Browser::new().send(http::Method::GET, &url, headers, "").await;
        let Some(next) = answer.next() else { continue };
        let redirect =
            next.contains("/auth?").then(|| parameter(&Url::parse(&next).unwrap(), "redirect_uri"));
        let expected = world.gateway.url("/.portcullis/callback");
        assert!(redirect.is_none_or(|uri| uri == expected), "{next}");
        assert!(
            next.starts_with(&world.provider.issuer()) || next.starts_with(&world.gateway.url("/")),
            "{next}"
        );
    }
}

#[tokio::test]
async fn invariant_13_the_return_address_does_not_lead_off_site() {
    let world = World::open(WIKI).await;
    let named = Browser::new();
    assert_eq!(
        named.visit(&world.gateway.url("/.portcullis/sign-in?provider=corp")).await.url.port(),
        Some(world.gateway.port)
    );
    let own = world.gateway.url("");
    let addresses = [
        "https://evil.example/".to_owned(),
        "http://evil.example/".to_owned(),
        "//evil.example/".to_owned(),
        "/\\evil.example".to_owned(),
        "/\t/evil.example".to_owned(),
        format!("{own}@evil.example/"),
        format!("{own}.evil.example/"),
        format!("{own}\\@evil.example/"),
        "javascript:alert(1)".to_owned(),
        "http:evil.example".to_owned(),
        " https://evil.example".to_owned(),
        format!("http://user@127.0.0.1:{}/", world.gateway.port),
        format!("http://127.0.0.1:{}/", world.provider.port),
    ];
    for address in addresses {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("return_to", &address).finish();
        for browser in [&named, &Browser::new()] {
            let answer = browser.visit(&world.gateway.url(&format!("/.portcullis/sign-in?{query}"))).await;
            let at = (answer.url.host_str(), answer.url.port());
            assert_eq!(at, (Some("127.0.0.1"), Some(world.gateway.port)), "{address}");
            assert!(!answer.body.contains("evil.example"), "{address}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn invariant_13_a_host_that_leads_here_is_not_ours_for_that() {
    let world = World::open(WIKI).await;
    let (public, stranger) =
        (world.gateway.url("/page?a=1"), format!("http://evil.localhost:{}/page?a=1", world.gateway.port));
    let browser = Browser::new();
    let arrived = browser.visit(&stranger).await;
    assert_eq!(arrived.url.as_str(), public, "the route answers, on the host that people sign in at");
    let hop = "ab".repeat(32);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", &stranger)
        .append_pair("hop", &hop)
        .finish();
    let answer = browser.get(&world.gateway.url(&format!("/.portcullis/sign-in?{query}"))).await;
    let next = answer.next().unwrap();
    assert!(next.starts_with(&world.gateway.url("/")), "no ticket leaves our hosts: {next}");
}
