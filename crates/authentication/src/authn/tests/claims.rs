//! Whose token it is and for whom (RFC 7519, section 4.1; RFC 9068, section 4), and what is no token.

use super::*;
use crate::oidc::jwks::testing::encode;

#[tokio::test]
async fn a_good_token_is_accepted_with_and_without_the_profile_of_rfc_9068() {
    let world = World::new();
    for typ in [
        json!("at+jwt"),
        json!("AT+JWT"),
        json!("application/at+jwt"),
        json!("JWT"),
        json!("jwt"),
        Value::Null,
    ] {
        let verified = world.verify(&token(&with(header(), "typ", typ.clone()), &claims())).await.unwrap();
        assert_eq!(verified.principal.user, "alice", "{typ}");
        assert_eq!(verified.expires.seconds(), NOW + 3600 + LEEWAY);
    }
}

#[tokio::test]
async fn invariant_5_issuer_and_audience_are_equal_to_the_letter() {
    let world = World::new();
    let slash = format!("{ISSUER}/");
    let upper = ISSUER.to_uppercase();
    for (name, value, expected) in [
        ("iss", Value::Null, TokenError::MissingClaim("iss")),
        ("iss", json!([ISSUER]), TokenError::BadClaim("iss")),
        ("iss", json!(slash), TokenError::UnknownIssuer),
        ("iss", json!(upper), TokenError::UnknownIssuer),
        ("iss", json!("https://id.corp.example.evil.example"), TokenError::UnknownIssuer),
        ("iss", json!(""), TokenError::UnknownIssuer),
        ("aud", Value::Null, TokenError::MissingClaim("aud")),
        ("aud", json!(""), TokenError::WrongAudience),
        ("aud", json!([]), TokenError::WrongAudience),
        ("aud", json!("https://api.corp.example/"), TokenError::WrongAudience),
        ("aud", json!("https://api.corp.example.evil.example"), TokenError::WrongAudience),
        ("aud", json!("HTTPS://api.corp.example"), TokenError::WrongAudience),
        ("aud", json!(format!("{AUDIENCE} other")), TokenError::WrongAudience),
        ("aud", json!({"0": AUDIENCE}), TokenError::BadClaim("aud")),
        ("aud", json!([AUDIENCE, 7]), TokenError::BadClaim("aud")),
        ("aud", json!([[AUDIENCE]]), TokenError::BadClaim("aud")),
    ] {
        let refusal = world.refusal_of(&with(claims(), name, value.clone())).await;
        assert_eq!(refusal, Some(expected), "{name} {value}");
    }
}

#[tokio::test]
async fn one_of_several_audiences_is_enough() {
    let mut settings = settings();
    settings.audiences.push("urn:second".into());
    let world = World::with(settings);
    for aud in
        [json!([AUDIENCE]), json!(["other", AUDIENCE]), json!("urn:second"), json!(["x", "urn:second"])]
    {
        assert_eq!(world.refusal_of(&with(claims(), "aud", aud)).await, None);
    }
    assert_eq!(
        world.refusal_of(&with(claims(), "aud", json!(["x", "y"]))).await,
        Some(TokenError::WrongAudience)
    );
}

#[tokio::test]
async fn a_provider_without_audiences_accepts_no_token() {
    let world = World::with(ProviderSettings { audiences: Vec::new(), ..settings() });
    assert_eq!(world.refusal_of(&claims()).await, Some(TokenError::UnknownIssuer));
    assert_eq!(world.refusal_of(&with(claims(), "aud", json!([]))).await, Some(TokenError::UnknownIssuer));
    assert_eq!(world.provider.calls(), 0, "its keys are not even asked for");
}

