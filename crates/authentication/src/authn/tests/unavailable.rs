//! What holds while the provider is away.

use super::*;
use crate::oidc::Culprit;

const DAY: u64 = 24 * 3600;

fn token_for(seconds: u64) -> String {
    token(&header(), &with(claims(), "exp", (NOW + seconds).into()))
}

#[tokio::test]
async fn a_provider_that_never_answered_fails_closed_and_takes_the_blame() {
    let world = World::new();
    world.provider.answer_with(None);
    let refusal = world.refusal(&token_for(3600)).await.unwrap();
    assert_eq!(refusal, TokenError::KeysUnavailable);
    assert!(refusal.code().is_none(), "503, not 401: the token may be good");
    assert_eq!(refusal.blame(), Culprit::Provider);
    assert_eq!(refusal.challenge("api"), r#"Bearer realm="api""#);
}

#[tokio::test]
async fn keys_are_trusted_stale_for_a_day_and_then_no_more() {
    let world = World::new();
    let old = token_for(10 * DAY);
    world.verify(&old).await.unwrap();
    world.provider.answer_with(None);
    world.pass(3600 + DAY - 1);
    assert_eq!(world.refusal(&old).await, None);
    assert_eq!(world.refusal(&token_for(9 * DAY)).await, None, "new tokens too");
    assert!(world.verifier.cached(&old).is_some());
    world.pass(1);
    assert!(world.verifier.cached(&old).is_none(), "what is remembered ends with the keys");
    assert_eq!(world.refusal(&old).await, Some(TokenError::KeysUnavailable));
    world.provider.publish(&[KEY.jwk("k")]);
    world.pass(10);
    assert_eq!(world.refusal(&old).await, None, "it recovers by itself");
}

#[tokio::test]
async fn a_token_under_a_new_key_is_not_called_bad_while_the_provider_is_away() {
    let world = World::new();
    world.verify(&token_for(3600)).await.unwrap();
    world.provider.answer_with(None);
    world.pass(10);
    let new = with(header(), "kid", "new".into()).to_string();
    let new = OTHER_KEY.jws(Algorithm::ES256, &new, &claims().to_string());
    assert_eq!(world.refusal(&new).await, Some(TokenError::KeysUnavailable));
    world.provider.publish(&[KEY.jwk("k"), OTHER_KEY.jwk("new")]);
    world.pass(10);
    assert_eq!(world.refusal(&new).await, None);
}

#[tokio::test]
async fn an_answer_of_html_or_nothing_usable_fails_closed() {
    for body in ["<html>sign in</html>", "{\"keys\":[]}", "{}", ""] {
        let world = World::new();
        world.provider.answer_with(Some(body.into()));
        assert_eq!(world.refusal(&token_for(3600)).await, Some(TokenError::KeysUnavailable), "{body}");
    }
}

#[tokio::test]
async fn invariant_14_unknown_keys_of_strangers_ask_the_provider_once_a_cool_down() {
    let world = World::new();
    world.verify(&token_for(3600)).await.unwrap();
    world.pass(10);
    for number in 0..200 {
        let forged = with(header(), "kid", format!("k{number}").into()).to_string();
        let forged = OTHER_KEY.jws(Algorithm::ES256, &forged, &claims().to_string());
        assert_eq!(world.refusal(&forged).await, Some(TokenError::UnknownKey));
    }
    assert_eq!(world.provider.calls(), 2);
}

#[tokio::test]
async fn a_stranger_without_an_issuer_of_ours_asks_nobody() {
    let world = World::new();
    for number in 0..50 {
        let foreign = with(claims(), "iss", format!("https://{number}.example").into());
        assert_eq!(world.refusal_of(&foreign).await, Some(TokenError::UnknownIssuer));
    }
    assert_eq!(world.provider.calls(), 0);
}
