//! What is remembered of a token, under what, and for how long.

use super::*;

fn good() -> String {
    token(&header(), &claims())
}

#[tokio::test]
async fn a_verified_token_is_answered_from_memory() {
    let world = World::new();
    let token = good();
    assert!(world.verifier.cached(&token).is_none());
    let verified = world.verify(&token).await.unwrap();
    for _ in 0..3 {
        assert!(Arc::ptr_eq(&world.verifier.cached(&token).unwrap(), &verified));
    }
    assert!(World::new().verifier.cached(&token).is_none(), "another configuration remembers nothing");
}

#[tokio::test]
async fn invariant_4_a_token_of_which_one_bit_differs_is_another_token() {
    let world = World::new();
    let token = good();
    world.verify(&token).await.unwrap();
    for place in 0..token.len() {
        for bit in 0..8 {
            let mut bytes = token.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            if let Ok(other) = String::from_utf8(bytes) {
                assert!(world.verifier.cached(&other).is_none(), "byte {place}, bit {bit}");
            }
        }
    }
    for other in [&token[1..], &token[..token.len() - 1], &format!("{token} "), &token.to_lowercase(), ""] {
        assert!(world.verifier.cached(other).is_none());
    }
    assert!(world.verifier.cached(&token).is_some());
}

#[tokio::test]
async fn invariant_4_tokens_with_one_signature_or_one_payload_do_not_answer_for_each_other() {
    let world = World::new();
    let (mine, yours) = (good(), token(&header(), &with(claims(), "sub", "u2".into())));
    world.verify(&mine).await.unwrap();
    let part = |token: &str, place| token.split('.').nth(place).unwrap().to_owned();
    let mixed = format!("{}.{}.{}", part(&mine, 0), part(&yours, 1), part(&mine, 2));
    assert!(world.verifier.cached(&mixed).is_none());
    assert_eq!(world.refusal(&mixed).await, Some(TokenError::BadSignature));
    let again = good();
    assert_ne!(mine, again, "every ECDSA signature differs");
    assert!(world.verifier.cached(&again).is_none());
}

#[tokio::test]
async fn a_remembered_token_ends_with_its_exp() {
    let world = World::new();
    let token = token(&header(), &with(claims(), "exp", (NOW + 60).into()));
    world.verify(&token).await.unwrap();
    world.pass(60 + LEEWAY - 1);
    assert!(world.verifier.cached(&token).is_some());
    world.pass(1);
    assert!(world.verifier.cached(&token).is_none());
    assert_eq!(world.refusal(&token).await, Some(TokenError::Expired));
}

#[tokio::test]
async fn a_remembered_token_ends_with_the_cap() {
    let world = World::new();
    let token = good();
    world.verify(&token).await.unwrap();
    world.pass(5 * 60 - 1);
    assert!(world.verifier.cached(&token).is_some());
    world.pass(1);
    assert!(world.verifier.cached(&token).is_none());
    assert!(world.verify(&token).await.is_ok());
}

#[tokio::test]
async fn invariant_8_a_remembered_token_ends_with_its_key() {
    let world = World::new();
    let token = good();
    world.verify(&token).await.unwrap();
    world.rotate(&[KEY.jwk("k"), OTHER_KEY.jwk("new")]).await;
    assert!(world.verifier.cached(&token).is_some(), "a further key changes nothing");
    world.rotate(&[OTHER_KEY.jwk("new")]).await;
    assert!(world.verifier.cached(&token).is_none());
    assert_eq!(world.refusal(&token).await, Some(TokenError::UnknownKey));
    world.rotate(&[KEY.jwk("k")]).await;
    assert!(world.verify(&token).await.is_ok(), "a key that comes back counts again");
}

#[tokio::test]
async fn invariant_8_a_key_replaced_under_its_name_ends_what_it_signed() {
    let world = World::new();
    let token = good();
    world.verify(&token).await.unwrap();
    world.rotate(&[OTHER_KEY.jwk("k")]).await;
    assert!(world.verifier.cached(&token).is_none());
    assert_eq!(world.refusal(&token).await, Some(TokenError::BadSignature));
}

/// Which keys a token was checked with is not known where one is removed meanwhile: it is checked again.
#[tokio::test]
async fn invariant_8_keys_that_change_while_a_token_is_checked_leave_nothing_behind() {
    let world = World::new();
    world.verify(&good()).await.unwrap();
    world.provider.publish(&[OTHER_KEY.jwk("new")]);
    world.pass(10);
    let header = with(header(), "kid", "new".into()).to_string();
    let token = OTHER_KEY.jws(Algorithm::ES256, &header, &claims().to_string());
    world.verify(&token).await.unwrap();
    assert!(
        world.verifier.cached(&token).is_none(),
        "its key was fetched, and another one removed, meanwhile"
    );
    world.verify(&token).await.unwrap();
    assert!(world.verifier.cached(&token).is_some());
}

