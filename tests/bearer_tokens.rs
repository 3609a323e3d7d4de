//! Access tokens of the certified provider are accepted where a route takes them, and no other credential.

use http::Method;

use crate::support::{Answer, App, Browser, Gateway, Provider, World, free_port, told, until_async};

const API: &str = r#"
[[routes]]
name = "api"
path = "/api"
upstream = "{app}"
accept = "bearer"
allow = [{ scopes = ["orders:read"], methods = ["GET"] }, { scopes = ["orders:write"] }]
identity = { headers = { X-Sub = "subject" } }

[[routes]]
name = "both"
upstream = "{app}"
access = "signed-in"
accept = ["session", "bearer"]
"#;

async fn ask(url: &str, authorization: &str) -> Answer {
    let headers = [("authorization", authorization), ("accept", "*/*")];
    Browser::new().send(Method::GET, url, &headers, "").await
}

#[tokio::test]
async fn every_algorithm_of_the_provider_is_accepted_and_a_rotation_while_running_is_noticed_at_once() {
    let world = World::open(API).await;
    let url = world.gateway.url("/api/orders");
    let first = world.provider.access_token("orders:read").await;
    let answer = ask(&url, &format!("Bearer {first}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(told(&answer, "x-sub"), ["portcullis"]);
    assert_eq!(told(&answer, "authorization"), [""; 0], "the token stays here");
    world.provider.control("rotate?alg=ES256").await;
    let second = world.provider.access_token("orders:read").await;
    assert_eq!(ask(&url, &format!("bearer {second}")).await.status, 200, "at once");
    let old = ask(&url, &format!("Bearer {first}")).await;
    assert_eq!(old.status, 401, "its key is gone, though it was accepted before");
    assert!(old.header("www-authenticate").contains("error=\"invalid_token\""));
}

#[tokio::test]
async fn tokens_of_every_kind_of_key_are_accepted() {
    let app = App::start().await;
    for algorithm in ["RS256", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"] {
        let port = free_port();
        let mut provider =
            Provider::stopped(&format!("http://127.0.0.1:{port}")).with("ALGORITHM", algorithm);
        provider.resume();
        let rest = format!("{}{}", provider.configuration(), API.replace("{app}", &app.url()));
        let gateway = Gateway::on(port, "", &rest);
        let token = provider.access_token("orders:read").await;
        let answer = ask(&gateway.url("/api"), &format!("Bearer {token}")).await;
        assert_eq!(answer.status, 200, "{algorithm}: {} {}", answer.body, gateway.log());
    }
}

#[tokio::test]
async fn a_token_whose_scopes_do_not_suffice_is_told_which_would() {
    let world = World::open(API).await;
    let token = world.provider.access_token("email").await;
    let answer = ask(&world.gateway.url("/api"), &format!("Bearer {token}")).await;
    assert_eq!(answer.status, 403);
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.starts_with("Bearer ") && challenge.contains("error=\"insufficient_scope\""),
        "{challenge}"
    );
    assert!(challenge.contains("scope=\"orders:"), "{challenge}");
    let read = world.provider.access_token("orders:read").await;
    let head = [("authorization", format!("Bearer {read}"))].map(|(name, value)| (name, value));
    let head: Vec<_> = head.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let write = Browser::new().send(Method::POST, &world.gateway.url("/api"), &head, "{}").await;
    assert_eq!(write.status, 403);
    assert!(write.header("www-authenticate").contains("scope=\"orders:write\""), "{:?}", write.headers);
    assert_eq!(world.app.served(), 0);
}

#[tokio::test]
async fn no_token_is_challenged_without_an_error_and_never_redirected() {
    let world = World::open(API).await;
    let page = Browser::new().get(&world.gateway.url("/api")).await;
    assert_eq!(page.status, 401, "this route sends nobody to sign in");
    assert_eq!(page.header("www-authenticate"), "Bearer realm=\"portcullis\"");
}

#[tokio::test]
async fn other_schemes_and_tokens_in_the_query_are_no_credentials() {
    let world = World::open(API).await;
    let token = world.provider.access_token("orders:read").await;
    for scheme in
        ["Basic cG9ydGN1bGxpczp4", "Negotiate abc", &format!("DPoP {token}"), &format!("Token {token}")]
    {
        let answer = ask(&world.gateway.url("/api"), scheme).await;
        assert_eq!(answer.status, 401, "{scheme}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{scheme}");
    }
    let query = world.gateway.url(&format!("/api?access_token={token}"));
    assert_eq!(Browser::new().send(Method::GET, &query, &[], "").await.status, 401);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("access_token={token}");
    assert_eq!(Browser::new().send(Method::POST, &world.gateway.url("/api"), &form, &body).await.status, 401);
    assert_eq!(world.app.served(), 0);
}

#[tokio::test]
async fn invariant_3_a_bad_token_is_not_made_good_by_a_good_cookie() {
    let world = World::open(API).await;
    let browser = world.signed_in().await;
    let url = world.gateway.url("/");
    let token = world.provider.access_token("email").await;
    let cut = format!("Bearer {}", token.rsplit_once('.').unwrap().0);
    for bad in ["Bearer x y", "Bearer", "bearer  two", &cut, &format!("{cut}.c2ln")] {
        let headers = [("authorization", bad), ("accept", "*/*")];
        let answer = browser.send(Method::GET, &url, &headers, "").await;
        assert!(matches!(answer.status, 400 | 401), "{bad}: {}", answer.status);
        assert!(answer.header("www-authenticate").contains("error="), "{bad}");
    }
    assert_eq!(world.app.served(), 1, "the sign-in's own request alone");
    assert_eq!(browser.get(&url).await.status, 200);
}

#[tokio::test]
async fn a_session_is_no_access_token_for_a_bearer_route() {
    let world = World::open(API).await;
    let browser = world.signed_in().await;
    assert_eq!(browser.get(&world.gateway.url("/api")).await.status, 401);
}

#[tokio::test]
async fn tokens_are_checked_on_while_the_provider_is_away_and_wait_for_its_first_keys() {
    let app = App::start().await;
    let port = free_port();
    let mut provider = Provider::stopped(&format!("http://127.0.0.1:{port}"));
    let rest = format!("{}{}", provider.configuration(), API.replace("{app}", &app.url()));
    let gateway = Gateway::on(port, "", &rest);
    provider.resume();
    let token = format!("Bearer {}", provider.access_token("orders:read").await);
    provider.pause();
    let url = gateway.url("/api");
    // Whether the gateway found the keys in that moment is a race; without them it must not say the token is bad.
    let early = ask(&url, &token).await;
    assert!(matches!(early.status, 200 | 503), "{}", early.status);
    assert!(early.status == 200 || !early.header("retry-after").is_empty());
    provider.resume();
    let fresh = format!("Bearer {}", provider.access_token("orders:read").await);
    until_async("the provider's keys", || async { ask(&url, &fresh).await.status == 200 }).await;
    provider.pause();
    assert_eq!(ask(&url, &fresh).await.status, 200, "known keys go on");
}
