use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use super::*;
use crate::forward::fixtures;
use crate::identity::Gaps;

fn asserter(clock: &Clock) -> Asserter {
    let key = AssertionKey::generate().unwrap();
    Asserter::new("https://login.corp.example", key, clock.clone())
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_seconds(1_000_000))
}

/// What an app does: find the key by `kid` in the published set, verify, read.
fn read(token: &HeaderValue, jwks: &str, audience: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let jwks: JwkSet = serde_json::from_str(jwks).unwrap();
    let token = token.to_str().unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("assertion+jwt"));
    let key = DecodingKey::from_jwk(jwks.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[audience]);
    validation.validate_exp = false;
    decode::<Value>(token, &key, &validation).map(|data| data.claims)
}

#[test]
fn an_app_can_verify_an_assertion() {
    let clock = clock();
    let asserter = asserter(&clock);
    let token = asserter.assertion(&Arc::new(fixtures::alice()), "wiki.corp.example").unwrap();
    let mut claims = read(&token, &asserter.jwks(), "wiki.corp.example").unwrap();
    assert_eq!(claims["jti"].take().as_str().unwrap().len(), 22);
    let expected = json!({
        "iss": "https://login.corp.example", "aud": "wiki.corp.example", "sub": "sub-1", "jti": null,
        "iat": 1_000_000, "nbf": 999_995, "exp": 1_000_060,
        "provider": "corp", "provider_issuer": "https://id.corp.example", "preferred_username": "alice",
        "email": "alice@corp.example", "groups": ["staff", "ops"],
    });
    assert_eq!(claims, expected);
}

#[test]
fn invariant_7_an_assertion_for_one_host_is_none_for_another() {
    let asserter = asserter(&clock());
    let alice = Arc::new(fixtures::alice());
    let first = asserter.assertion(&alice, "a.example").unwrap();
    assert!(read(&first, &asserter.jwks(), "b.example").is_err());
    let second = asserter.assertion(&alice, "b.example").unwrap();
    assert!(read(&second, &asserter.jwks(), "b.example").is_ok());
}

/// Hosts share places where assertions are remembered: among so many, some certainly do.
#[test]
fn invariant_7_of_many_hosts_each_gets_an_assertion_of_its_own() {
    let asserter = asserter(&clock());
    let alice = Arc::new(fixtures::alice());
    for host in (0..400).map(|number| format!("{number}.example")) {
        let token = asserter.assertion(&alice, &host).unwrap();
        let payload = token.to_str().unwrap().split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        assert_eq!(claims["aud"], host.as_str());
    }
}

#[test]
fn an_assertion_is_used_again_for_half_its_life() {
    let clock = clock();
    let asserter = asserter(&clock);
    let alice = Arc::new(fixtures::alice());
    let first = asserter.assertion(&alice, "a.example").unwrap();
    clock.advance(Duration::from_secs(29));
    let equal = Arc::new(fixtures::alice());
    assert_eq!(asserter.assertion(&equal, "a.example").unwrap(), first);
    clock.advance(Duration::from_secs(1));
    assert_ne!(asserter.assertion(&alice, "a.example").unwrap(), first);
}

#[test]
fn invariant_4_an_assertion_does_not_outlive_a_change_of_groups() {
    let asserter = asserter(&clock());
    let first = asserter.assertion(&Arc::new(fixtures::alice()), "a.example").unwrap();
    let mut changed = fixtures::alice();
    changed.groups.pop();
    let second = asserter.assertion(&Arc::new(changed), "a.example").unwrap();
    assert_eq!(read(&second, &asserter.jwks(), "a.example").unwrap()["groups"], json!(["staff"]));
    assert_ne!(first, second);
}

#[test]
fn keys_overlap_and_survive_being_stored() {
    let clock = clock();
    let old = AssertionKey::generate().unwrap();
    let again = AssertionKey::from_pkcs8(old.pkcs8()).unwrap();
    assert_eq!(old.kid(), again.kid());
    let alice = Arc::new(fixtures::alice());
    let asserter = Asserter::new("https://g.example", old, clock.clone());
    let token = asserter.assertion(&alice, "a.example").unwrap();
    let next = AssertionKey::generate().unwrap();
    let kid = |token: &HeaderValue| decode_header(token.to_str().unwrap()).unwrap().kid.unwrap();
    let (first, second) = (again.kid().to_owned(), next.kid().to_owned());
    let signs_from = clock.now() + Duration::from_secs(900);
    let keys = [(next, signs_from), (again, Timestamp::from_seconds(0))];
    asserter.follow(keys.map(|(key, signs_from)| ScheduledKey { key, signs_from }).into());
    let jwks = asserter.jwks();
    assert!(read(&token, &jwks, "a.example").is_ok() && jwks.contains(&second), "known before it signs");
    assert!(!jwks.contains("\"d\""), "no private part is published");
    clock.advance(Duration::from_secs(899));
    assert_eq!(kid(&asserter.assertion(&alice, "b.example").unwrap()), first);
    clock.advance(Duration::from_secs(1));
    assert_eq!(kid(&asserter.assertion(&alice, "c.example").unwrap()), second);
    asserter.follow(Vec::new());
    assert_eq!(asserter.jwks(), jwks, "there is always a key");
}

#[test]
fn surplus_groups_are_left_out_and_counted() {
    let asserter = asserter(&clock());
    let mut alice = fixtures::alice();
    alice.groups = (0..1000).map(|n| format!("group-{n:04}")).collect();
    let token = asserter.assertion(&Arc::new(alice), "a.example").unwrap();
    assert!(token.len() < 8192);
    let claims = read(&token, &asserter.jwks(), "a.example").unwrap();
    let kept = claims["groups"].as_array().unwrap().len();
    assert_eq!(claims["groups_truncated"], 1000 - kept);
}

#[test]
fn groups_that_are_unknown_are_not_told_as_none() {
    let asserter = asserter(&clock());
    let told = |principal| {
        let token = asserter.assertion(&Arc::new(principal), "a.example").unwrap();
        read(&token, &asserter.jwks(), "a.example").unwrap()
    };
    let nowhere = Principal { groups: Vec::new(), ..fixtures::alice() };
    assert_eq!(told(nowhere.clone())["groups"], json!([]));
    let unknown = Principal { gaps: Gaps::default().with(Gap::Groups), ..nowhere };
    assert!(told(unknown).get("groups").is_none());
}

#[test]
fn a_key_of_another_kind_is_refused() {
    for der in [&b""[..], b"not a key", &[0x30; 64]] {
        assert!(AssertionKey::from_pkcs8(der).is_err());
    }
}

#[test]
fn a_key_prints_nothing_of_itself() {
    let key = AssertionKey::generate().unwrap();
    assert_eq!(format!("{key:?}"), format!("AssertionKey({})", key.kid()));
}
