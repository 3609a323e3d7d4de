//! What events do to sign-ins, and for how long.

use futures_util::FutureExt;

use super::*;
use crate::session::{Demand, SessionEnd, SessionError};

#[tokio::test]
async fn each_event_asks_what_the_table_says() {
    let said = |name: &str, said: Value| caep(name, said);
    let (end, step_up, renewal) = (Some(Demand::End), Some(Demand::StepUp), Some(Demand::Renewal));
    for (event, demand) in [
        (said("session-revoked", json!({})), end),
        (said("token-claims-change", json!({"claims": {"role": "x"}})), renewal),
        (said("credential-change", json!({"credential_type": "password", "change_type": "update"})), step_up),
        (
            said("credential-change", json!({"credential_type": "fido2-roaming", "change_type": "revoke"})),
            end,
        ),
        (said("assurance-level-change", json!({"change_direction": "decrease"})), step_up),
        (said("device-compliance-change", json!({"current_status": "not-compliant"})), step_up),
        (said("device-compliance-change", json!({"current_status": "compliant"})), None),
        (said("risk-level-change", json!({"current_level": "HIGH", "previous_level": "LOW"})), step_up),
        (said("risk-level-change", json!({"current_level": "LOW", "previous_level": "HIGH"})), None),
        (said("session-established", json!({})), None),
        (said("session-presented", json!({})), None),
        (risc("account-disabled", json!({})), end),
        (risc("account-purged", json!({})), end),
        (risc("account-enabled", json!({})), None),
        (risc("account-credential-change-required", json!({})), step_up),
        (risc("identifier-changed", json!({"new-value": "u9@corp.example"})), renewal),
    ] {
        let world = World::new();
        let (key, session) = world.signed_in(person("u1", &json!({})), Some("s1")).await;
        let (bob, _) = world.signed_in(person("u2", &json!({})), None).await;
        let mut stream = world.sessions.ended(&session);
        let receipt = world.receive(&json!({"events": event})).await.unwrap();
        let expected = demand.map_or(Receipt::Recorded, |demand| Receipt::Done(demand, 1));
        assert_eq!(receipt, expected, "{event}");
        let next = world.next(&key).await;
        let asked = next.as_ref().map(|it| (it.step_up_since().is_some(), it.has_stale_claims()));
        let (then, cut) = match demand {
            None => (Some((false, false)), None),
            Some(Demand::End) => (None, Some(SessionEnd::Signalled)),
            Some(Demand::StepUp) => (Some((true, false)), Some(SessionEnd::StepUp)),
            Some(Demand::Renewal) => (Some((false, true)), Some(SessionEnd::StaleClaims)),
        };
        assert_eq!(asked, then, "{event}");
        assert_eq!((&mut stream).now_or_never(), cut, "{event}: what is open by it");
        let bobs = world.next(&bob).await.unwrap();
        assert_eq!((bobs.step_up_since(), bobs.has_stale_claims()), (None, false), "{event}");
    }
}

#[tokio::test]
async fn the_configuration_decides_where_an_event_asks_anything() {
    let actions = BTreeMap::from([(EventType::RiskLevelChange, Demand::End)]);
    let world = World::with(SignalsSettings { actions, ..settings() });
    let (key, _) = world.signed_in(person("u1", &json!({})), None).await;
    let risk = |level: &str, jti: &str| json!({"events": caep("risk-level-change", json!({"current_level": level})), "jti": jti});
    assert_eq!(world.receive(&risk("LOW", "1")).await.unwrap(), Receipt::Recorded);
    assert!(world.next(&key).await.is_some());
    assert_eq!(world.receive(&risk("HIGH", "2")).await.unwrap(), Receipt::Done(Demand::End, 1));
    assert!(world.next(&key).await.is_none());
}

/// RFC 8935, section 2: whoever sends one twice is answered as before.
#[tokio::test]
async fn a_token_that_comes_again_is_accepted_and_does_nothing_more() {
    let world = World::new();
    let token = world.token(&json!({}));
    world.signed_in(person("u1", &json!({})), None).await;
    assert_eq!(world.transmitter.receive(token.clone(), None).await.unwrap(), Receipt::Done(Demand::End, 1));
    world.clock.advance(Duration::from_secs(5));
    let (key, _) = world.signed_in(person("u1", &json!({})), None).await;
    assert_eq!(world.transmitter.receive(token, None).await.unwrap(), Receipt::Repeated);
    assert!(world.next(&key).await.is_some());
}

