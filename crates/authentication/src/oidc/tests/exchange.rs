use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Value, json};

use super::fake::{Answer, Call};
use super::signer::Signer;
use super::world::{NOW, World, client};
use crate::oidc::*;
use crate::secret::Secret;

async fn token_call(authentication: ClientAuthentication) -> (World, Call) {
    let world = World::with(|settings| client(settings).authentication = authentication).await;
    world.sign_in(|_| {}).await.unwrap();
    let call = world.fake.calls("/token").remove(0);
    (world, call)
}

#[tokio::test]
async fn basic_authentication_form_encodes_both_halves() {
    let (_, call) = token_call(ClientAuthentication::SecretBasic(Secret::new("s3cr:et+ %"))).await;
    let expected = format!("Basic {}", STANDARD.encode("portcullis:s3cr%3Aet%2B+%25"));
    assert_eq!(call.authorization, Some(expected));
    assert!(!call.form.contains_key("client_secret"));
}

#[tokio::test]
async fn post_and_public_clients_say_so_in_the_form() {
    let (_, call) = token_call(ClientAuthentication::SecretPost(Secret::new("a+b"))).await;
    assert_eq!((call.form["client_id"].as_str(), call.form["client_secret"].as_str()), ("portcullis", "a+b"));
    let (_, call) = token_call(ClientAuthentication::None).await;
    assert_eq!(call.form["client_id"], "portcullis");
    assert!(call.authorization.is_none() && !call.form.contains_key("client_secret"));
}

#[tokio::test]
async fn private_keys_of_every_kind_sign_assertions() {
    for key in [Signer::es256("a"), Signer::eddsa("a"), Signer::rsa("a", Algorithm::RS256)] {
        let (world, call) = token_call(ClientAuthentication::PrivateKey(Secret::new(key.pem.clone()))).await;
        assert_eq!(
            call.form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let mut validation = Validation::new(key.algorithm);
        validation.validate_exp = false;
        validation.set_audience(&[&world.fake.issuer]);
        let public = DecodingKey::from_jwk(&serde_json::from_value(key.jwk.clone()).unwrap()).unwrap();
        let claims = decode::<Value>(&call.form["client_assertion"], &public, &validation).unwrap().claims;
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("portcullis"), &json!("portcullis")));
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(NOW), &json!(NOW + 60)));
        assert_eq!(claims["jti"].as_str().map(str::len), Some(43));
    }
    for bad in ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        let mut settings = super::world::settings("x", "https://id.example");
        client(&mut settings).authentication = ClientAuthentication::PrivateKey(Secret::new(bad));
        let made = Provider::new(settings, None, crate::clock::Clock::system());
        assert!(matches!(made, Err(SetupError::PrivateKey(_))));
    }
}

/// The head of the assertion of a sign-in with such settings, and its audience.
async fn assertion(key: &Signer, said: AssertionSettings) -> (Value, Value, String) {
    let world = World::with(|settings| {
        let client = client(settings);
        client.authentication = ClientAuthentication::PrivateKey(Secret::new(key.pem.clone()));
        client.assertion = said;
    });
    let world = world.await;
    world.sign_in(|_| {}).await.unwrap();
    let call = world.fake.calls("/token").remove(0);
    let part = |at| {
        let part = call.form["client_assertion"].split('.').nth(at).unwrap().to_owned();
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    (part(0), part(1)["aud"].clone(), world.fake.issuer.clone())
}

/// SHA-256 in base64url.
fn digest(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}

/// RFC 7638, section 3: the required members alone, in the order of their names, without blanks.
fn thumbprint(jwk: &Value) -> String {
    let names: &[&str] = match jwk["kty"].as_str().unwrap() {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        _ => &["crv", "kty", "x"],
    };
    let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":{}", jwk[*name])).collect();
    digest(format!("{{{}}}", members.join(",")).as_bytes())
}

#[tokio::test]
async fn assertions_name_their_key_by_thumbprint_or_as_configured() {
    for key in [Signer::es256("a"), Signer::eddsa("a"), Signer::rsa("a", Algorithm::RS256)] {
        let (head, audience, issuer) = assertion(&key, AssertionSettings::default()).await;
        assert_eq!((&head["kid"], audience), (&json!(thumbprint(&key.jwk)), json!(issuer)));
        assert_eq!(head.get("x5t#S256"), None);
    }
    let key = Signer::es256("a");
    let pair = rcgen::KeyPair::from_pem(&key.pem).unwrap();
    let made = rcgen::CertificateParams::new(["portcullis".to_owned()]).unwrap().self_signed(&pair).unwrap();
    let said = AssertionSettings {
        kid: Some("2026".into()),
        certificate: Some(made.pem().into_bytes()),
        audience: AssertionAudience::TokenEndpoint,
    };
    let (head, audience, issuer) = assertion(&key, said).await;
    assert_eq!((&head["kid"], audience), (&json!("2026"), json!(format!("{issuer}/token"))));
    assert_eq!(head["x5t#S256"], json!(digest(made.der())));
}

