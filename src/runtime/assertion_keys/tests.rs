//! Gateways with one state file and a clock that the test moves, and an app that keeps the keys as long as it may.

use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::events::{Field, Kind, KindSet, Seen};
use crate::identity::Principal;
use crate::identity::fixtures::alice;
use crate::storage::Database;

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

struct Fleet {
    clock: Clock,
    keys: ServerKeys,
    gateways: Vec<AssertionKeys>,
}

impl Fleet {
    async fn of(count: usize) -> Self {
        let (clock, database) = (Clock::manual(START), Database::in_memory().unwrap());
        let keys = ServerKeys::new(database, &[[7_u8; 32]]);
        let mut fleet = Self { clock, keys, gateways: Vec::new() };
        for _ in 0..count {
            fleet.gateways.push(fleet.started().await);
        }
        fleet
    }

    /// One that starts now, or starts again.
    async fn started(&self) -> AssertionKeys {
        AssertionKeys::open(&self.keys, "https://login.corp.example", &self.clock).await.unwrap()
    }

    async fn look(&self, gateway: usize, every: Duration) {
        let now = self.clock.now();
        self.gateways[gateway].look(&self.keys, |schedule| schedule.is_due(now, every), None).await.unwrap();
    }

    async fn rotate(&self, gateway: usize) -> NextKey {
        let now = self.clock.now();
        let rotated =
            self.gateways[gateway].look(&self.keys, |schedule| schedule.next(now).is_none(), None).await;
        rotated.unwrap().unwrap()
    }

