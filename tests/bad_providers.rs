//! A provider that misbehaves: a clear page with a request id for the person, the exact reason in the log,
//! and a way back by itself.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, App, Browser, Discovery, Gateway, Impostor, World, free_port, logged, told, until, until_async,
};

const WIKI: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
identity = { headers = { X-User = "user", X-Groups = "groups" } }

[[routes]]
name = "open"
path = "/open"
upstream = "{app}"
access = "public"
"#;

/// A gateway whose provider has these ways from the start.
async fn gateway(provider: &Impostor) -> (Gateway, App) {
    let app = App::start().await;
    let rest = format!("{}timeout = \"2s\"\n{}", provider.configuration(), WIKI.replace("{app}", &app.url()));
    (Gateway::start(&rest), app)
}

/// The page tells a person nothing of the cause, and the log tells it under the page's id.
fn explained(gateway: &Gateway, answer: &Answer, cause: &str) {
    let id = answer.header("x-request-id");
    assert!(answer.body.contains(id), "the page names the request: {}", answer.body);
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(!answer.body.contains(cause), "the page tells the cause");
    let find = || gateway.log().lines().any(|line| line.contains(id) && line.contains(cause));
    until(&format!("{cause} beside {id} in the log: {}", logged(gateway, id)), find);
}

async fn is_found_out_and_recovers(ways: Discovery, cause: &str) {
    let provider = Impostor::start().await;
    provider.now(|now| now.discovery = ways);
    let (gateway, app) = gateway(&provider).await;
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(!answer.header("retry-after").is_empty());
    explained(&gateway, &answer, cause);
    assert_eq!(Browser::new().get(&gateway.url("/open")).await.status, 200, "public routes go on");
    provider.now(|now| now.discovery = Discovery::Changed(json!({})));
    until_async("the provider to be found", || async {
        Browser::new().visit(&gateway.url("/x")).await.status == 200
    })
    .await;
    assert_eq!(app.served(), 2);
}

#[tokio::test]
async fn another_issuer_in_the_discovery_document() {
    let ways = Discovery::Changed(json!({"issuer": "https://evil.example"}));
    is_found_out_and_recovers(ways, "https://evil.example").await;
}

#[tokio::test]
async fn html_instead_of_json() {
    let page = Bytes::from_static(b"<!doctype html><title>Please log in</title>");
    is_found_out_and_recovers(Discovery::Other("text/html", page), "text/html").await;
}

#[tokio::test]
async fn json_of_another_shape() {
    is_found_out_and_recovers(Discovery::Other("application/json", "[1, 2]".into()), "openid-configuration")
        .await;
}

#[tokio::test]
async fn a_stall() {
    is_found_out_and_recovers(Discovery::Stalled, "no whole answer within 2000 ms").await;
}

#[tokio::test]
async fn invariant_14_a_document_without_end() {
    let document = format!("{{\"x\": \"{}\"}}", "x".repeat(8 << 20));
    is_found_out_and_recovers(
        Discovery::Other("application/json", document.into()),
        "more than 524288 bytes",
    )
    .await;
}

#[tokio::test]
async fn a_document_without_a_token_endpoint() {
    is_found_out_and_recovers(Discovery::Changed(json!({"token_endpoint": null})), "token_endpoint").await;
}

#[tokio::test]
async fn invariant_16_endpoints_elsewhere_are_not_called() {
    let ways = Discovery::Changed(json!({"jwks_uri": "http://169.254.169.254/latest"}));
    is_found_out_and_recovers(ways, "jwks_uri").await;
}

/// Signs in with an ID token that is other than it must be.
async fn with_id_token(changes: Value, cause: &str) {
    let provider = Impostor::start().await;
    provider.now(|now| now.id_token = changes);
    let (gateway, app) = gateway(&provider).await;
    let browser = Browser::new();
    let answer = browser.visit(&gateway.url("/x")).await;
    assert_eq!((answer.status, app.served()), (502, 0), "{cause}: {}", answer.body);
    assert_eq!(browser.cookie(&gateway.url("/"), "portcullis"), None);
    explained(&gateway, &answer, cause);
}

