//! When a token is good, to the second.

use super::*;

async fn refusal_with(leeway: u64, claims: Value) -> Option<TokenError> {
    let world = World::with(ProviderSettings { leeway: Duration::from_secs(leeway), ..settings() });
    world.refusal_of(&claims).await
}

#[tokio::test]
async fn a_token_ends_with_its_second_and_the_leeway() {
    for leeway in [0, 30, 300] {
        let ends = |exp: u64| refusal_with(leeway, with(claims(), "exp", exp.into()));
        assert_eq!(ends(NOW - leeway + 1).await, None);
        assert_eq!(ends(NOW - leeway).await, Some(TokenError::Expired));
        assert_eq!(ends(NOW - leeway - 1).await, Some(TokenError::Expired));
        assert_eq!(ends(0).await, Some(TokenError::Expired));
    }
}

#[tokio::test]
async fn a_token_begins_with_its_second_less_the_leeway() {
    for name in ["nbf", "iat"] {
        for leeway in [0, 30, 300] {
            let begins = |at: u64| refusal_with(leeway, with(claims(), name, at.into()));
            assert_eq!(begins(NOW + leeway).await, None, "{name}");
            assert_eq!(begins(NOW + leeway + 1).await, Some(TokenError::NotYetValid), "{name}");
            assert_eq!(begins(u64::MAX).await, Some(TokenError::NotYetValid), "{name}");
        }
    }
}

#[tokio::test]
async fn exp_must_be_there_nbf_and_iat_need_not() {
    let without = |name| refusal_with(LEEWAY, with(claims(), name, Value::Null));
    assert_eq!(without("exp").await, Some(TokenError::MissingClaim("exp")));
    assert_eq!(without("iat").await, None);
    assert_eq!(without("nbf").await, None);
}

#[tokio::test]
async fn fractions_count_to_the_strict_side() {
    let at = |name, seconds: f64| refusal_with(0, with(claims(), name, json!(seconds)));
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let now = NOW as f64;
    assert_eq!(at("exp", now + 0.9).await, Some(TokenError::Expired));
    assert_eq!(at("exp", now + 1.0).await, None);
    assert_eq!(at("nbf", now + 0.1).await, Some(TokenError::NotYetValid));
    assert_eq!(at("nbf", now).await, None);
}

#[tokio::test]
async fn what_is_no_moment_is_refused() {
    for name in ["exp", "nbf", "iat"] {
        for value in
            [json!("1800003600"), json!(true), json!([NOW]), json!({}), json!(-1), json!(-1.5), json!(1e300)]
        {
            let refusal = refusal_with(LEEWAY, with(claims(), name, value.clone())).await;
            assert_eq!(refusal, Some(TokenError::BadClaim(name)), "{name} {value}");
        }
    }
}

#[tokio::test]
async fn a_token_that_never_ends_is_still_looked_at_again() {
    let world = World::new();
    let endless = token(&header(), &with(claims(), "exp", u64::MAX.into()));
    assert!(world.verify(&endless).await.is_ok());
    assert!(world.verifier.cached(&endless).is_some());
    world.pass(5 * 60);
    assert!(world.verifier.cached(&endless).is_none());
}
