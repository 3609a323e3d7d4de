//! What holds while the provider is away.

use super::*;

const DAY: u64 = 24 * 3600;

fn token_for(seconds: u64) -> String {
    token(&header(), &with(claims(), "exp", (NOW + seconds).into()))
}

#[tokio::test]
async fn a_provider_that_never_answered_fails_closed_and_takes_the_blame() {
    let house = House::new();
    house.provider.answer_with(None);
    let refusal = house.refusal(&token_for(3600)).await.unwrap();
    assert_eq!(refusal, TokenError::KeysUnavailable);
    assert!(refusal.is_unavailable() && refusal.code().is_none(), "503, not 401: the token may be good");
    assert_eq!(refusal.blame(), Blame::Provider);
    assert_eq!(refusal.challenge("api"), r#"Bearer realm="api""#);
}

#[tokio::test]
async fn keys_are_trusted_stale_for_a_day_and_then_no_more() {
    let house = House::new();
    let old = token_for(10 * DAY);
    house.verify(&old).await.unwrap();
    house.provider.answer_with(None);
    house.pass(3600 + DAY - 1);
    assert_eq!(house.refusal(&old).await, None);
    assert_eq!(house.refusal(&token_for(9 * DAY)).await, None, "new tokens too");
    assert!(house.verifier.cached(&old).is_some());
    house.pass(1);
    assert!(house.verifier.cached(&old).is_none(), "what is remembered ends with the keys");
    assert_eq!(house.refusal(&old).await, Some(TokenError::KeysUnavailable));
    house.provider.publish(&[KEY.jwk("k")]);
    house.pass(10);
    assert_eq!(house.refusal(&old).await, None, "it recovers by itself");
}

#[tokio::test]
async fn a_token_under_a_new_key_is_not_called_bad_while_the_provider_is_away() {
    let house = House::new();
    house.verify(&token_for(3600)).await.unwrap();
    house.provider.answer_with(None);
    house.pass(10);
    let new = with(header(), "kid", "new".into()).to_string();
    let new = OTHER_KEY.jws(Algorithm::ES256, &new, &claims().to_string());
    assert_eq!(house.refusal(&new).await, Some(TokenError::KeysUnavailable));
    house.provider.publish(&[KEY.jwk("k"), OTHER_KEY.jwk("new")]);
    house.pass(10);
    assert_eq!(house.refusal(&new).await, None);
}

#[tokio::test]
async fn an_answer_of_html_or_nothing_usable_fails_closed() {
    for body in ["<html>sign in</html>", "{\"keys\":[]}", "{}", ""] {
        let house = House::new();
        house.provider.answer_with(Some(body.into()));
        assert_eq!(house.refusal(&token_for(3600)).await, Some(TokenError::KeysUnavailable), "{body}");
    }
}

#[tokio::test]
async fn invariant_14_unknown_keys_of_strangers_ask_the_provider_once_a_cool_down() {
    let house = House::new();
    house.verify(&token_for(3600)).await.unwrap();
    house.pass(10);
    for number in 0..200 {
        let forged = with(header(), "kid", format!("k{number}").into()).to_string();
        let forged = OTHER_KEY.jws(Algorithm::ES256, &forged, &claims().to_string());
        assert_eq!(house.refusal(&forged).await, Some(TokenError::UnknownKey));
    }
    assert_eq!(house.provider.calls(), 2);
}

#[tokio::test]
async fn a_stranger_without_an_issuer_of_ours_asks_nobody() {
    let house = House::new();
    for number in 0..50 {
        let foreign = with(claims(), "iss", format!("https://{number}.example").into());
        assert_eq!(house.refusal_of(&foreign).await, Some(TokenError::UnknownIssuer));
    }
    assert_eq!(house.provider.calls(), 0);
}