    fn published(&self, gateway: usize) -> Vec<String> {
        let jwks: Value = serde_json::from_str(&self.gateways[gateway].asserter.jwks()).unwrap();
        let keys = jwks["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// The key that an assertion for `audience` is signed with.
    fn signed_by(&self, gateway: usize, who: &Arc<Principal>, audience: &str) -> String {
        let token = self.gateways[gateway].asserter.assertion(who, audience).unwrap();
        let header = token.to_str().unwrap().split('.').next().unwrap().to_owned();
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
    }
}

/// For three days, with a key a day: three gateways look at different seconds, one is started anew now and then; the app
/// fetches the keys from any of them when they are too old, and never when it meets one that it does not know.
#[tokio::test]
async fn an_app_with_cached_keys_never_meets_one_that_it_does_not_know() {
    let mut fleet = Fleet::of(3).await;
    let who = Arc::new(alice());
    // Not in the minutes in which keys are added.
    let first = fleet.clock.now() + Duration::from_secs(180);
    let (mut known, mut fetched, mut seen) = (fleet.published(0), first, HashSet::new());
    for minute in 0..3 * 24 * 60_usize {
        fleet.clock.advance(Duration::from_secs(60));
        if minute % 997 == 0 {
            fleet.gateways[minute % 3] = fleet.started().await;
        }
        for gateway in 0..3 {
            // The third one misses every other look.
            if gateway < 2 || minute % 2 == 0 {
                fleet.look((gateway + minute) % 3, DAY).await;
            }
        }
        if fleet.clock.now().since(fetched) >= JWKS_MAX_AGE {
            (known, fetched) = (fleet.published(minute % 3), fleet.clock.now());
        }
        let kid = fleet.signed_by(minute % 3, &who, "wiki.corp.example");
        assert!(known.contains(&kid), "minute {minute}: {kid} is not among {known:?}");
        seen.insert(kid);
        assert!(fleet.published(0).len() <= 3, "what is over goes");
    }
    assert!((3..=4).contains(&seen.len()), "one key a day: {}", seen.len());
}

#[tokio::test]
async fn of_gateways_that_rotate_at_once_one_does_and_all_follow() {
    let fleet = Fleet::of(2).await;
    let (one, other) = tokio::join!(fleet.rotate(0), fleet.rotate(1));
    assert_eq!(one, other);
    assert_eq!(one.signs_from, START + LEAD);
    fleet.look(1, 300 * DAY).await;
    assert_eq!((fleet.published(0).len(), fleet.published(0)), (2, fleet.published(1)));
    assert_eq!(fleet.rotate(0).await, one, "it is on its way already");
}

/// What is read before somebody else's change replaces nothing.
#[tokio::test]
async fn a_rotation_that_comes_late_changes_nothing() {
    let fleet = Fleet::of(1).await;
    let seen = fleet.keys.load(KEPT).await.unwrap();
    let next = fleet.rotate(0).await;
    let late = Schedule { keys: vec![KeptKey::new(AssertionKey::generate().unwrap().pkcs8(), START)] };
    assert!(!fleet.keys.replace(KEPT, seen, late.written().unwrap()).await.unwrap());
    assert!(!fleet.keys.replace(KEPT, None, late.written().unwrap()).await.unwrap());
    assert!(fleet.published(0).contains(&next.kid));
}

#[tokio::test]
async fn the_key_of_a_version_before_goes_on_and_has_its_whole_time() {
    let (clock, database) = (Clock::manual(START), Database::in_memory().unwrap());
    let keys = ServerKeys::new(database, &[] as &[[u8; 32]]);
    let old = AssertionKey::generate().unwrap();
    let pkcs8 = Zeroizing::new(old.pkcs8().to_vec());
    keys.load_or_create_with(ONLY, move || pkcs8).await.unwrap();
    let gateways = vec![AssertionKeys::open(&keys, "https://g.example", &clock).await.unwrap()];
    let fleet = Fleet { clock, keys, gateways };
    fleet.look(0, 30 * DAY).await;
    assert_eq!(fleet.published(0), [old.kid()]);
    fleet.clock.advance(30 * DAY - LEAD);
    fleet.look(0, 30 * DAY).await;
    assert_eq!(fleet.published(0).len(), 2);
}

#[tokio::test]
async fn what_is_kept_and_is_no_key_is_refused() {
    let fleet = Fleet::of(1).await;
    for damaged in [
        &b"{}"[..],
        b"[]",
        br#"{"keys":[{"key":"!","signs_from":1}]}"#,
        br#"{"keys":[{"key":"AAAA","signs_from":1}]}"#,
    ] {
        let seen = fleet.keys.load(KEPT).await.unwrap();
        assert!(fleet.keys.replace(KEPT, seen, Zeroizing::new(damaged.to_vec())).await.unwrap());
        let opened = AssertionKeys::open(&fleet.keys, "https://g.example", &fleet.clock).await;
        assert!(opened.is_err(), "{}", String::from_utf8_lossy(damaged));
    }
}

#[tokio::test]
async fn a_key_is_told_when_it_is_published_and_when_it_signs() {
    let mut fleet = Fleet::of(0).await;
    let recorder = Recorder::new(0, fleet.clock.clone(), 0);
    recorder.want(KindSet::ALL, false);
    let gateway = fleet.started().await.recorded_by(recorder.clone());
    fleet.gateways.push(gateway);
    let told = || {
        let mut told = Vec::new();
        recorder.sweep(|block| {
            for head in block.heads() {
                let line = Seen::read(block.line(head)).unwrap();
                told.push((head.kind, line.text(Field::Key).unwrap().to_owned()));
            }
        });
        told
    };
    fleet.look(0, 90 * DAY).await;
    assert_eq!(told(), [], "nothing is new");
    let next = fleet.rotate(0).await;
    assert_eq!(told(), [(Kind::KeyPublished, next.kid.clone())]);
    fleet.clock.advance(LEAD - Duration::from_secs(1));
    fleet.look(0, 90 * DAY).await;
    assert_eq!(told(), []);
    fleet.clock.advance(Duration::from_secs(1));
    fleet.look(0, 90 * DAY).await;
    fleet.look(0, 90 * DAY).await;
    assert_eq!(told(), [(Kind::KeyRotated, next.kid)]);
}