#[tokio::test]
async fn invariant_6_the_keys_of_one_provider_do_not_sign_for_another() {
    let world = World::new();
    let partner = ProviderSettings {
        name: ProviderName::new("partner"),
        issuer: Issuer::new("https://partner.example"),
        ..settings()
    };
    let keys = Arc::new(Arc::new(Provider::new(&[OTHER_KEY.jwk("k")])).cache(&world.clock));
    let issuers = vec![
        BearerIssuer { settings: settings(), keys: Arc::clone(&world.keys) },
        BearerIssuer { settings: partner, keys },
    ];
    let verifier = BearerVerifier::new(issuers, world.clock.clone(), BearerSettings::default());
    let theirs = with(claims(), "iss", "https://partner.example".into());
    let by = |signer: &Signer, claims: &Value| {
        signer.jws(Algorithm::ES256, &header().to_string(), &claims.to_string())
    };
    assert_eq!(verifier.verify(&by(&KEY, &theirs)).await.unwrap_err(), TokenError::BadSignature);
    assert_eq!(verifier.verify(&by(&OTHER_KEY, &claims())).await.unwrap_err(), TokenError::BadSignature);
    let verified = verifier.verify(&by(&OTHER_KEY, &theirs)).await.unwrap();
    assert_eq!(verified.principal.provider.as_str(), "partner");
}

#[tokio::test]
async fn two_providers_of_one_issuer_are_told_apart_by_audience() {
    let world = World::new();
    let second =
        ProviderSettings { name: ProviderName::new("second"), audiences: vec!["urn:b".into()], ..settings() };
    let issuers =
        [settings(), second].map(|settings| BearerIssuer { settings, keys: Arc::clone(&world.keys) });
    let verifier = BearerVerifier::new(issuers.into(), world.clock.clone(), BearerSettings::default());
    for (aud, name) in [(AUDIENCE, "corp"), ("urn:b", "second")] {
        let token = token(&header(), &with(claims(), "aud", aud.into()));
        assert_eq!(verifier.verify(&token).await.unwrap().principal.provider.as_str(), name);
    }
}

/// A token of these texts, signed by the right key.
fn texts(header: &str, claims: &str) -> String {
    KEY.jws(Algorithm::ES256, header, claims)
}

#[tokio::test]
async fn invariant_5_what_stands_twice_is_refused() {
    let world = World::new();
    let (head, body) = (header().to_string(), claims().to_string());
    let twice = |text: &str, more: &str| format!("{},{more}}}", &text[..text.len() - 1]);
    for more in [r#""alg":"none""#, r#""alg":"ES256""#, r#""kid":"k""#, r#""\u0061lg":"ES256""#] {
        let refusal = world.refusal(&texts(&twice(&head, more), &body)).await;
        assert!(matches!(refusal, Some(TokenError::Malformed(_))), "{more}");
    }
    for more in [r#""sub":"root""#, r#""exp":9999999999"#, r#""\u0061ud":"x""#, r#""a":{"b":1,"b":2}"#] {
        let refusal = world.refusal(&texts(&head, &twice(&body, more))).await;
        assert!(matches!(refusal, Some(TokenError::Malformed(_))), "{more}");
    }
}

#[tokio::test]
async fn what_is_no_signed_jwt_is_malformed() {
    let world = World::new();
    let good = token(&header(), &claims());
    let [head, body, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let cases = [
        String::new(),
        ".".into(),
        "..".into(),
        "opaque-token".into(),
        format!("{head}.{body}"),
        format!("{good}.{signature}"),
        format!("{head}.{body}.{signature}.{body}.{head}"),
        format!(".{head}.{body}.{signature}"),
        format!("{head}=.{body}.{signature}"),
        format!("{head}.{body}=.{signature}"),
        format!("{head}. {body}.{signature}"),
        format!("{}.{body}.{signature}", encode(b"[]")),
        format!("{head}.{}.{signature}", encode(b"\"claims\"")),
        format!("{head}.{}.{signature}", encode(b"{} ")) + "\n",
        format!("{head}.{}.{signature}", encode(&[0xff; 20])),
        format!("{head}.{}.{signature}", encode("[".repeat(5000).as_bytes())),
    ];
    for text in cases {
        let refusal = world.refusal(&text).await;
        let refused = matches!(refusal, Some(TokenError::Malformed(_) | TokenError::MissingClaim(_)));
        assert!(refused, "{text:.60}: {refusal:?}");
    }
}

#[tokio::test]
async fn invariant_14_a_token_of_more_than_16_kib_is_not_read() {
    let world = World::new();
    let padded = |length: usize| token(&header(), &with(claims(), "pad", "x".repeat(length).into()));
    let large = padded(16 * 1024);
    assert_eq!(world.refusal(&large).await, Some(TokenError::TooLarge));
    assert!(world.verifier.cached(&large).is_none());
    assert_eq!(world.provider.calls(), 0);
    assert_eq!(world.refusal(&padded(11_000)).await, None);
}
