//! What is remembered of a token, under what, and for how long.

use super::*;

fn good() -> String {
    token(&header(), &claims())
}

#[tokio::test]
async fn a_verified_token_is_answered_from_memory() {
    let house = House::new();
    let token = good();
    assert!(house.verifier.cached(&token).is_none());
    let verified = house.verify(&token).await.unwrap();
    for _ in 0..3 {
        assert!(Arc::ptr_eq(&house.verifier.cached(&token).unwrap(), &verified));
    }
    assert!(House::new().verifier.cached(&token).is_none(), "another configuration remembers nothing");
}

#[tokio::test]
async fn invariant_4_a_token_of_which_one_bit_differs_is_another_token() {
    let house = House::new();
    let token = good();
    house.verify(&token).await.unwrap();
    for place in 0..token.len() {
        for bit in 0..8 {
            let mut bytes = token.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            if let Ok(other) = String::from_utf8(bytes) {
                assert!(house.verifier.cached(&other).is_none(), "byte {place}, bit {bit}");
            }
        }
    }
    for other in [&token[1..], &token[..token.len() - 1], &format!("{token} "), &token.to_lowercase(), ""] {
        assert!(house.verifier.cached(other).is_none());
    }
    assert!(house.verifier.cached(&token).is_some());
}

#[tokio::test]
async fn invariant_4_tokens_with_one_signature_or_one_payload_do_not_answer_for_each_other() {
    let house = House::new();
    let (mine, yours) = (good(), token(&header(), &with(claims(), "sub", "u2".into())));
    house.verify(&mine).await.unwrap();
    let part = |token: &str, place| token.split('.').nth(place).unwrap().to_owned();
    let mixed = format!("{}.{}.{}", part(&mine, 0), part(&yours, 1), part(&mine, 2));
    assert!(house.verifier.cached(&mixed).is_none());
    assert_eq!(house.refusal(&mixed).await, Some(TokenError::BadSignature));
    let again = good();
    assert_ne!(mine, again, "every ECDSA signature differs");
    assert!(house.verifier.cached(&again).is_none());
}

#[tokio::test]
async fn a_remembered_token_ends_with_its_exp() {
    let house = House::new();
    let token = token(&header(), &with(claims(), "exp", (NOW + 60).into()));
    house.verify(&token).await.unwrap();
    house.pass(60 + LEEWAY - 1);
    assert!(house.verifier.cached(&token).is_some());
    house.pass(1);
    assert!(house.verifier.cached(&token).is_none());
    assert_eq!(house.refusal(&token).await, Some(TokenError::Expired));
}

#[tokio::test]
async fn a_remembered_token_ends_with_the_cap() {
    let house = House::new();
    let token = good();
    house.verify(&token).await.unwrap();
    house.pass(5 * 60 - 1);
    assert!(house.verifier.cached(&token).is_some());
    house.pass(1);
    assert!(house.verifier.cached(&token).is_none());
    assert!(house.verify(&token).await.is_ok());
}

#[tokio::test]
async fn invariant_8_a_remembered_token_ends_with_its_key() {
    let house = House::new();
    let token = good();
    house.verify(&token).await.unwrap();
    house.rotate(&[KEY.jwk("k"), OTHER_KEY.jwk("new")]).await;
    assert!(house.verifier.cached(&token).is_some(), "a further key changes nothing");
    house.rotate(&[OTHER_KEY.jwk("new")]).await;
    assert!(house.verifier.cached(&token).is_none());
    assert_eq!(house.refusal(&token).await, Some(TokenError::UnknownKey));
    house.rotate(&[KEY.jwk("k")]).await;
    assert!(house.verify(&token).await.is_ok(), "a key that comes back counts again");
}

#[tokio::test]
async fn invariant_8_a_key_replaced_under_its_name_ends_what_it_signed() {
    let house = House::new();
    let token = good();
    house.verify(&token).await.unwrap();
    house.rotate(&[OTHER_KEY.jwk("k")]).await;
    assert!(house.verifier.cached(&token).is_none());
    assert_eq!(house.refusal(&token).await, Some(TokenError::BadSignature));
}

/// Which keys a token was checked with is not known where one is removed meanwhile: it is checked again.
#[tokio::test]
async fn invariant_8_keys_that_change_while_a_token_is_checked_leave_nothing_behind() {
    let house = House::new();
    house.verify(&good()).await.unwrap();
    house.provider.publish(&[OTHER_KEY.jwk("new")]);
    house.pass(10);
    let header = with(header(), "kid", "new".into()).to_string();
    let token = OTHER_KEY.jws(Algorithm::ES256, &header, &claims().to_string());
    house.verify(&token).await.unwrap();
    assert!(
        house.verifier.cached(&token).is_none(),
        "its key was fetched, and another one removed, meanwhile"
    );
    house.verify(&token).await.unwrap();
    assert!(house.verifier.cached(&token).is_some());
}

