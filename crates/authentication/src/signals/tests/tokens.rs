//! Security event tokens: whatever is wrong with one, it is refused for that, and does nothing.

use super::*;
use crate::oidc::jwks::JwsError;

#[tokio::test]
async fn invariant_5_a_token_is_good_only_if_all_of_it_is() {
    let world = World::new();
    let (key, _) = world.signed_in(person("u1", &json!({})), None).await;
    let revoked = json!({});
    for (what, changes, reason) in [
        ("another issuer", json!({"iss": "https://evil.example"}), "wrong-issuer"),
        ("the issuer with a slash", json!({"iss": format!("{TRANSMITTER}/")}), "wrong-issuer"),
        ("without issuer", json!({"iss": null}), "missing-claim"),
        ("another receiver", json!({"aud": "https://other.example"}), "wrong-audience"),
        ("one like us", json!({"aud": "https://login.corp.example.evil"}), "wrong-audience"),
        ("without audience", json!({"aud": null}), "missing-claim"),
        ("without iat", json!({"iat": null}), "missing-claim"),
        ("iat of another type", json!({"iat": "now"}), "bad-claim"),
        ("from the future", json!({"iat": NOW + 3600}), "not-yet-valid"),
        ("not yet", json!({"nbf": NOW + 61}), "not-yet-valid"),
        ("expired, though it need not", json!({"exp": NOW - 60}), "expired"),
        ("without jti", json!({"jti": null}), "missing-claim"),
        ("jti of another type", json!({"jti": 1}), "bad-claim"),
        ("an empty jti", json!({"jti": ""}), "bad-claim"),
        ("without events", json!({"events": null}), "not-one-event"),
        ("events that are a list", json!({"events": [REVOKED]}), "not-one-event"),
        ("no event", json!({"events": {}}), "not-one-event"),
        ("two events", json!({"events": {REVOKED: {}, "urn:other": {}}}), "not-one-event"),
        ("an event that is none", json!({"events": {REVOKED: "alice"}}), "not-one-event"),
        ("about nobody", json!({"sub_id": null}), "missing-claim"),
        ("about a text", json!({"sub_id": "u1"}), "bad-subject"),
    ] {
        let error = world.refused(world.token(&changes)).await;
        assert_eq!(error.description(), reason, "{what}: {error}");
    }
    let claims = world.claims(&revoked);
    for (what, header) in [
        ("an access token", json!({"alg": "ES256", "kid": "k", "typ": "at+jwt"})),
        ("a logout token", json!({"alg": "ES256", "kid": "k", "typ": "logout+jwt"})),
        ("a JWT", json!({"alg": "ES256", "kid": "k", "typ": "JWT"})),
        ("nothing in particular", json!({"alg": "ES256", "kid": "k"})),
    ] {
        assert_eq!(
            world.refused(world.signed(&header, &claims)).await,
            SecurityEventError::OtherType,
            "{what}"
        );
    }
    let other = Signer::new(Algorithm::ES256);
    let header = r#"{"alg":"ES256","kid":"k","typ":"secevent+jwt"}"#;
    let forged = world.refused(other.jws(Algorithm::ES256, header, &claims.to_string())).await;
    assert_eq!((forged.code(), forged.description()), ("invalid_key", "bad-signature"));
    let none = r#"{"alg":"none","typ":"secevent+jwt"}"#;
    let none = world.refused(world.signer.jws(Algorithm::ES256, none, &claims.to_string())).await;
    assert!(matches!(none, SecurityEventError::Unreadable(JwsError::UnsupportedAlgorithm(_))), "{none}");
    assert!(world.next(&key).await.is_some(), "none of them ends anything");
    for typ in ["secevent+jwt", "application/secevent+jwt", "SECEVENT+JWT"] {
        let header = json!({"alg": "ES256", "kid": "k", "typ": typ});
        let token = world.signed(&header, &world.claims(&json!({"jti": typ})));
        assert!(world.transmitter.receive(token, None).await.is_ok(), "{typ}");
    }
    assert!(world.next(&key).await.is_none());
}

#[tokio::test]
async fn one_without_expiry_or_sub_and_with_members_that_nobody_knows_is_good() {
    let world = World::new();
    let changes = json!({"txn": "t", "toe": NOW, "https://corp.example/x": [1], "aud": ["a", "https://login.corp.example"]});
    let receipt = world.receive(&changes).await.unwrap();
    assert_eq!(receipt, Receipt::Done(crate::session::Demand::End, 0));
    let unknown = json!({"events": {"urn:other:event": {}}, "sub_id": null, "jti": "j2"});
    assert_eq!(world.receive(&unknown).await.unwrap(), Receipt::Recorded);
}