/// By a process that remembers nothing, too.
#[tokio::test]
async fn what_was_signed_in_later_than_a_signal_is_not_concerned_by_it() {
    let world = World::new();
    let token = world.token(&json!({}));
    world.clock.advance(Duration::from_secs(61));
    let (key, _) = world.signed_in(person("u1", &json!({})), None).await;
    world.clock.advance(Duration::from_secs(1800));
    assert_eq!(world.transmitter.receive(token.clone(), None).await.unwrap(), Receipt::Done(Demand::End, 0));
    assert!(world.next(&key).await.is_some());
    let (_, session) = world.signed_in(person("u1", &json!({})), None).await;
    assert!(session.step_up_since().is_none(), "a sign-in that began later is not refused");
}

#[tokio::test]
async fn invariant_23_a_signal_that_comes_before_the_session_it_concerns_still_holds() {
    for subject in [
        json!({"format": "iss_sub", "iss": fixtures::alice().issuer.as_str(), "sub": "u1"}),
        json!({"format": "email", "email": "u1@corp.example"}),
        json!({"format": "opaque", "id": "s1"}),
    ] {
        let world = World::new();
        let began = world.clock.now();
        world.clock.advance(Duration::from_secs(5));
        world.receive(&json!({"sub_id": subject})).await.unwrap();
        world.clock.advance(Duration::from_secs(5));
        let sign_in = |began, sid: &str| NewSession::Root {
            host: "login.corp.example".into(),
            principal: Arc::new(person("u1", &json!({}))),
            tokens: Tokens::default(),
            sid: Some(sid.into()),
            origin: SignInOrigin::default(),
            began,
        };
        let made = world.sessions.create(sign_in(began, "s1")).await;
        assert!(matches!(made, Err(SessionError::Ended)), "{subject}");
        assert!(world.sessions.create(sign_in(world.clock.now(), "s2")).await.is_ok(), "{subject}");
    }
}

#[tokio::test]
async fn new_claims_answer_the_calls_for_them_that_were_known_when_they_were_asked_for() {
    let world = World::new();
    let (key, _) = world.signed_in(person("u1", &json!({})), None).await;
    let change = |jti: &str| json!({"events": caep("token-claims-change", json!({})), "jti": jti});
    world.receive(&change("1")).await.unwrap();
    let asked = world.next(&key).await.unwrap();
    let renewed = Arc::new(person("u1", &json!({"role": "new"})));
    world.receive(&change("2")).await.unwrap();
    let tokens = || Tokens::default();
    let late =
        world.sessions.replace_tokens(&key, &asked, tokens(), Some(Arc::clone(&renewed))).await.unwrap();
    assert!(late.has_stale_claims(), "the second call came while the first one was answered");
    let without = world.sessions.replace_tokens(&key, &late, tokens(), None).await.unwrap();
    assert!(without.has_stale_claims(), "tokens alone are no claims");
    let answered = world.sessions.replace_tokens(&key, &without, tokens(), Some(renewed)).await.unwrap();
    assert!(!answered.has_stale_claims());
}

#[tokio::test]
async fn of_two_signals_the_later_one_says_since_when_a_new_sign_in_is_needed() {
    let world = World::new();
    let (key, session) = world.signed_in(person("u1", &json!({})), None).await;
    let (child, _) = world.sessions.create(NewSession::child(&session, "wiki.corp.example")).await.unwrap();
    world.clock.advance(Duration::from_secs(30));
    let risk = |iat: u64, jti: &str| json!({"events": caep("risk-level-change", json!({"current_level": "HIGH"})), "iat": iat, "jti": jti});
    world.receive(&risk(NOW + 20, "1")).await.unwrap();
    world.receive(&risk(NOW + 10, "2")).await.unwrap();
    // From ahead, as far as clocks may differ: not later than it is here.
    for key in [&key, &child] {
        let since = world.next(key).await.unwrap().step_up_since();
        assert_eq!(since, Some(Timestamp::from_seconds(NOW + 20)));
    }
    world.receive(&risk(NOW + 80, "3")).await.unwrap();
    let since = world.next(&key).await.unwrap().step_up_since();
    assert_eq!(since, Some(Timestamp::from_seconds(NOW + 30)));
}