#[tokio::test]
async fn a_refusal_does_not_outlive_the_keys_it_was_made_under() {
    let house = House::new();
    let early = OTHER_KEY.jws(Algorithm::ES256, &header().to_string(), &claims().to_string());
    assert_eq!(house.refusal(&early).await, Some(TokenError::BadSignature));
    house.rotate(&[OTHER_KEY.jwk("k")]).await;
    assert_eq!(house.refusal(&early).await, None);
}

#[tokio::test]
async fn a_token_that_is_not_valid_yet_becomes_so() {
    let house = House::new();
    let token = token(&header(), &with(claims(), "nbf", (NOW + LEEWAY + 1).into()));
    assert_eq!(house.refusal(&token).await, Some(TokenError::NotYetValid));
    house.pass(1);
    assert_eq!(house.refusal(&token).await, None);
}

#[tokio::test]
async fn invariant_14_refused_tokens_fill_no_memory_and_evict_no_good_one() {
    let bounds = BearerSettings { refused_entries: 100, ..BearerSettings::default() };
    let house = House::keeping(settings(), bounds);
    let token = good();
    house.verify(&token).await.unwrap();
    let signature = token.rsplit('.').next().unwrap();
    let head = token.split('.').next().unwrap();
    for number in 0..1000 {
        let claims = with(claims(), "jti", number.into()).to_string();
        let forged = format!("{head}.{}.{signature}", crate::oidc::jwks::testing::encode(claims.as_bytes()));
        assert_eq!(house.refusal(&forged).await, Some(TokenError::BadSignature));
    }
    let (verified, refused) = house.verifier.weights();
    assert!(refused <= 100, "{refused}");
    assert!(verified > 0 && house.verifier.cached(&token).is_some());
    assert_eq!(house.provider.calls(), 1);
}

#[tokio::test]
async fn invariant_14_good_tokens_fill_a_bounded_memory() {
    let bounds = BearerSettings { verified_bytes: 64 * 1024, ..BearerSettings::default() };
    let house = House::keeping(settings(), bounds);
    for number in 0..200 {
        let token = token(&header(), &with(claims(), "jti", number.into()));
        assert!(house.verify(&token).await.is_ok());
    }
    assert!(house.verifier.weights().0 <= 64 * 1024);
}

#[tokio::test]
async fn invariant_14_tokens_that_are_over_do_not_stay_until_the_memory_is_full() {
    let bounds = BearerSettings { verified_bytes: 8 * 1024 * 1024, ..BearerSettings::default() };
    let house = House::keeping(settings(), bounds);
    let mut most = 0;
    for number in 0..400 {
        let token = token(
            &header(),
            &with(with(claims(), "jti", number.into()), "exp", (NOW + 10 * number + 9).into()),
        );
        assert!(house.verify(&token).await.is_ok());
        house.pass(10);
        most = most.max(house.verifier.weights().0);
    }
    assert!(most <= 512 * 1024, "{most} bytes, and hardly one of the tokens is good any more");
}

#[tokio::test]
async fn a_good_token_is_good_as_soon_as_a_clock_that_was_ahead_is_right_again() {
    let house = House::new();
    let short = token(&header(), &with(claims(), "exp", (NOW + 300).into()));
    house.clock.set(START + Duration::from_secs(660));
    assert_eq!(house.refusal(&short).await, Some(TokenError::Expired));
    house.clock.set(START);
    assert_eq!(house.refusal(&short).await, None);
}

#[tokio::test]
async fn what_is_remembered_is_forgotten_in_time_though_the_clock_is_set_back() {
    let house = House::new();
    let (good, forged) =
        (good(), OTHER_KEY.jws(Algorithm::ES256, &header().to_string(), &claims().to_string()));
    house.clock.set(START + Duration::from_secs(660));
    assert_eq!(house.refusal(&good).await, None);
    assert_eq!(house.refusal(&forged).await, Some(TokenError::BadSignature));
    house.clock.set(START);
    let calls = house.provider.calls();
    house.pass(9);
    assert_eq!(house.refusal(&forged).await, Some(TokenError::BadSignature));
    assert_eq!(house.provider.calls(), calls, "answered from memory");
    house.pass(1);
    assert_eq!(house.refusal(&forged).await, Some(TokenError::BadSignature));
    assert_eq!(house.provider.calls(), calls + 1, "checked anew");
    house.pass(5 * 60 - 11);
    assert!(house.verifier.cached(&good).is_some());
    house.pass(1);
    assert!(house.verifier.cached(&good).is_none());
}
