//! Tokens that a provider is to take back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{DecodingKey, Validation, decode};
use serde_json::{Value, json};

use super::fake::{Answer, Call};
use super::signer::Signer;
use super::world::{World, client};
use crate::oidc::*;
use crate::secret::Secret;
use crate::session::Tokens;

fn tokens() -> Tokens {
    Tokens {
        access: Some(Secret::new("access-1")),
        refresh: Some(Secret::new("refresh+1")),
        id: Some(Secret::new("id")),
        ..Tokens::default()
    }
}

/// A provider that takes tokens back, after `change` to its settings.
async fn world(change: impl FnOnce(&mut ProviderSettings)) -> World {
    let world = World::undiscovered(change).await;
    let mut document = world.fake.document();
    document["revocation_endpoint"] = format!("{}/revoke", world.fake.issuer).into();
    world.fake.discovery(&document);
    world.fake.answer("/revoke", Answer::Reply(200, "text/plain", String::new()));
    world.provider.retry_now().await.unwrap();
    world
}

async fn call(authentication: ClientAuthentication, tokens: &Tokens) -> (World, Call) {
    let world = world(|settings| client(settings).authentication = authentication).await;
    world.provider.take_back(tokens).await.unwrap();
    let call = world.fake.calls("/revoke").remove(0);
    (world, call)
}

#[tokio::test]
async fn the_refresh_token_is_taken_back_and_where_there_is_none_the_access_token() {
    let (_, whole) = call(ClientAuthentication::None, &tokens()).await;
    let told = |call: &Call| (call.form["token"].clone(), call.form["token_type_hint"].clone());
    assert_eq!(told(&whole), ("refresh+1".into(), "refresh_token".into()));
    assert_eq!(whole.form["client_id"], "portcullis");
    assert_eq!(whole.form.len(), 3, "no other token is told: {:?}", whole.form.keys());
    let (_, access) = call(ClientAuthentication::None, &Tokens { refresh: None, ..tokens() }).await;
    assert_eq!(told(&access), ("access-1".into(), "access_token".into()));
}

#[tokio::test]
async fn we_are_known_there_as_at_the_token_endpoint() {
    let (_, basic) = call(ClientAuthentication::SecretBasic(Secret::new("s3cr:et+ %")), &tokens()).await;
    let expected = format!("Basic {}", STANDARD.encode("portcullis:s3cr%3Aet%2B+%25"));
    assert_eq!(basic.authorization, Some(expected));
    assert!(!basic.form.contains_key("client_secret"));
    let (_, post) = call(ClientAuthentication::SecretPost(Secret::new("a+b")), &tokens()).await;
    assert_eq!((post.form["client_id"].as_str(), post.form["client_secret"].as_str()), ("portcullis", "a+b"));
    assert_eq!(post.authorization, None);
    let key = Signer::es256("a");
    let (world, signed) =
        call(ClientAuthentication::PrivateKey(Secret::new(key.pem.clone())), &tokens()).await;
    let mut validation = Validation::new(key.algorithm);
    validation.validate_exp = false;
    validation.set_audience(&[&world.fake.issuer]);
    let public = DecodingKey::from_jwk(&serde_json::from_value(key.jwk.clone()).unwrap()).unwrap();
    let claims = decode::<Value>(&signed.form["client_assertion"], &public, &validation).unwrap().claims;
    assert_eq!(claims["sub"], "portcullis");
}

#[tokio::test]
async fn invariant_24_a_refusal_tells_its_word_and_nothing_else_of_the_body() {
    let world = world(|_| {}).await;
    for (status, body, said) in [
        (
            400,
            json!({"error": "unsupported_token_type", "error_description": "refresh+1"}),
            "unsupported_token_type",
        ),
        (401, json!({"error": "invalid_client"}), "invalid_client"),
        (503, json!({"secret": "refresh+1"}), "503"),
        (400, json!({"secret": "refresh+1"}), "400"),
        (404, json!([]), "404"),
    ] {
        world.fake.json("/revoke", status, &body);
        let error = world.provider.take_back(&tokens()).await.unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("refresh+1"), "{body}: {error}");
    }
    world.fake.answer("/revoke", Answer::Redirect(format!("{}/token", world.fake.issuer)));
    assert!(world.provider.take_back(&tokens()).await.is_err());
    assert!(world.fake.calls("/token").is_empty(), "tokens go nowhere else");
}

#[tokio::test]
async fn a_provider_that_offers_it_not_is_not_asked() {
    let offered = world(|_| {}).await;
    assert!(offered.provider.takes_back(&tokens()) && !offered.provider.takes_back(&Tokens::default()));
    assert!(offered.provider.takes_back(&Tokens { refresh: None, ..tokens() }));
    let silent = World::new().await;
    assert!(!silent.provider.takes_back(&tokens()));
    assert!(silent.provider.take_back(&tokens()).await.is_err());
}
