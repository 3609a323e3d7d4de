//! What lies in Redis: what is done with what this version has not written, with a store that is full, and that nothing
//! lives there for ever.

use super::replicas::{Gateway, ended};
use super::*;
use crate::storage::redis::testing::TestRedis;

/// Garbage, other types, rows of another version: nobody is let in by them, and nothing of them is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_unknown_and_stays() {
    let redis = TestRedis::start();
    let gateway = Gateway::start(redis.settings()).await;
    let (key, session) = gateway.sessions.create(sign_in()).await.unwrap();
    let family = format!("{{portcullis}}:f:{}", session.id.to_hex());
    let row = format!("{{portcullis}}:s:{}", session.id.to_hex());
    for damage in [
        &["HSET", &family, "v", "2"][..],
        &["HSET", &family, "v", "1", "created", "yesterday"],
        &["HSET", &family, "created", "1800000000", "version", "-1"],
        &["HSET", &family, "version", "0", "subject", "short"],
        &["HDEL", &family, "subject"],
        &["HSET", &row, "root", "../../x"],
        &["HDEL", &row, "v"],
        &["DEL", &row],
        &["SET", &row, "garbage"],
    ] {
        redis.cli(damage);
        gateway.sessions.doubt();
        let found = gateway.sessions.find(&key).await;
        if damage[0] == "DEL" {
            assert!(found.unwrap().is_none(), "what is not there is absent");
            continue;
        }
        assert!(found.is_err(), "{damage:?}");
    }
    assert_eq!(redis.cli(&["TYPE", &row]), "string", "nothing is deleted");
    assert_eq!(redis.cli(&["EXISTS", &family]), "1");
    assert!(gateway.sessions.end(&session.id).await.is_ok(), "the end holds here");
    assert_eq!(gateway.sessions.endings_waiting(), 1);
    assert!(
        gateway.sessions.list(&Selector::All, None, 10).await.is_err(),
        "a list that hides somebody is none"
    );
    // Others are signed in, ended and purged all the same.
    let (_, other) = gateway.sessions.create(sign_in()).await.unwrap();
    drop(gateway.sessions.flush().await);
    gateway.sessions.end(&other.id).await.unwrap();
    assert_eq!(gateway.sessions.endings_waiting(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_keeps_no_other_from_being_purged() {
    let redis = TestRedis::start();
    let store = Gateway::start(redis.settings()).await.shared.store(Database::in_memory().unwrap());
    for n in 1..=3 {
        store.insert_root(stores::family(n), stores::session(n, n), stores::began(1000)).await.unwrap();
    }
    let damaged = format!("{{portcullis}}:f:{}", stores::id(1).to_hex());
    redis.cli(&["HSET", &damaged, "v", "9"]);
    let all = PurgeCriteria { now: stores::at(9000), idle_since: START, created_before: START, limit: 1 };
    let mut removed = Vec::new();
    while let Some(family) = store.upkeep().unwrap().purge(all).await.unwrap().pop() {
        removed.push(family.root);
    }
    assert_eq!(removed, [stores::id(2), stores::id(3)]);
    assert_eq!(redis.cli(&["EXISTS", &damaged]), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_takes_nobody_in_and_still_lets_everybody_out() {
    let redis = TestRedis::with(&["--maxmemory-policy", "noeviction"]);
    let [one, other] = Gateway::pair(&redis).await;
    let (key, session) = one.sessions.create(sign_in()).await.unwrap();
    let stream = other.sessions.ended(&other.sessions.find(&key).await.unwrap().unwrap());
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = one.sessions.create(sign_in()).await;
    assert!(
        matches!(&refused, Err(SessionError::Unavailable(why)) if why.to_string().contains("full")),
        "{refused:?}"
    );
    assert!(one.finds(&key).await);
    one.sessions.end(&session.id).await.unwrap();
    ended(stream).await;
    assert_eq!(one.sessions.endings_waiting(), 0, "an end needs no room");
}

/// Nothing lives for ever where no gateway runs that would remove it.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_14_every_key_has_an_end_of_its_own() {
    let redis = TestRedis::start();
    let gateway = Gateway::start(redis.settings()).await;
    let (_, session) = gateway.sessions.create(sign_in()).await.unwrap();
    gateway.sessions.create(app_session(&session)).await.unwrap();
    let selector = Selector::Subject(Issuer::new("https://id.corp.example"), "somebody".into());
    gateway.sessions.end_matching(selector, SessionEnd::Administrator).await.unwrap();
    let keys = redis.cli(&["KEYS", "*"]);
    assert!(keys.lines().count() > 12, "{keys}");
    for key in keys.lines() {
        assert!(key.starts_with("{portcullis}:"), "{key}");
        let left: i64 = redis.cli(&["TTL", key]).parse().unwrap();
        assert!((1..=172_800).contains(&left), "{key}: {left}");
    }
    gateway.sessions.end(&session.id).await.unwrap();
    let left = redis.cli(&["KEYS", "*"]);
    let kinds: Vec<_> = left.lines().map(|key| key.trim_start_matches("{portcullis}:")).collect();
    assert!(kinds.iter().all(|kind| *kind == "log" || kind.starts_with("end")), "{left}");
}
