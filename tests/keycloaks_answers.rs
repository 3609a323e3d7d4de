//! What Keycloak 26 answers, in the shape in which it answers, where the gateway had been at a loss. The whole of it is
//! tried by `bash tests/apps/run keycloak`.

use http::Method;
use serde_json::{Value, json};
use url::Url;

use crate::support::{App, Browser, Discovery, Gateway, Impostor, free_port, onward, until, until_async};

const ROUTE: &str = "\n[[routes]]\nname = \"wiki\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n";

/// A realm: its discovery document, its token response and its keys.
async fn realm() -> Impostor {
    let realm = Impostor::start().await;
    let at = |path: &str| format!("{}{path}", realm.issuer());
    let methods = [
        "private_key_jwt",
        "client_secret_basic",
        "client_secret_post",
        "tls_client_auth",
        "client_secret_jwt",
    ];
    let metadata = json!({
        "end_session_endpoint": at("/logout"), "introspection_endpoint": at("/introspect"),
        "check_session_iframe": at("/login-status-iframe.html"), "registration_endpoint": at("/register"),
        "frontchannel_logout_supported": true, "backchannel_logout_supported": true,
        "acr_values_supported": ["0", "1"], "prompt_values_supported": ["none", "login", "consent"],
        "response_types_supported": ["code", "none", "id_token", "token", "code id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post", "query.jwt", "jwt"],
        "subject_types_supported": ["public", "pairwise"], "token_endpoint_auth_methods_supported": methods,
        "id_token_signing_alg_values_supported": ["PS384", "EdDSA", "HS256", "ES256", "RS256"],
        "code_challenge_methods_supported": ["plain", "S256"], "claims_parameter_supported": true,
        "require_pushed_authorization_requests": false, "tls_client_certificate_bound_access_tokens": true,
        "mtls_endpoint_aliases": { "token_endpoint": at("/token") },
    });
    let claims = json!({
        "auth_time": jsonwebtoken::get_current_timestamp(), "jti": "0c41fa3c-a66a-f3b7-8dc8-26aa7a67d4fd",
        "sub": "1ed6c78b-2a7c-490d-a8d9-d58f75f9f352", "typ": "ID", "azp": "portcullis",
        "sid": "PR1bZJvctB4jRYT_tyg-JF_D", "acr": "1", "name": "Alice Example", "given_name": "Alice",
    });
    let tokens =
        json!({ "refresh_expires_in": 1800, "not-before-policy": 0, "scope": "openid email profile" });
    let keys = [json!(realm.jwk()), encrypting(), ed448("ed448-generated")];
    realm.now(|ways| {
        ways.discovery = Discovery::Changed(metadata);
        ways.id_token = claims;
        ways.tokens = tokens;
        ways.keys = Some(keys.to_vec());
    });
    realm
}

/// The key to which Keycloak has others encrypt.
fn encrypting() -> Value {
    json!({ "kid": "rsa-enc-generated", "kty": "RSA", "alg": "RSA-OAEP", "use": "enc", "n": "AQAB", "e": "AQAB" })
}

/// A key of a realm that signs with Ed448: the `alg` is that of Ed25519 as well.
fn ed448(kid: &str) -> Value {
    json!({ "kid": kid, "kty": "OKP", "alg": "EdDSA", "use": "sig", "crv": "Ed448", "x": "B".repeat(76) })
}

async fn gateway(realm: &Impostor) -> Gateway {
    let route = ROUTE.replace("{app}", &App::start().await.url());
    Gateway::on(free_port(), "", &format!("{}{route}", realm.configuration()))
}

/// A program comes with a token that names the key `kid`, and is refused.
async fn bearer(gateway: &Gateway, realm: &Impostor, kid: &str) {
    let mut head = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256);
    head.kid = Some(kid.to_owned());
    let token = realm.sign(&head, &realm.access_claims(&json!({ "typ": "Bearer", "azp": "program" })));
    let fields = [("authorization", &*format!("Bearer {token}"))];
    let answer = Browser::new().send(Method::GET, &gateway.url("/"), &fields, "").await;
    assert_eq!(answer.status, 401, "{}", answer.body);
}

/// Signs out as a person does; where the browser is sent.
async fn sign_out(gateway: &Gateway, browser: &Browser) -> Url {
    onward(&browser.submit(&gateway.url("/.portcullis/sign-out"), "").await)
}

fn hint(url: &Url) -> Option<String> {
    url.query_pairs().find(|(name, _)| name == "id_token_hint").map(|(_, hint)| hint.into_owned())
}

/// With such a hint Keycloak writes "Invalid parameter: id_token_hint", ends nothing and leads nowhere; without one it
/// asks "Do you want to log out?", does it, and leads back.
#[tokio::test]
async fn whoever_signs_out_brings_no_token_whose_key_the_realm_has_no_more() {
    let realm = realm().await;
    let gateway = gateway(&realm).await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    let there = sign_out(&gateway, &browser).await;
    assert!(there.path() == "/logout" && hint(&there).is_some(), "{there}");

    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    let mut next = json!(Impostor::start().await.jwk());
    next["kid"] = "next".into();
    realm.now(|ways| ways.keys = Some(vec![next]));
    let before = realm.asked("/jwks");
    until_async("the gateway to look for the key of a token", || async {
        bearer(&gateway, &realm, "unknown").await;
        realm.asked("/jwks") > before
    })
    .await;
    let there = sign_out(&gateway, &browser).await;
    assert!(there.path() == "/logout" && hint(&there).is_none(), "{there}");
    assert!(there.query().unwrap().contains("client_id=portcullis&post_logout_redirect_uri="), "{there}");
}

#[tokio::test]
async fn a_token_by_a_key_that_is_not_used_is_told_as_such() {
    let realm = realm().await;
    let gateway = gateway(&realm).await;
    bearer(&gateway, &realm, "ed448-generated").await;
    let told =
        |line: &str| line.contains("ed448-generated (not used: its type or curve is none that is supported");
    until("the reason", || gateway.log().lines().any(told));
}
