//! The sample app believes the gateway and nobody else.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::browser::{Answer, Browser};
use super::gateway::Gateway;
use crate::Demo;
use portcullis_rules::clock::{Clock, Timestamp};

const TYP: &str = "assertion+jwt";

struct Place {
    gateway: Gateway,
    clock: Clock,
    app: Browser,
    _demo: Demo,
}

impl Place {
    async fn new() -> Self {
        let (gateway, clock) =
            (Gateway::start().await, Clock::manual(Timestamp::from_seconds(1_800_000_000)));
        let demo = Demo::start(gateway.address, clock.clone()).await.unwrap();
        let app = Browser::new(demo.app_url().as_str().trim_end_matches('/'));
        Self { gateway, clock, app, _demo: demo }
    }

    async fn get(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.app.send(Method::GET, target, headers, Vec::new()).await
    }

    /// What the app says of an assertion.
    async fn judged(&self, assertion: &str) -> Value {
        let headers = [("accept", "application/json"), ("portcullis-assertion", assertion)];
        self.get("/", &headers).await.json()["assertion"].clone()
    }
}

#[tokio::test]
async fn an_assertion_of_the_gateway_is_verified_with_its_keys() {
    let place = Place::new().await;
    let assertion = place.gateway.assertion("k1", TYP, &json!({}));
    let judged = place.judged(&assertion).await;
    assert_eq!((&judged["verified"], &judged["kid"]), (&json!(true), &json!("k1")));
    assert_eq!(judged["claims"]["preferred_username"], "alice");
    place.judged(&assertion).await;
    assert_eq!(place.gateway.asked(), 1, "keys are kept");
    let page = place.get("/", &[("accept", "text/html"), ("portcullis-assertion", &assertion)]).await;
    assert!(
        page.body.contains("Hello, alice") && page.body.contains("Verified by this app"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn an_assertion_for_another_time_place_or_purpose_is_not_believed() {
    let place = Place::new().await;
    let stranger = Gateway::start().await;
    let good = place.gateway.assertion("k1", TYP, &json!({}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other_signature = place.gateway.assertion("k1", TYP, &json!({"sub": "root"}));
    let swapped = format!("{}.{signature}", other_signature.rsplit_once('.').unwrap().0);
    let make = |changes: Value| place.gateway.assertion("k1", TYP, &changes);
    for (assertion, what) in [
        (make(json!({"aud": "other.example"})), "another app"),
        (make(json!({"aud": null})), "no audience"),
        (make(json!({"iss": "http://127.0.0.1:1"})), "another gateway"),
        (make(json!({"iss": null})), "no issuer"),
        (make(json!({"exp": 1_799_999_995})), "expired"),
        (make(json!({"exp": null})), "no end"),
        (make(json!({"nbf": 1_800_000_006})), "not yet"),
        (place.gateway.assertion("k1", "JWT", &json!({})), "another purpose"),
        (place.gateway.assertion("k2", TYP, &json!({})), "an unknown key"),
        (stranger.assertion("k1", TYP, &json!({})), "a stranger's key"),
        (swapped, "another signature"),
        (format!("{signed}."), "no signature"),
        (
            format!(
                "eyJhbGciOiJub25lIiwidHlwIjoiYXNzZXJ0aW9uK2p3dCIsImtpZCI6ImsxIn0.{}.",
                signed.split_once('.').unwrap().1
            ),
            "alg none",
        ),
        ("nonsense".to_owned(), "no JWT"),
    ] {
        let judged = place.judged(&assertion).await;
        assert_eq!(judged["verified"], false, "{what}: {judged}");
    }
    assert_eq!(place.judged(&good).await["verified"], true);
    let twice =
        [("accept", "application/json"), ("portcullis-assertion", &*good), ("portcullis-assertion", &*good)];
    assert_eq!(place.get("/", &twice).await.json()["assertion"]["verified"], false);
}

#[tokio::test]
async fn a_new_key_is_fetched_but_strangers_do_not_make_the_app_ask_all_the_time() {
    let mut place = Place::new().await;
    place.judged(&place.gateway.assertion("k1", TYP, &json!({}))).await;
    place.gateway.rotate("k2");
    let rotated = place.gateway.assertion("k2", TYP, &json!({}));
    for n in 0..20 {
        place.judged(&place.gateway.assertion(&format!("made-up-{n}"), TYP, &json!({}))).await;
    }
    assert_eq!(place.judged(&rotated).await["verified"], false);
    assert_eq!(place.gateway.asked(), 1);
    place.clock.advance(Duration::from_secs(5));
    assert_eq!(place.judged(&rotated).await["verified"], true);
    assert_eq!(place.gateway.asked(), 2);
}

#[tokio::test]
async fn headers_alone_make_nobody_known() {
    let place = Place::new().await;
    let headers =
        [("accept", "text/html"), ("x-auth-request-user", "root"), ("x-auth-request-groups", "ops")];
    let page = place.get("/", &headers).await;
    assert!(
        page.body.contains("Hello, stranger") && page.body.contains("does not believe it"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("TOKEN="), "secrets of the demo are for people who are known");
    let told = place.get("/api", &headers[1..]).await.json();
    assert_eq!((&told["user"], &told["identity"]["groups"]), (&Value::Null, &json!(["ops"])));
}

#[tokio::test]
async fn everything_that_came_is_shown_and_nothing_of_it_runs() {
    let place = Place::new().await;
    let headers = [
        ("accept", "text/html"),
        ("x-auth-request-user", "Zo%C3%AB%3Cb%3E"),
        ("x-odd", "\"'><script>alert(1)</script>"),
        ("authorization", "Bearer secret-token"),
        ("cookie", "theme=dark; other=secret-value"),
        ("x-request-id", "<i>id</i>"),
    ];
    let page = place.get("/where\"ever?q=%3Cscript%3E", &headers).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Zoë&#60;b&#62;") && page.body.contains("x-odd"), "{}", page.body);
    for raw in ["<script", "where\"ever", "<i>id", "secret-token", "secret-value"] {
        assert!(!page.body.contains(raw), "{raw}: {}", page.body);
    }
    assert!(page.body.contains("theme=…"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
}

#[tokio::test]
async fn everybody_is_answered_in_their_own_way() {
    let place = Place::new().await;
    assert!(place.get("/", &[("accept", "*/*")]).await.body.starts_with("Hello, stranger."));
    assert_eq!(place.get("/x?y", &[("accept", "application/json")]).await.json()["target"], "/x?y");
    assert_eq!(place.get("/api", &[("x-request-id", "r1")]).await.json()["request_id"], "r1");
    let posted = place.app.send(Method::POST, "/api/orders", &[], b"{}".to_vec()).await.json();
    assert_eq!((&posted["method"], &posted["target"]), (&json!("POST"), &json!("/api/orders")));
}

#[tokio::test]
async fn only_people_who_are_known_leave_notes_and_only_with_the_apps_own_form() {
    let place = Place::new().await;
    let assertion = place.gateway.assertion("k1", TYP, &json!({}));
    let known = ("portcullis-assertion", assertion.as_str());
    let origin = format!("http://{}", place.gateway.address);
    let leave = async |headers: &[(&str, &str)]| {
        place.app.send(Method::POST, "/notes", headers, b"note=%3Cb%3Etea".to_vec()).await.status
    };
    assert_eq!(leave(&[("sec-fetch-site", "same-origin")]).await, StatusCode::FORBIDDEN);
    assert_eq!(leave(&[known]).await, StatusCode::FORBIDDEN);
    assert_eq!(
        leave(&[known, ("sec-fetch-site", "cross-site"), ("origin", &origin)]).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(leave(&[known, ("origin", "https://evil.example")]).await, StatusCode::FORBIDDEN);
    let page = async || place.get("/", &[("accept", "text/html"), known]).await.body;
    assert!(!page().await.contains("tea"));
    assert_eq!(leave(&[known, ("origin", &origin)]).await, StatusCode::SEE_OTHER);
    assert!(page().await.contains("&#60;b&#62;tea"));
}
