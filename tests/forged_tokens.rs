//! No token gets in that the provider did not make, for us, as an access token, for now (invariant 5).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{Answer, App, Browser, Gateway, Impostor, until_async};

const API: &str = r#"
[[routes]]
name = "api"
upstream = "{app}"
accept = "bearer"
access = "signed-in"
"#;

struct Api {
    gateway: Gateway,
    issuer: Impostor,
    app: App,
}

impl Api {
    async fn start() -> Self {
        let (app, issuer) = (App::start().await, Impostor::start().await);
        let rest = format!("{}{}", issuer.configuration(), API.replace("{app}", &app.url()));
        let api = Self { gateway: Gateway::start(&rest), issuer, app };
        let good = api.issuer.access_token(&json!({}));
        until_async("a good token to be accepted", || async { api.ask(&good).await.status == 200 }).await;
        api
    }

    async fn ask(&self, token: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        Browser::new().send(Method::GET, &self.gateway.url("/"), &headers, "").await
    }

    /// Refused with a challenge, and not for lack of keys.
    async fn refuses(&self, what: &str, token: &str) {
        let before = self.app.served();
        let answer = self.ask(token).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.body);
        let challenge = answer.header("www-authenticate");
        assert!(
            challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""),
            "{what}: {challenge}"
        );
        assert!(challenge.contains("error_description=\""), "{what}: {challenge}");
        assert_eq!(self.app.served(), before, "{what}");
    }
}

fn head(algorithm: Algorithm) -> Header {
    let mut head = Header::new(algorithm);
    head.typ = Some("at+jwt".into());
    head.kid = Some("k1".into());
    head
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn invariant_5_claims_that_do_not_match_are_refused() {
    let api = Api::start().await;
    let now = jsonwebtoken::get_current_timestamp();
    let cases = [
        ("another audience", json!({"aud": "https://other.example"})),
        ("no audience", json!({"aud": null})),
        ("an audience that contains ours", json!({"aud": "https://api.corp.example.evil.example"})),
        ("expired", json!({"exp": now - 3600, "iat": now - 7200})),
        ("without an end", json!({"exp": null})),
        ("not valid yet", json!({"nbf": now + 3600})),
        ("issued in the future", json!({"iat": now + 3600})),
        ("another issuer", json!({"iss": "https://evil.example"})),
        ("the issuer with a slash", json!({"iss": format!("{}/", api.issuer.issuer())})),
        ("nobody", json!({"sub": null, "client_id": null})),
        ("an end that is text", json!({"exp": "9999999999"})),
        ("a logout token", json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}})),
        ("bound to a key", json!({"cnf": {"jkt": "x"}})),
    ];
    for (what, changes) in cases {
        api.refuses(what, &api.issuer.access_token(&changes)).await;
    }
    assert_eq!(api.ask(&api.issuer.access_token(&json!({"jti": "j2"}))).await.status, 200);
}