#[tokio::test]
async fn a_refusal_does_not_outlive_the_keys_it_was_made_under() {
    let world = World::new();
    let early = OTHER_KEY.jws(Algorithm::ES256, &header().to_string(), &claims().to_string());
    assert_eq!(world.refusal(&early).await, Some(TokenError::BadSignature));
    world.rotate(&[OTHER_KEY.jwk("k")]).await;
    assert_eq!(world.refusal(&early).await, None);
}

#[tokio::test]
async fn a_token_that_is_not_valid_yet_becomes_so() {
    let world = World::new();
    let token = token(&header(), &with(claims(), "nbf", (NOW + LEEWAY + 1).into()));
    assert_eq!(world.refusal(&token).await, Some(TokenError::NotYetValid));
    world.pass(1);
    assert_eq!(world.refusal(&token).await, None);
}

#[tokio::test]
async fn invariant_14_refused_tokens_fill_no_memory_and_evict_no_good_one() {
    let bounds = BearerSettings { refused_entries: 100, ..BearerSettings::default() };
    let world = World::keeping(settings(), bounds);
    let token = good();
    world.verify(&token).await.unwrap();
    let signature = token.rsplit('.').next().unwrap();
    let head = token.split('.').next().unwrap();
    for number in 0..1000 {
        let claims = with(claims(), "jti", number.into()).to_string();
        let forged = format!("{head}.{}.{signature}", crate::oidc::jwks::testing::encode(claims.as_bytes()));
        assert_eq!(world.refusal(&forged).await, Some(TokenError::BadSignature));
    }
    let (verified, refused) = world.verifier.weights();
    assert!(refused <= 100, "{refused}");
    assert!(verified > 0 && world.verifier.cached(&token).is_some());
    assert_eq!(world.provider.calls(), 1);
}

#[tokio::test]
async fn invariant_14_good_tokens_fill_a_bounded_memory() {
    let bounds = BearerSettings { verified_bytes: 64 * 1024, ..BearerSettings::default() };
    let world = World::keeping(settings(), bounds);
    for number in 0..200 {
        let token = token(&header(), &with(claims(), "jti", number.into()));
        assert!(world.verify(&token).await.is_ok());
    }
    assert!(world.verifier.weights().0 <= 64 * 1024);
}

#[tokio::test]
async fn invariant_14_tokens_that_are_over_do_not_stay_until_the_memory_is_full() {
    let bounds = BearerSettings { verified_bytes: 8 * 1024 * 1024, ..BearerSettings::default() };
    let world = World::keeping(settings(), bounds);
    let mut most = 0;
    for number in 0..400 {
        let token = token(
            &header(),
            &with(with(claims(), "jti", number.into()), "exp", (NOW + 10 * number + 9).into()),
        );
        assert!(world.verify(&token).await.is_ok());
        world.pass(10);
        most = most.max(world.verifier.weights().0);
    }
    assert!(most <= 512 * 1024, "{most} bytes, and hardly one of the tokens is good any more");
}

#[tokio::test]
async fn a_good_token_is_good_as_soon_as_a_clock_that_was_ahead_is_right_again() {
    let world = World::new();
    let short = token(&header(), &with(claims(), "exp", (NOW + 300).into()));
    world.clock.set(START + Duration::from_secs(660));
    assert_eq!(world.refusal(&short).await, Some(TokenError::Expired));
    world.clock.set(START);
    assert_eq!(world.refusal(&short).await, None);
}

#[tokio::test]
async fn what_is_remembered_is_forgotten_in_time_though_the_clock_is_set_back() {
    let world = World::new();
    let (good, forged) =
        (good(), OTHER_KEY.jws(Algorithm::ES256, &header().to_string(), &claims().to_string()));
    world.clock.set(START + Duration::from_secs(660));
    assert_eq!(world.refusal(&good).await, None);
    assert_eq!(world.refusal(&forged).await, Some(TokenError::BadSignature));
    world.clock.set(START);
    let calls = world.provider.calls();
    world.pass(9);
    assert_eq!(world.refusal(&forged).await, Some(TokenError::BadSignature));
    assert_eq!(world.provider.calls(), calls, "answered from memory");
    world.pass(1);
    assert_eq!(world.refusal(&forged).await, Some(TokenError::BadSignature));
    assert_eq!(world.provider.calls(), calls + 1, "checked anew");
    world.pass(5 * 60 - 11);
    assert!(world.verifier.cached(&good).is_some());
    world.pass(1);
    assert!(world.verifier.cached(&good).is_none());
}
