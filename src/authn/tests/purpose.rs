//! Tokens that were made for something else (RFC 8725, sections 3.11 and 3.12; RFC 9068, section 4).

use super::*;

async fn refusal(typ: Value, claims: &Value) -> Option<TokenError> {
    House::new().refusal(&token(&with(header(), "typ", typ), claims)).await
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
    let house = House::with(ProviderSettings { require_at_jwt: true, ..settings() });
    for typ in [json!("JWT"), Value::Null] {
        let plain = token(&with(header(), "typ", typ), &claims());
        assert_eq!(house.refusal(&plain).await, Some(TokenError::WrongType));
    }
    assert_eq!(house.refusal(&token(&header(), &claims())).await, None);
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
async fn refusals_tell_the_client_what_it_can_mend_and_nothing_of_the_token() {
    let house = House::new();
    let secret = with(with(claims(), "aud", "hunter2".into()), "sub", "hunter2".into());
    let refusal = house.refusal_of(&secret).await.unwrap();
    let challenge = refusal.challenge("api");
    let told = challenge.to_str().unwrap();
    assert!(
        told.contains(r#"error="invalid_token""#)
            && !format!("{told} {refusal} {refusal:?}").contains("hunter2")
    );
    assert_eq!((refusal.blame(), refusal.is_unavailable()), (Blame::Client, false));
}
