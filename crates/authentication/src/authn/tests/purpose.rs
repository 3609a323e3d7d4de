//! Tokens that were made for something else (RFC 8725, sections 3.11 and 3.12; RFC 9068, section 4).

use super::*;
use crate::oidc::Culprit;

async fn refusal(typ: Value, claims: &Value) -> Option<TokenError> {
    World::new().refusal(&token(&with(header(), "typ", typ), claims)).await
}

#[tokio::test]
async fn invariant_5_an_id_token_is_no_access_token() {
    for (name, value) in [("nonce", "n"), ("at_hash", "aGFzaA"), ("c_hash", "aGFzaA")] {
        let id_token = with(claims(), name, value.into());
        for typ in [json!("JWT"), Value::Null] {
            assert_eq!(refusal(typ, &id_token).await, Some(TokenError::WrongPurpose(name)));
        }
        assert_eq!(refusal(json!("at+jwt"), &id_token).await, None, "an access token says so by its typ");
    }
}

#[tokio::test]
async fn invariant_5_a_logout_token_is_no_access_token() {
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let logout = with(with(claims(), "events", event), "sid", "s".into());
    for typ in [json!("JWT"), Value::Null, json!("at+jwt")] {
        assert_eq!(refusal(typ, &logout).await, Some(TokenError::WrongPurpose("events")));
    }
    assert_eq!(refusal(json!("logout+jwt"), &logout).await, Some(TokenError::WrongType));
}

#[tokio::test]
async fn invariant_5_a_typ_of_another_kind_is_refused() {
    for typ in [
        json!("logout+jwt"),
        json!("dpop+jwt"),
        json!("secevent+jwt"),
        json!("token-introspection+jwt"),
        json!("oauth-authz-req+jwt"),
        json!("client-authentication+jwt"),
        json!("id_token+jwt"),
        json!("JWE"),
        json!("JOSE"),
        json!("at+jwt2"),
        json!("xat+jwt"),
        json!("at+jwt; v=1"),
        json!("text/at+jwt"),
        json!(""),
        json!(1),
        json!(["at+jwt"]),
    ] {
        assert_eq!(refusal(typ.clone(), &claims()).await, Some(TokenError::WrongType), "{typ}");
    }
}

#[tokio::test]
async fn where_the_profile_is_required_a_plain_jwt_is_refused() {
    let world = World::with(ProviderSettings { require_at_jwt: true, ..settings() });
    for typ in [json!("JWT"), Value::Null] {
        let plain = token(&with(header(), "typ", typ), &claims());
        assert_eq!(world.refusal(&plain).await, Some(TokenError::WrongType));
    }
    assert_eq!(world.refusal(&token(&header(), &claims())).await, None);
}

#[tokio::test]
async fn invariant_5_what_a_claim_calls_another_kind_is_refused() {
    for (name, kinds) in
        [("typ", ["ID", "Refresh", "Offline", "Logout"].as_slice()), ("token_use", &["id", "refresh"])]
    {
        for kind in kinds {
            let other = with(claims(), name, (*kind).into());
            assert_eq!(refusal(json!("JWT"), &other).await, Some(TokenError::WrongPurpose(name)), "{kind}");
        }
    }
    for (name, kind) in [("typ", "Bearer"), ("token_use", "access")] {
        assert_eq!(refusal(json!("JWT"), &with(claims(), name, kind.into())).await, None);
    }
}

#[tokio::test]
async fn a_token_bound_to_a_key_of_its_client_is_no_bearer_token() {
    for cnf in [json!({"jkt": "x"}), json!({"x5t#S256": "x"}), json!({}), json!("x")] {
        assert_eq!(
            refusal(json!("at+jwt"), &with(claims(), "cnf", cnf)).await,
            Some(TokenError::SenderConstrained)
        );
    }
}