#[tokio::test]
async fn invariant_5_the_key_decides_how_a_token_is_checked() {
    let api = Api::start().await;
    let claims = api.issuer.access_claims(&json!({}));
    let good = api.issuer.access_token(&json!({}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let body = signed.split_once('.').unwrap().1;
    let none = format!("{}.{body}.", part(&json!({"alg": "none", "typ": "at+jwt", "kid": "k1"})));
    api.refuses("alg none", &none).await;
    api.refuses("alg none with a signature", &format!("{none}{signature}")).await;
    api.refuses("no signature", &format!("{signed}.")).await;
    api.refuses("alg NoNe", &format!("{}.{body}.", part(&json!({"alg": "NoNe", "kid": "k1"})))).await;
    let jwk = serde_json::to_string(api.issuer.jwk()).unwrap();
    for secret in [jwk.as_bytes(), b"", b"secret"] {
        let forged = encode(&head(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret)).unwrap();
        api.refuses("HS256 with what is public", &forged).await;
    }
    let zeros = BASE64_URL_SAFE_NO_PAD.encode([0; 64]);
    api.refuses("a signature of zeros", &format!("{signed}.{zeros}")).await;
    let other = Impostor::start().await;
    api.refuses("another key under the same kid", &other.sign(&head(Algorithm::ES256), &claims)).await;
    let mut embedded = head(Algorithm::ES256);
    embedded.jwk = Some(other.jwk().clone());
    embedded.jku = Some(format!("{}/jwks", other.issuer()));
    api.refuses("a key that the token brings itself", &other.sign(&embedded, &claims)).await;
    embedded.kid = Some("k2".into());
    api.refuses("a key that nobody knows", &other.sign(&embedded, &claims)).await;
    let raised = part(&api.issuer.access_claims(&json!({"sub": "root"})));
    let head = signed.split_once('.').unwrap().0;
    api.refuses("changed claims under a good signature", &format!("{head}.{raised}.{signature}")).await;
}

#[tokio::test]
async fn invariant_5_a_token_made_for_another_purpose_is_refused() {
    let api = Api::start().await;
    let claims = api.issuer.access_claims(&json!({}));
    for typ in ["logout+jwt", "secevent+jwt", "dpop+jwt", "id_token+jwt"] {
        let mut head = head(Algorithm::ES256);
        head.typ = Some(typ.into());
        api.refuses(typ, &api.issuer.sign(&head, &claims)).await;
    }
    let mut plain = head(Algorithm::ES256);
    plain.typ = Some("JWT".into());
    assert_eq!(api.ask(&api.issuer.sign(&plain, &claims)).await.status, 200, "a plain access token");
    for of_id_tokens in ["nonce", "at_hash", "c_hash"] {
        let id_token = api.issuer.access_claims(&json!({of_id_tokens: "x"}));
        api.refuses(of_id_tokens, &api.issuer.sign(&plain, &id_token)).await;
    }
    let critical = part(&json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt", "crit": ["exp"]}));
    api.refuses("crit", &format!("{critical}.{}.AAAA", part(&claims))).await;
}

/// A token for the API that is signed by another key under `kid`.
fn signed_by(other: &Impostor, api: &Api, kid: &str) -> String {
    let head = Header { kid: Some(kid.into()), ..head(Algorithm::ES256) };
    other.sign(&head, &api.issuer.access_claims(&json!({})))
}

/// The public key of `other` called `kid`.
fn called(other: &Impostor, kid: &str) -> Value {
    let mut jwk = json!(other.jwk());
    jwk["kid"] = kid.into();
    jwk
}

#[tokio::test]
async fn a_key_replaced_under_its_name_is_found_without_a_restart_and_by_a_reload_at_once() {
    let (api, second, third) = (Api::start().await, Impostor::start().await, Impostor::start().await);
    api.issuer.now(|now| now.keys = Some(vec![called(&second, "k1")]));
    let token = signed_by(&second, &api, "k1");
    until_async("the replaced key to be found", || async { api.ask(&token).await.status == 200 }).await;
    api.issuer.now(|now| now.keys = Some(vec![called(&third, "k1")]));
    let asked = api.issuer.asked("/jwks");
    api.gateway.signal("HUP");
    until_async("the reload to fetch the keys", || async { api.issuer.asked("/jwks") > asked }).await;
    until_async("their keys to count", || async {
        api.ask(&signed_by(&third, &api, "k1")).await.status == 200
    })
    .await;
    assert_eq!(api.issuer.asked("/jwks"), asked + 1, "no token had to ask");
    api.refuses("the key before", &token).await;
}

#[tokio::test]
async fn invariant_26_tokens_with_made_up_kids_do_not_make_others_wait_for_a_provider_that_hangs() {
    let (api, second) = (Api::start().await, Impostor::start().await);
    let asked = api.issuer.asked("/jwks");
    api.issuer.now(|now| now.silent = &["/jwks"]);
    let forged = |number: usize| signed_by(&second, &api, &format!("made up {number}"));
    let tokens: Vec<_> = (0..30).map(forged).collect();
    let leaving = futures_util::future::join_all(tokens.iter().map(|token| api.ask(token)));
    let seen = until_async("the provider to be asked", || async { api.issuer.asked("/jwks") > asked });
    tokio::select! {
        _ = leaving => unreachable!("the provider does not answer"),
        () = seen => {}
    }
    let staying: Vec<_> = (30..35).map(forged).collect();
    for answer in futures_util::future::join_all(staying.iter().map(|token| api.ask(token))).await {
        assert_eq!(answer.status, 503, "{}", answer.body);
    }
    assert_eq!(api.issuer.asked("/jwks"), asked + 1, "all ended with the one call");
    api.issuer.now(|now| (now.silent, now.keys) = (&[], Some(vec![called(&second, "k2")])));
    let good = signed_by(&second, &api, "k2");
    until_async("the new key to be found", || async { api.ask(&good).await.status == 200 }).await;
    assert_eq!(api.issuer.asked("/jwks"), asked + 2);
}

#[tokio::test]
async fn the_log_says_why_a_token_is_refused_with_both_values() {
    let api = Api::start().await;
    let plain = |claims: &Value| {
        let mut head = head(Algorithm::ES256);
        head.typ = Some("JWT".into());
        api.issuer.sign(&head, claims)
    };
    // Shaped after Keycloak's: `typ` in the payload, a nonce, and lightweight ones without `aud`.
    let keycloaks = api.issuer.access_claims(&json!({"typ": "Bearer", "nonce": "n"}));
    assert_eq!(api.ask(&plain(&keycloaks)).await.status, 200);
    let lightweight = api.issuer.access_claims(&json!({"typ": "Bearer", "aud": null}));
    for (token, why) in [
        (plain(&lightweight), "the token has no claim `aud`; expected https://api.corp.example"),
        (
            api.issuer.access_token(&json!({"aud": "urn:other"})),
            "expected https://api.corp.example, got urn:other",
        ),
        (api.issuer.access_token(&json!({"iss": "https://evil.example"})), "got https://evil.example"),
        (
            api.issuer.access_token(&json!({"exp": 1_800_000_000 - 1_000_000_000})),
            "exp is 1995-05-09T06:13:20Z, it is 20",
        ),
    ] {
        let answer = api.ask(&token).await;
        assert_eq!(answer.status, 401);
        assert!(!answer.body.contains("expected"), "{}", answer.body);
        let id = answer.header("x-request-id");
        let told = || api.gateway.log().lines().any(|line| line.contains(id) && line.contains(why));
        crate::support::until(&format!("{why} in the log"), told);
    }
}