#[tokio::test]
async fn what_cannot_be_checked_yet_is_to_come_again() {
    let world = World::with(SignalsSettings { audience: None, ..settings() });
    let error = world.receive(&json!({})).await.unwrap_err();
    assert!(error.is_passing(), "whom it must be for is not known: {error}");
    let stream = Stream {
        id: "s1".into(),
        audience: vec!["ours".into()],
        method: Delivery::Push.urn().into(),
        endpoint: None,
        requested: Vec::new(),
        delivered: None,
        description: None,
        verification_interval: Duration::ZERO,
        inactivity: None,
    };
    world.transmitter.stream.store(Some(Arc::new(stream)));
    assert!(world.receive(&json!({"aud": "ours"})).await.is_ok());
    let away = crate::session::testing::away(&world.clock);
    let world = World::on(settings(), world.clock.clone(), away);
    let error = world.receive(&json!({})).await.unwrap_err();
    assert!(error.is_passing() && matches!(error, ReceiveError::Store(_)), "{error}");
}

#[tokio::test]
async fn one_of_a_key_that_is_not_published_yet_is_to_come_again_for_some_minutes() {
    let world = World::new();
    let token = |kid: &str| {
        let header = json!({"alg": "ES256", "kid": kid, "typ": "secevent+jwt"});
        world.transmitter.receive(world.signed(&header, &world.claims(&json!({}))), None)
    };
    for kid in ["next", "other"] {
        assert!(token(kid).await.unwrap_err().is_passing(), "{kid}");
        world.clock.advance(Duration::from_secs(299));
        assert!(token(kid).await.unwrap_err().is_passing(), "{kid}");
        world.clock.advance(Duration::from_secs(1));
        let error = token(kid).await.unwrap_err();
        assert!(!error.is_passing(), "five minutes on nobody knows it: {error}");
    }
    world.keys.publish(&[world.signer.jwk("next")]);
    world.clock.advance(Duration::from_secs(60));
    assert!(token("next").await.is_ok());
}

#[tokio::test]
async fn one_that_a_clock_in_front_has_made_is_to_come_again() {
    let world = World::new();
    let (ahead, far) = (json!({"iat": NOW + 61}), json!({"iat": NOW + 301}));
    assert!(world.receive(&ahead).await.unwrap_err().is_passing());
    assert!(!world.receive(&far).await.unwrap_err().is_passing());
    world.clock.advance(Duration::from_secs(1));
    assert!(world.receive(&ahead).await.is_ok());
}

#[tokio::test]
async fn a_verification_is_taken_with_the_state_that_was_asked_for_or_unasked_without() {
    let world = World::new();
    let event = "https://schemas.openid.net/secevent/ssf/event-type/verification";
    let verification = |state: Value, jti: &str| {
        json!({"events": {event: changed(json!({}), &json!({"state": state}))}, "jti": jti,
            "sub_id": {"format": "opaque", "id": "s1"}})
    };
    let ours = verification::state(&world.transmitter.key, "corp", START);
    let others = verification::state(&world.transmitter.key, "other", START);
    for (n, state) in ["x", "", &others, &format!("{ours}A"), &"A".repeat(10_000)].into_iter().enumerate() {
        let error = world.receive(&verification(json!(state), &n.to_string())).await.unwrap_err();
        let ReceiveError::Refused(error) = error else { panic!("{error}") };
        assert_eq!(error.code(), "invalid_state", "{state}");
    }
    assert_eq!(world.transmitter.status().verified, None);
    let mut verified = world.transmitter.verified_for.subscribe();
    assert_eq!(world.receive(&verification(Value::Null, "a")).await.unwrap(), Receipt::Verified);
    assert_eq!((world.transmitter.status().verified, *verified.borrow_and_update()), (Some(START), None));
    assert_eq!(world.receive(&verification(json!(ours), "b")).await.unwrap(), Receipt::Verified);
    assert_eq!(*verified.borrow_and_update(), Some(START));
}

#[tokio::test]
async fn events_that_are_signed_with_rs256_are_accepted() {
    let clock = Clock::manual(START);
    let sessions = crate::session::testing::sessions(&clock);
    let world = World::signing(Signer::new(Algorithm::RS256), settings(), clock, sessions);
    let (key, _) = world.signed_in(person("u1", &json!({})), None).await;
    let claims = world.claims(&json!({})).to_string();
    let header = r#"{"alg":"RS256","kid":"k","typ":"secevent+jwt"}"#;
    let token = world.signer.jws(Algorithm::RS256, header, &claims);
    assert_eq!(
        world.transmitter.receive(token, None).await.unwrap(),
        Receipt::Done(crate::session::Demand::End, 1)
    );
    assert!(world.next(&key).await.is_none());
}
