//! What a credential comes to that an exchange was let in on a while ago.

use super::authenticate::{BEARER, BOTH, Gate, HOST, SESSION};
use super::*;
use crate::identity::Principal;
use crate::session::{Possession, testing};

fn unbound() -> Possession {
    Possession::Unbound(Timestamp::default())
}

fn groups(of: &Authentication) -> Option<Vec<String>> {
    of.principal().map(|principal| principal.groups.clone())
}

#[tokio::test]
async fn a_session_is_what_its_provider_said_of_its_person_last() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let (key, session) = gate.sign_in().await;
    let held = Authentication::of_session(key.clone(), Arc::clone(&session), unbound());
    let fresh = Principal { groups: vec!["board".into()], ..(*session.principal).clone() };
    let tokens = session.tokens.clone();
    gate.sessions.replace_tokens(&key, &session, tokens, Some(Arc::new(fresh))).await.unwrap();
    let present = authenticator.present(BOTH, &held, HOST).await.unwrap();
    assert_eq!(groups(&present), Some(vec!["board".to_owned()]));
    assert!(matches!(authenticator.present(BOTH, &held, "other.example").await, Ok(Authentication::Ended)));
    gate.sessions.end(key.id()).await.unwrap();
    assert!(matches!(authenticator.present(BOTH, &held, HOST).await, Ok(Authentication::Ended)));
}

#[tokio::test]
async fn invariant_3_a_credential_that_is_accepted_no_more_is_none() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let (key, session) = gate.sign_in().await;
    let verified = gate.world.verify(&token(&header(), &claims())).await.unwrap();
    let session = Authentication::of_session(key, session, unbound());
    let token = Authentication::of_token(&verified, Carrier::Bearer);
    for (held, accept, other) in [(session, SESSION, BEARER), (token, BEARER, SESSION)] {
        assert!(authenticator.present(accept, &held, HOST).await.unwrap().principal().is_some());
        let present = authenticator.present(other, &held, HOST).await;
        assert!(matches!(present, Ok(Authentication::Anonymous)), "{present:?}");
    }
    let nobody = authenticator.present(BOTH, &Authentication::Anonymous, HOST).await;
    assert!(matches!(nobody, Ok(Authentication::Anonymous)));
}

#[tokio::test]
async fn invariant_22_a_token_is_read_again_by_the_present_configuration() {
    let gate = Gate::new();
    let verified = gate.world.verify(&token(&header(), &claims())).await.unwrap();
    let held = Authentication::of_token(&verified, Carrier::Bearer);
    let present = |settings: ProviderSettings| {
        let issuer = BearerIssuer { settings, keys: Arc::clone(&gate.world.keys) };
        BearerVerifier::new(vec![issuer], gate.world.clock.clone(), BearerSettings::default())
            .present(&verified.principal)
    };
    assert_eq!(present(settings()).map(|it| it.groups.clone()), groups(&held));
    let other = ProviderSettings { audiences: vec!["https://other.example".into()], ..settings() };
    assert!(present(other).is_none(), "it was made for another audience");
    assert!(present(ProviderSettings { audiences: Vec::new(), ..settings() }).is_none());
    assert!(present(ProviderSettings { name: ProviderName::new("other"), ..settings() }).is_none());
}

#[tokio::test]
async fn where_the_store_is_away_nothing_is_known_of_a_session() {
    let gate = Gate::new();
    let authenticator = gate.authenticator_of(settings(), testing::away(&gate.world.clock));
    let (key, session) = gate.sign_in().await;
    let held = Authentication::of_session(key, session, unbound());
    assert!(authenticator.present(BOTH, &held, HOST).await.is_err());
}