#[tokio::test]
async fn invariant_5_id_tokens_that_do_not_hold_sign_nobody_in() {
    let now = jsonwebtoken::get_current_timestamp();
    for (changes, cause) in [
        (json!({"nonce": "another"}), "nonce"),
        (json!({"nonce": null}), "nonce"),
        (json!({"aud": "another-client"}), "aud: expected our client_id portcullis, got another-client"),
        (json!({"aud": ["portcullis", "https://api.corp.example"], "azp": "another"}), "azp"),
        (json!({"iss": "https://evil.example"}), "got https://evil.example"),
        (json!({"exp": now - 3600, "iat": now - 7200}), "expired"),
        (json!({"iat": now + 7200, "exp": now + 9000}), "iat lies ahead"),
        (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), "at_hash"),
        (json!({"sub": null}), "it has no claim sub"),
        (json!({"exp": null}), "it has no claim exp"),
        (json!({"events": {}}), "carries `events`"),
    ] {
        with_id_token(changes, cause).await;
    }
}

#[tokio::test]
async fn what_a_provider_says_beyond_what_is_needed_ends_no_sign_in() {
    let provider = Impostor::start().await;
    provider.now(|now| {
        now.media_type = "text/plain";
        now.tokens = json!({"token_type": null, "expires_in": 3600.0, "scope": ["openid"]});
        now.id_token = json!({
            "address": [], "locale": {"language": "en"}, "birthdate": 1970, "updated_at": "", "amr": "pwd",
            "aud": ["portcullis", "project-7"], "azp": "portcullis",
        });
        let mut jwk = json!(provider.jwk());
        (jwk["use"], jwk["alg"]) = (Value::Null, Value::Null);
        let mut other = jwk.clone();
        other["x"] = jwk["y"].clone();
        now.keys = Some(vec![other, jwk]);
    });
    let app = App::start().await;
    let trusted = "timeout = \"2s\"\ntrusted_audiences = [\"project-7\"]\n";
    let rest = format!("{}{trusted}{}", provider.configuration(), WIKI.replace("{app}", &app.url()));
    let gateway = Gateway::start(&rest);
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    assert_eq!(
        (answer.status, told(&answer, "x-user")),
        (200, vec!["alice".to_owned()]),
        "{}",
        gateway.log()
    );
}

#[tokio::test]
async fn another_audience_beside_us_and_another_type_of_token_are_named() {
    let provider = Impostor::start().await;
    provider.now(|now| now.id_token = json!({"aud": ["portcullis", "project-7"], "azp": "portcullis"}));
    let (gateway, _app) = gateway(&provider).await;
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    explained(&gateway, &answer, "project-7; if it is trusted, add it to the provider's `trusted_audiences`");
    provider.now(|now| (now.id_token, now.tokens) = (json!({}), json!({"token_type": "DPoP"})));
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    explained(&gateway, &answer, "token_type: expected Bearer, got DPoP");
    let refusal = r#"{"error": "invalid_client", "error_description": "x"}"#.to_owned();
    provider.now(|now| drop(now.instead.insert("/token", (200, "application/json", refusal))));
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    explained(&gateway, &answer, "the token endpoint refused: invalid_client");
}

#[tokio::test]
async fn invariant_5_somebody_elses_userinfo_signs_nobody_in() {
    let provider = Impostor::start().await;
    provider.now(|now| {
        now.id_token = json!({"groups": null});
        now.user_info = json!({"sub": "mallory", "groups": ["ops"]});
    });
    let (gateway, app) = gateway(&provider).await;
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    assert_eq!((answer.status, app.served()), (502, 0));
    explained(&gateway, &answer, "about somebody else");
    provider.now(|now| now.user_info = json!({"sub": "alice", "groups": ["ops"]}));
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    assert_eq!(told(&answer, "x-groups"), ["ops"]);
}

#[tokio::test]
async fn a_person_without_a_name_of_their_own_is_known_by_their_subject() {
    let provider = Impostor::start().await;
    provider.now(|now| {
        now.id_token =
            json!({"preferred_username": null, "email": null, "email_verified": null, "groups": null});
        now.user_info = json!({"sub": "alice"});
    });
    let (gateway, _app) = gateway(&provider).await;
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    assert_eq!(told(&answer, "x-user"), ["alice"]);
    assert_eq!(told(&answer, "x-groups"), [""; 0]);
}