/// By their documentation; none of them was asked.
#[test]
fn issuers_known_to_demand_their_token_endpoints_address_get_it() {
    let usual = |issuer: &str| AssertionAudience::usual_for(&crate::identity::Issuer::new(issuer));
    for issuer in [
        "https://login.microsoftonline.com/833ced3d-cb2e-41de-92f1-29e2af035ddc/v2.0",
        "https://corp.ciamlogin.com/833ced3d/v2.0",
        "https://corp.okta.com",
        "https://corp.okta.com/oauth2/default",
        "https://corp.oktapreview.com/oauth2/x",
    ] {
        assert_eq!(usual(issuer), AssertionAudience::TokenEndpoint, "{issuer}");
    }
    for issuer in [
        "https://accounts.google.com",
        "https://id.corp.example/realms/okta.com",
        "https://notokta.com",
        "https://okta.com.evil.example",
        "",
    ] {
        assert_eq!(usual(issuer), AssertionAudience::Issuer, "{issuer}");
    }
}

#[tokio::test]
async fn token_responses_are_refused_unless_whole() {
    let world = World::new().await;
    let bodies = [
        json!({"access_token": "a", "token_type": "Bearer"}),
        json!({"token_type": "Bearer", "id_token": "x"}),
        json!({"access_token": "tok-secret", "token_type": "Bearer", "id_token": "secret-not-a-jwt"}),
        json!([]),
    ];
    for body in bodies {
        world.fake.json("/token", 200, &body);
        let departure = world.begin();
        let error = world.provider.finish(&departure.flow, world.callback(&departure)).await.unwrap_err();
        assert_eq!(error.blame(), Culprit::Provider, "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
}

/// What comes of a sign-in whose token response has these members too, or without those that are `null`.
async fn answered_with(world: &World, change: impl FnOnce(&mut Value)) -> Result<SignedIn, SignInError> {
    let departure = world.begin();
    let mut claims = world.claims();
    claims["nonce"] = super::world::parameter(&departure.location, "nonce").into();
    let id_token = world.signer.sign(&claims);
    let mut answer =
        json!({"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": id_token});
    change(&mut answer);
    world.fake.json("/token", 200, &answer);
    world.provider.finish(&departure.flow, world.callback(&departure)).await
}

#[tokio::test]
async fn lifetimes_are_read_as_real_providers_write_them_or_count_as_absent() {
    let world = World::new().await;
    let by_id_token = world.claims()["exp"].as_u64().map(|at| at - NOW);
    for (expires_in, lifetime) in [
        (json!(3600), Some(3600)),
        (json!(3600.0), Some(3600)),
        (json!(3599.9), Some(3599)),
        (json!("3600"), Some(3600)),
        (json!(0), Some(0)),
        (json!(null), by_id_token),
        (json!(-1), by_id_token),
        (json!(""), by_id_token),
        (json!("soon"), by_id_token),
        (json!([3600]), by_id_token),
        (json!({}), by_id_token),
        (json!(1e300), Some(315_360_000)),
        (json!(u64::MAX), Some(315_360_000)),
    ] {
        let signed_in =
            answered_with(&world, |answer| answer["expires_in"] = expires_in.clone()).await.unwrap();
        let expires = signed_in.tokens.access_expires.map(|at| at.seconds() - NOW);
        assert_eq!(expires, lifetime, "{expires_in}");
    }
}

#[tokio::test]
async fn what_is_not_needed_of_a_token_response_may_be_what_it_likes() {
    let world = World::new().await;
    for (name, value) in [
        ("token_type", json!(null)),
        ("token_type", json!("bearer")),
        ("token_type", json!("BEARER")),
        ("scope", json!(["openid", "email"])),
        ("scope", json!(7)),
        ("scope", json!(null)),
        ("refresh_token", json!(null)),
        ("refresh_token", json!("")),
        ("refresh_expires_in", json!("never")),
        ("session_state", json!({})),
        ("error", json!(null)),
        ("not-before-policy", json!(0.5)),
    ] {
        let signed_in = answered_with(&world, |answer| answer[name] = value.clone()).await;
        assert_eq!(signed_in.map(|it| it.tokens.refresh), Ok(None), "{name} {value}");
    }
    let absent = |answer: &mut Value| drop(answer.as_object_mut().unwrap().remove("token_type"));
    assert!(answered_with(&world, absent).await.is_ok());
}

#[tokio::test]
async fn invariant_5_tokens_of_another_type_than_bearer_are_refused() {
    let world = World::new().await;
    for (token_type, told) in [
        (json!("mac"), "got mac"),
        (json!("DPoP"), "got DPoP"),
        (json!("dpop"), "got DPoP"),
        (json!("N_A"), "got N_A"),
        (json!("something-secret"), "got another type"),
        (json!(""), "got another type"),
        (json!(["Bearer"]), "got no text"),
    ] {
        let error =
            answered_with(&world, |answer| answer["token_type"] = token_type.clone()).await.unwrap_err();
        assert_eq!(error.blame(), Culprit::Provider);
        assert!(error.to_string().contains(told), "{token_type}: {error}");
    }
}

#[tokio::test]
async fn an_error_is_the_providers_own_word_whatever_the_status_and_the_type() {
    let world = World::new().await;
    let refusal = json!({"error": "invalid_client", "error_description": "tok-secret"}).to_string();
    for status in [200, 400, 401, 403] {
        for media_type in ["application/json", "text/plain", "text/html"] {
            world.fake.answer("/token", Answer::Reply(status, media_type, refusal.clone()));
            let departure = world.begin();
            let error = world.provider.finish(&departure.flow, world.callback(&departure)).await.unwrap_err();
            assert_eq!(error.blame(), Culprit::Us, "{error}");
            let told = format!("{error} {error:?}");
            assert!(told.contains("invalid_client") && !told.contains("tok-secret"), "{told}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_is_slow_or_overloaded_gets_another_try() {
    let world = World::new().await;
    let refusals = ["temporarily_unavailable", "server_error"];
    let answers =
        refusals.map(|error| Answer::Reply(400, "application/json", json!({"error": error}).to_string()));
    for answer in answers.into_iter().chain([Answer::Reply(503, "text/html", String::new())]) {
        world.fake.answer("/token", answer);
        let departure = world.begin();
        let error = world.provider.finish(&departure.flow, world.callback(&departure)).await.unwrap_err();
        assert!(error.public().contains("try again"), "{error}");
        let callback = CallbackParameters {
            error: Some("temporarily_unavailable".into()),
            code: None,
            ..world.callback(&departure)
        };
        let error = world.provider.finish(&departure.flow, callback).await.unwrap_err();
        assert!(error.public().contains("try again"), "{error}");
    }
}

#[tokio::test]
async fn a_token_response_counts_whatever_type_it_is_called() {
    let world = World::new().await;
    for media_type in ["text/plain", "text/html; charset=utf-8", "application/x-javascript"] {
        let departure = world.begin();
        let mut claims = world.claims();
        claims["nonce"] = super::world::parameter(&departure.location, "nonce").into();
        let answer = json!({"access_token": "a", "id_token": world.signer.sign(&claims)}).to_string();
        world.fake.answer("/token", Answer::Reply(200, media_type, answer));
        assert!(world.provider.finish(&departure.flow, world.callback(&departure)).await.is_ok());
    }
}

#[tokio::test]
async fn a_refused_code_is_told_apart_from_a_broken_provider() {
    let world = World::new().await;
    let cases = [
        (
            Answer::Reply(400, "application/json", json!({"error": "invalid_grant"}).to_string()),
            Culprit::Client,
        ),
        (Answer::Reply(401, "application/json", json!({"error": "invalid_client"}).to_string()), Culprit::Us),
        (Answer::Reply(502, "text/html", "<html>".into()), Culprit::Provider),
        (Answer::Reply(200, "text/html", "<html>".into()), Culprit::Provider),
        (Answer::Redirect("/x".into()), Culprit::Provider),
    ];
    for (answer, blame) in cases {
        world.fake.answer("/token", answer);
        let departure = world.begin();
        let error = world.provider.finish(&departure.flow, world.callback(&departure)).await.unwrap_err();
        assert_eq!(error.blame(), blame, "{error}");
    }
}

#[tokio::test]
async fn user_info_fills_what_is_missing_and_must_be_the_same_person() {
    let world = World::new().await;
    let bare = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("groups"));
    let more =
        json!({"sub": "u1", "groups": ["late"], "email": "other@x", "updated_at": "2024-01-01T00:00:00Z"});
    world.fake.json("/userinfo", 200, &more);
    let principal = world.sign_in(bare).await.unwrap().principal;
    assert_eq!(principal.groups, ["late"]);
    assert_eq!(principal.email.map(|email| email.address).as_deref(), Some("alice@corp.example"));
    assert_eq!(world.fake.calls("/userinfo")[0].authorization.as_deref(), Some("Bearer access-1"));
    world.fake.json("/userinfo", 200, &json!({"sub": "u2", "groups": ["root"]}));
    let result = world.sign_in(bare).await;
    assert_eq!(result, Err(SignInError::UserInfo(UserInfoError::OtherSubject)));
}

#[tokio::test]
async fn user_info_is_always_asked_where_configured() {
    let world = World::with(|settings| client(settings).userinfo = AskUserInfo::Always).await;
    world.fake.json("/userinfo", 200, &json!({"sub": "u1", "department": "billing"}));
    let principal = world.sign_in(|_| {}).await.unwrap().principal;
    assert_eq!(principal.claims["department"], "billing");
}

#[tokio::test]
async fn odd_but_common_claims_do_not_lock_people_out() {
    let odd = |claims: &mut Value| {
        claims["email_verified"] = "true".into();
        claims["updated_at"] = "2024-01-01T00:00:00.000Z".into();
    };
    let principal = World::new().await.sign_in(odd).await.unwrap().principal;
    assert!(principal.email.is_some_and(|email| email.verified), "a text, as Amazon Cognito writes it");
}