#[tokio::test]
async fn a_token_that_says_it_is_an_access_token_is_believed() {
    for (name, kind) in [("typ", "Bearer"), ("token_use", "access")] {
        for of_id_tokens in ["nonce", "at_hash", "c_hash"] {
            let keycloaks = with(with(claims(), name, kind.into()), of_id_tokens, "x".into());
            for typ in [json!("JWT"), Value::Null] {
                assert_eq!(refusal(typ, &keycloaks).await, None, "{name} {of_id_tokens}");
            }
        }
        let logout = with(with(claims(), name, kind.into()), "events", json!({}));
        assert_eq!(refusal(json!("JWT"), &logout).await, Some(TokenError::WrongPurpose("events")));
        for kind in ["bearer", "BEARER", "Access", ""] {
            let odd = with(with(claims(), name, kind.into()), "nonce", "x".into());
            assert_eq!(refusal(json!("JWT"), &odd).await, Some(TokenError::WrongPurpose("nonce")));
        }
    }
    let contradicts = with(with(claims(), "typ", "ID".into()), "token_use", "access".into());
    assert_eq!(refusal(json!("at+jwt"), &contradicts).await, Some(TokenError::WrongPurpose("typ")));
}

#[tokio::test]
async fn the_log_names_the_member_and_both_values() {
    let world = World::new();
    let told =
        async |changed: &Value| world.verify(&token(&header(), changed)).await.unwrap_err().to_string();
    let aud = told(&with(claims(), "aud", json!(["urn:a", "urn:b"]))).await;
    assert!(
        aud.contains("aud") && aud.ends_with("expected https://api.corp.example, got urn:a, urn:b"),
        "{aud}"
    );
    let iss = told(&with(claims(), "iss", json!(format!("{ISSUER}/")))).await;
    assert!(iss.ends_with("expected https://id.corp.example, got https://id.corp.example/"), "{iss}");
    let exp = told(&with(claims(), "exp", json!(NOW - 60))).await;
    assert!(
        exp.ends_with("compare the clocks; exp is 2027-01-15T07:59:00Z, it is 2027-01-15T08:00:00Z here"),
        "{exp}"
    );
    let nbf = told(&with(claims(), "nbf", json!(NOW + 60))).await;
    assert!(
        nbf.ends_with("compare the clocks; nbf is 2027-01-15T08:01:00Z, it is 2027-01-15T08:00:00Z here"),
        "{nbf}"
    );
    let lightweight = told(&with(claims(), "aud", Value::Null)).await;
    assert!(
        lightweight.contains("no claim `aud`") && lightweight.contains("audience mapper"),
        "{lightweight}"
    );
    let signed =
        async |changed: &Value| world.verify(&token(changed, &claims())).await.unwrap_err().to_string();
    let none = signed(&with(header(), "alg", json!("none"))).await;
    assert!(none.ends_with("got none (it is not signed)"), "{none}");
    let symmetric = signed(&with(header(), "alg", json!("HS256"))).await;
    assert!(symmetric.ends_with("got HS256"), "{symmetric}");
    let other = signed(&with(header(), "alg", json!("RS256"))).await;
    assert!(other.ends_with("kid k, alg RS256; the provider's: k (ES256)"), "{other}");
    let unknown = signed(&with(header(), "kid", json!("new"))).await;
    assert!(unknown.ends_with("kid new, alg ES256; the provider's: k (ES256)"), "{unknown}");
    let control = told(&with(claims(), "aud", json!(format!("a\r\n\u{1b}[31m{}", "x".repeat(5_000))))).await;
    assert!(control.len() < 500 && !control.contains(char::is_control), "{control}");
}

#[tokio::test]
async fn refusals_tell_the_client_what_it_can_mend_and_nothing_of_the_token() {
    let world = World::new();
    let secret = with(with(claims(), "aud", "urn:other".into()), "sub", "hunter2".into());
    let refusal = world.verify(&token(&header(), &secret)).await.unwrap_err();
    let challenge = refusal.challenge("api");
    let told = challenge.to_str().unwrap();
    assert!(told.contains(r#"error="invalid_token""#) && !told.contains("urn:other"), "{told}");
    assert!(!format!("{told} {refusal} {refusal:?}").contains("hunter2"));
    assert_eq!((refusal.blame(), refusal.code().is_none()), (Culprit::Client, false));
}