#[tokio::test]
async fn a_provider_that_goes_away_while_somebody_signs_in() {
    let mut world = World::open(WIKI).await;
    let browser = Browser::new();
    let callback = browser.stop_before(&world.gateway.url("/x"), "/.portcullis/callback").await;
    world.provider.pause();
    let answer = browser.get(callback.as_str()).await;
    assert_eq!((answer.status, world.app.served()), (502, 0));
    assert!(answer.body.contains("cannot be reached"), "{}", answer.body);
    explained(&world.gateway, &answer, "no connection");
}

/// Whether a page of the admin listener says `text`.
async fn tells(gateway: &Gateway, page: &str, text: &str) -> bool {
    Browser::new().get(&gateway.admin_url(page)).await.body.contains(text)
}

const UP: &str = "portcullis_provider_up{provider=\"corp\"} 1";
const DOWN: &str = "portcullis_provider_up{provider=\"corp\"} 0";
const NO_TOKENS: &str = "portcullis_provider_failures_total{provider=\"corp\",endpoint=\"token\"} 1";

#[tokio::test]
async fn a_provider_that_stops_is_told_gets_nobody_and_is_back_as_soon_as_it_answers() {
    let mut world = World::open(WIKI).await;
    let gateway = &world.gateway;
    let browser = Browser::new();
    let callback = browser.stop_before(&gateway.url("/x"), "/.portcullis/callback").await;
    assert!(tells(gateway, "/metrics", UP).await);
    world.provider.pause();
    assert_eq!(browser.get(callback.as_str()).await.status, 502);
    until_async("the outage to be told", || async {
        tells(gateway, "/metrics", DOWN).await && tells(gateway, "/readyz", "provider corp").await
    })
    .await;
    assert!(tells(gateway, "/metrics", NO_TOKENS).await);
    until_async("nobody to be sent to a dead address", || async {
        Browser::new().get(&gateway.url("/x")).await.status == 503
    })
    .await;
    world.provider.resume();
    until_async("people to sign in again", || async {
        Browser::new().visit(&gateway.url("/x")).await.status == 200
    })
    .await;
    assert!(tells(gateway, "/metrics", UP).await);
}

#[tokio::test]
async fn what_is_odd_and_not_needed_in_a_discovery_document_ends_no_sign_in_and_is_named() {
    let provider = Impostor::start().await;
    let odd = json!({
        "end_session_endpoint": "", "registration_endpoint": "/register", "claims_supported": "sub",
        "authorization_response_iss_parameter_supported": 0, "require_pushed_authorization_requests": "no",
    });
    provider.now(|now| now.discovery = Discovery::Changed(odd));
    let (gateway, app) = gateway(&provider).await;
    assert_eq!((Browser::new().visit(&gateway.url("/x")).await.status, app.served()), (200, 1));
    for member in [
        "end_session_endpoint",
        "authorization_response_iss_parameter_supported",
        "require_pushed_authorization_requests",
    ] {
        until(&format!("{member} in the log"), || {
            let named = |line: &str| {
                line.contains("WARN") && line.contains(member) && line.contains("counts as absent")
            };
            gateway.log().lines().any(named)
        });
    }
}

#[tokio::test]
async fn what_is_needed_and_wrong_in_a_discovery_document_is_named() {
    for (member, value) in
        [("token_endpoint", json!("")), ("jwks_uri", json!("/jwks")), ("authorization_endpoint", json!(7))]
    {
        let told = format!("{member} of the discovery document is ");
        is_found_out_and_recovers(Discovery::Changed(json!({ member: value })), &told).await;
    }
}

/// A line that names the request and the cause.
fn warned(gateway: &Gateway, answer: &Answer, cause: &str) {
    let id = answer.header("x-request-id");
    let names = |line: &str| line.contains(id) && line.contains(cause);
    until(&format!("a line with {id} and {cause}"), || gateway.log().lines().any(names));
}

#[tokio::test]
async fn a_sign_in_that_fails_for_the_providers_fault_is_told_whatever_the_log_says_of_requests() {
    let (provider, app) = (Impostor::start().await, App::start().await);
    let routes = WIKI.replace("{app}", &app.url());
    let gateway = Gateway::start(&format!("access = false\n{}{routes}", provider.configuration()));
    assert_eq!(Browser::new().visit(&gateway.url("/x")).await.status, 200);
    provider.now(|now| now.id_token = json!({"nonce": "another"}));
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    assert_eq!(answer.status, 502);
    warned(&gateway, &answer, "nonce");
    // Counted once the answer has ended, which its reader may see first.
    let counted = "portcullis_requests_total{route=\"portcullis\",outcome=\"provider-error\"} 1";
    until_async("the count", || tells(&gateway, "/metrics", counted)).await;
    let counted = "portcullis_sign_ins_total{provider=\"corp\",result=\"provider-error\"} 1";
    assert!(tells(&gateway, "/metrics", counted).await);
    assert!(!gateway.log().contains("\"portcullis::access\""), "no line for a request");
    // What a person does alone is no news for the operator.
    let stranger = gateway.url("/.portcullis/callback?code=x&state=y");
    let answer = Browser::new().get(&stranger).await;
    assert_eq!(answer.status, 400);
    assert!(!gateway.log().contains(answer.header("x-request-id")), "{}", gateway.log());
}

#[tokio::test]
async fn whoever_meets_a_provider_that_is_away_is_told_of_under_the_id_of_the_request() {
    let provider = Impostor::start().await;
    provider.now(|now| now.discovery = Discovery::Stalled);
    let (gateway, _app) = gateway(&provider).await;
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    assert_eq!(answer.status, 503);
    warned(&gateway, &answer, "no whole answer within 2000 ms");
    until("the outcome", || {
        let id = answer.header("x-request-id");
        gateway.log().lines().any(|line| line.contains(id) && line.contains("\"outcome\":\"provider-error\""))
    });
}

#[tokio::test]
async fn whoever_brings_a_token_while_the_keys_cannot_be_had_is_told_of_under_the_id_of_the_request() {
    let (provider, app) = (Impostor::start().await, App::start().await);
    provider.now(|now| drop(now.instead.insert("/jwks", (500, "text/plain", "out of order".into()))));
    let routes = WIKI.replace("{app}", &app.url()).replacen(
        "access = \"signed-in\"",
        "access = \"signed-in\"\naccept = \"bearer\"",
        1,
    );
    let gateway = Gateway::start(&format!("access = false\n{}{routes}", provider.configuration()));
    let bearer = format!("Bearer {}", provider.access_token(&json!({})));
    let answer =
        Browser::new().send(Method::GET, &gateway.url("/x"), &[("authorization", &bearer)], "").await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    warned(&gateway, &answer, "no trusted keys of the provider are at hand");
}

#[tokio::test]
async fn a_token_endpoint_that_does_not_know_our_assertion_is_told_with_key_and_audience() {
    let (provider, app) = (Impostor::start().await, App::start().await);
    let refusal = (401, "application/json", json!({"error": "invalid_client"}).to_string());
    provider.now(|now| drop(now.instead.insert("/token", refusal)));
    let key = "private_key = { file = \"client.pem\" }\nclient_assertion_kid = \"key-of-2026\"";
    let configuration = provider.configuration().replace("client_secret = { env = \"CLIENT_SECRET\" }", key);
    let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let rest = format!("{configuration}{}", WIKI.replace("{app}", &app.url()));
    let gateway = Gateway::with_files(free_port(), &rest, &[("client.pem", &pem)]);
    let answer = Browser::new().visit(&gateway.url("/x")).await;
    assert_eq!(answer.status, 500);
    warned(&gateway, &answer, "invalid_client");
    let named = |line: &str| {
        line.contains("\"kid\":\"key-of-2026\"") && line.contains("\"client_assertion_audience\":\"issuer\"")
    };
    assert!(gateway.log().lines().any(named), "{}", gateway.log());
    assert!(tells(&gateway, "/metrics", NO_TOKENS).await);
}
