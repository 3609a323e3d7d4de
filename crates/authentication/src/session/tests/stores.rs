//! What every engine must do; one suite for all of them.

mod bindings;
mod children;
mod marks;

use tokio::runtime::Handle;

use super::*;
use crate::storage::redis::testing::TestRedis;
use crate::storage::redis::{RedisClient, RedisSettings};

#[tokio::test]
async fn the_embedded_store_keeps_its_promises() {
    every_engine(|| EmbeddedStore::new(Database::in_memory().unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_redis_keeps_its_promises() {
    let redis = TestRedis::start();
    let fresh = || {
        redis.cli(&["FLUSHALL"]);
        redis_store(redis.settings())
    };
    every_engine(fresh).await;
}

/// A store of a process of its own.
pub(super) fn redis_store(settings: RedisSettings) -> RedisStore {
    let client = RedisClient::start(settings, &Handle::current()).unwrap();
    RedisSessions::new(client).store(Database::in_memory().unwrap())
}

/// The suite. `fresh` gives an empty store of the engine.
pub(super) async fn every_engine<S: SessionStore>(fresh: impl Fn() -> S) {
    what_is_inserted_is_loaded(&fresh()).await;
    a_child_needs_its_root(&fresh()).await;
    children::of_a_host_the_oldest_gives_way(&fresh()).await;
    children::of_a_family_the_oldest_gives_way(&fresh()).await;
    a_record_is_replaced(&fresh()).await;
    touches_only_move_forward(&fresh()).await;
    a_family_goes_as_one(&fresh()).await;
    a_purge_takes_the_old_and_the_idle(&fresh()).await;
    a_purge_is_bounded(&fresh()).await;
    families_are_found_by_each_name_a_page_at_a_time(&fresh()).await;
    families_are_removed_together(&fresh()).await;
    an_end_is_remembered_until_its_time(&fresh()).await;
    a_card_that_comes_late_is_no_new_version(&fresh()).await;
    bindings::a_binding_stands_beside_everything_else(&fresh()).await;
    bindings::so_many_hosts_of_a_site_are_bound(&fresh()).await;
    marks::marks_stay_until_they_are_answered(&fresh()).await;
}

pub(super) fn id(n: u8) -> SessionId {
    SessionId::from_bytes([n; 32])
}

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

pub(super) fn family(n: u8) -> StoredFamily {
    StoredFamily {
        root: id(n),
        provider: "corp".into(),
        digests: FamilyDigests {
            subject: [7; 32],
            user: Some([n; 32]),
            provider_session: n.is_multiple_of(2).then_some([8; 32]),
            email: Some([30 + n; 32]),
        },
        created: at(1000),
        last_seen: at(1000),
        expires: at(2000),
        version: 0,
        marks: Marks::default(),
        record: vec![n; 3000],
        card: Some(vec![n; 300]),
        binding: None,
    }
}

pub(super) fn session(n: u8, root: u8) -> StoredSession {
    StoredSession {
        id: id(n),
        root: id(root),
        host: HOST.into(),
        created: at(1000),
        family_key: vec![n; 60],
        binding: None,
    }
}

/// A sign-in that nobody's end is compared with.
pub(super) fn began(seconds: u64) -> SignInUnderWay {
    SignInUnderWay { began: at(seconds), digests: Vec::new() }
}

/// The sign-in of this family.
fn under_way(family: &StoredFamily, seconds: u64) -> SignInUnderWay {
    let FamilyDigests { subject, provider_session, .. } = &family.digests;
    let digests = [subject].into_iter().chain(provider_session).copied().collect();
    SignInUnderWay { digests, ..began(seconds) }
}

async fn last_seen(store: &impl SessionStore, n: u8) -> u64 {
    store.load(id(n)).await.unwrap().unwrap().0.last_seen.seconds()
}

async fn what_is_inserted_is_loaded(store: &impl SessionStore) {
    for n in [1, 2] {
        store.insert_root(family(n), session(n, n), began(1000)).await.unwrap();
        assert_eq!(store.load(id(n)).await.unwrap(), Some((family(n), session(n, n))));
    }
    assert_eq!(store.load(id(9)).await.unwrap(), None);
    assert!(
        store.insert_root(family(1), session(1, 1), began(1000)).await.is_err(),
        "an identifier is used once"
    );
}

async fn a_child_needs_its_root(store: &impl SessionStore) {
    assert_eq!(store.insert_child(session(2, 1)).await.unwrap(), ChildInserted::RootGone);
    assert_eq!(store.load(id(2)).await.unwrap(), None);
    store.insert_root(family(1), session(1, 1), began(1000)).await.unwrap();
    assert_eq!(store.insert_child(session(2, 1)).await.unwrap(), ChildInserted::Done(Vec::new()));
    assert_eq!(store.load(id(2)).await.unwrap(), Some((family(1), session(2, 1))));
}

async fn a_record_is_replaced(store: &impl SessionStore) {
    store.insert_root(family(1), session(1, 1), began(1000)).await.unwrap();
    store.insert_child(session(2, 1)).await.unwrap();
    let digests =
        FamilyDigests { subject: [9; 32], user: None, provider_session: Some([10; 32]), email: None };
    let update = |n, version| RecordUpdate {
        root: id(n),
        version,
        record: vec![42],
        card: vec![43],
        digests: digests.clone(),
        renewed: 0,
    };
    let Updated::Done(mut members) = store.update_record(update(1, 0)).await.unwrap() else { panic!() };
    members.sort();
    assert_eq!(members, [id(1), id(2)]);
    let updated = StoredFamily {
        version: 1,
        record: vec![42],
        card: Some(vec![43]),
        digests: digests.clone(),
        ..family(1)
    };
    assert_eq!(store.load(id(2)).await.unwrap().unwrap().0, updated);
    assert_eq!(store.update_record(update(1, 0)).await.unwrap(), Updated::Stale, "read before the last one");
    assert_eq!(store.load(id(2)).await.unwrap().unwrap().0, updated);
    assert_eq!(store.update_record(update(9, 0)).await.unwrap(), Updated::Gone);
}

async fn families_are_found_by_each_name_a_page_at_a_time(store: &impl SessionStore) {
    for n in [3, 1, 2] {
        store.insert_root(family(n), session(n, n), began(1000)).await.unwrap();
    }
    let elsewhere = StoredSession { host: "mail.corp.example".into(), ..session(12, 2) };
    store.insert_child(elsewhere).await.unwrap();
    let other = StoredFamily {
        provider: "partner".into(),
        digests: FamilyDigests { subject: [5; 32], user: None, provider_session: None, email: None },
        ..family(4)
    };
    store.insert_root(other, session(4, 4), began(1000)).await.unwrap();
    for (selector, found) in [
        (StoredSelector::All, vec![1, 2, 3, 4]),
        (StoredSelector::Ids(id(2), id(3)), vec![2, 3]),
        (StoredSelector::Ids(id(12), id(12)), vec![2]),
        (StoredSelector::Ids(id(13), id(200)), vec![]),
        (StoredSelector::Subject(vec![[7; 32]]), vec![1, 2, 3]),
        (StoredSelector::Subject(vec![[6; 32], [5; 32]]), vec![4]),
        (StoredSelector::Subject(vec![]), vec![]),
        (StoredSelector::User(vec![[3; 32], [9; 32]]), vec![3]),
        (StoredSelector::User(vec![[7; 32]]), vec![]),
        (StoredSelector::ProviderSession(vec![[8; 32]]), vec![2]),
        (StoredSelector::Email(vec![[33; 32], [9; 32]]), vec![3]),
        (StoredSelector::Email(vec![[3; 32]]), vec![]),
        (StoredSelector::Provider("partner".into()), vec![4]),
        (StoredSelector::Provider("part".into()), vec![]),
        (StoredSelector::Host("mail.corp.example".into()), vec![2]),
        (StoredSelector::Host(HOST.into()), vec![1, 2, 3, 4]),
        (StoredSelector::Host("%".into()), vec![]),
    ] {
        assert_eq!(pages(store, selector.clone()).await, found, "{selector:?}");
    }
    let two = store.find(StoredSelector::Ids(id(2), id(2)), None, 10).await.unwrap();
    let sessions = vec![(id(2), HOST.into()), (id(12), "mail.corp.example".into())];
    let StoredFamily { root, provider, created, last_seen, expires, card, .. } = family(2);
    assert_eq!(
        two,
        [StoredOverview { root, provider, created, last_seen, expires, card, sessions, bound: vec![] }]
    );
}

/// What is found two at a time, by the first byte of each root.
async fn pages(store: &impl SessionStore, selector: StoredSelector) -> Vec<u8> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.find(selector.clone(), after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { return all };
        after = Some(last.root);
        all.extend(page.iter().map(|family| family.root.as_bytes()[0]));
    }
}

async fn families_are_removed_together(store: &impl SessionStore) {
    for n in [1, 3, 5] {
        store.insert_root(family(n), session(n, n), began(1000)).await.unwrap();
        store.insert_child(session(n + 1, n)).await.unwrap();
    }
    let mut removed = store.remove_families(vec![id(1), id(9), id(5)], SessionEnd::SignedOut).await.unwrap();
    removed.iter_mut().for_each(|family| family.sessions.sort());
    let gone = |n| RemovedFamily { root: id(n), sessions: vec![id(n), id(n + 1)] };
    assert_eq!(removed, [gone(1), gone(5)]);
    assert_eq!(pages(store, StoredSelector::All).await, [3]);
    assert_eq!(store.load(id(2)).await.unwrap(), None);
}

/// Which sign-ins an end concerns: of its subject or its provider's session, begun no later than it.
async fn an_end_is_remembered_until_its_time(store: &impl SessionStore) {
    let end =
        |digest, since, until| RememberedEnd { digests: vec![digest], since: at(since), until: at(until) };
    store.remember_end(end([7; 32], 1100, 2000)).await.unwrap();
    store.remember_end(end([7; 32], 1050, 1500)).await.unwrap(); // an older one takes nothing back
    store.remember_end(end([8; 32], 1200, 2000)).await.unwrap();
    let other = |n: u8| StoredFamily {
        digests: FamilyDigests { subject: [20 + n; 32], ..family(n).digests },
        ..family(n)
    };
    use Inserted::{Done, EndedBefore};
    for (family, began, inserted) in [
        (family(1), 1100, EndedBefore),
        (family(1), 1101, Done),
        (family(2), 1150, EndedBefore), // its provider's session
        (family(2), 1201, Done),
        (other(4), 1200, EndedBefore),
        (other(5), 1000, Done),
    ] {
        let (n, sign_in) = (family.root.as_bytes()[0], under_way(&family, began));
        let answer = store.insert_root(family, session(n, n), sign_in).await.unwrap();
        assert_eq!(answer, inserted, "{n} {began}");
        assert_eq!(store.load(id(n)).await.unwrap().is_some(), inserted == Done);
    }
    let upkeep = store.upkeep().unwrap();
    let sign_in = |n| under_way(&family(n), 1100);
    assert!(!upkeep.forget_ends(at(1999)).await.unwrap());
    assert_eq!(store.insert_root(family(6), session(6, 6), sign_in(6)).await.unwrap(), EndedBefore);
    assert!(!upkeep.forget_ends(at(2000)).await.unwrap());
    assert_eq!(store.insert_root(family(6), session(6, 6), sign_in(6)).await.unwrap(), Done);
    for n in 0..1200_u32 {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&n.to_be_bytes());
        store.remember_end(end(digest, 1100, 2000)).await.unwrap();
    }
    let mut steps = 1;
    while upkeep.forget_ends(at(2000)).await.unwrap() {
        steps += 1;
    }
    assert_eq!(steps, 3, "some at a time, and all of them");
}

async fn a_card_that_comes_late_is_no_new_version(store: &impl SessionStore) {
    let without = StoredFamily { card: None, ..family(1) };
    store.insert_root(without.clone(), session(1, 1), began(1000)).await.unwrap();
    let digests =
        FamilyDigests { subject: [9; 32], user: Some([10; 32]), provider_session: None, email: None };
    let late = |card: u8| LateCard { root: id(1), card: vec![card], digests: digests.clone() };
    store.add_card(late(1)).await.unwrap();
    store.add_card(late(2)).await.unwrap();
    let with = StoredFamily { card: Some(vec![1]), digests: digests.clone(), ..without };
    assert_eq!(store.load(id(1)).await.unwrap().unwrap().0, with, "the first one stays");
    store.add_card(LateCard { root: id(9), ..late(1) }).await.unwrap();
    assert_eq!(store.load(id(9)).await.unwrap(), None);
}

/// A row that has a card and no address to be found by gets the latter, and keeps its card.
async fn an_address_that_comes_late_is_found(store: &impl SessionStore) {
    let without = StoredFamily { digests: FamilyDigests { email: None, ..family(2).digests }, ..family(2) };
    store.insert_root(without, session(2, 2), began(1000)).await.unwrap();
    let digests = FamilyDigests { email: Some([44; 32]), ..family(2).digests };
    store.add_card(LateCard { root: id(2), card: vec![1], digests: digests.clone() }).await.unwrap();
    let now = store.load(id(2)).await.unwrap().unwrap().0;
    assert_eq!(now, StoredFamily { digests, ..family(2) });
}

async fn touches_only_move_forward(store: &impl SessionStore) {
    store.insert_root(family(1), session(1, 1), began(1000)).await.unwrap();
    let touch = |n, seconds| Touch { root: id(n), at: at(seconds) };
    store.touch(vec![touch(1, 1200), touch(9, 1200), touch(1, 1100)]).await.unwrap();
    assert_eq!(last_seen(store, 1).await, 1200);
    assert_eq!(store.load(id(9)).await.unwrap(), None);
    store.touch(Vec::new()).await.unwrap();
}

async fn a_family_goes_as_one(store: &impl SessionStore) {
    for n in [1, 3] {
        store.insert_root(family(n), session(n, n), began(1000)).await.unwrap();
        store.insert_child(session(n + 1, n)).await.unwrap();
    }
    let mut removed = store.remove_family(id(2), SessionEnd::SignedOut).await.unwrap().unwrap();
    removed.sessions.sort();
    assert_eq!(removed, RemovedFamily { root: id(1), sessions: vec![id(1), id(2)] });
    for (n, there) in [(1, false), (2, false), (3, true), (4, true)] {
        assert_eq!(store.load(id(n)).await.unwrap().is_some(), there);
    }
    assert_eq!(store.remove_family(id(2), SessionEnd::SignedOut).await.unwrap(), None);
}

async fn a_purge_takes_the_old_and_the_idle(store: &impl SessionStore) {
    let aged = |n, created, last_seen, expires| StoredFamily {
        created: at(created),
        last_seen: at(last_seen),
        expires: at(expires),
        ..family(n)
    };
    for family in [
        aged(1, 1000, 1400, 1500),
        aged(2, 1000, 1300, 2000),
        aged(3, 900, 1400, 2000),
        aged(4, 1000, 1400, 2000),
    ] {
        let root = family.root.as_bytes()[0];
        store.insert_root(family, session(root, root), began(1000)).await.unwrap();
    }
    let expiry = PurgeCriteria { now: at(1500), idle_since: at(1300), created_before: at(900), limit: 10 };
    let mut removed = store.upkeep().unwrap().purge(expiry).await.unwrap();
    removed.sort_by_key(|family| family.root);
    let gone = |n| RemovedFamily { root: id(n), sessions: vec![id(n)] };
    assert_eq!(removed, [gone(1), gone(2), gone(3)]);
    assert!(store.load(id(4)).await.unwrap().is_some());
    assert!(store.upkeep().unwrap().purge(expiry).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_purge_goes_in_small_steps_and_the_file_shrinks_an_old_one_too() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("state.db");
    as_before_it_could_shrink(&file);
    let database = Database::open(&file).unwrap();
    let mut world = World::on(database.clone(), Clock::manual(START));
    for n in 0..1500_u32 {
        let mut root = [0; 32];
        root[..4].copy_from_slice(&n.to_be_bytes());
        let root = SessionId::from_bytes(root);
        let stored = StoredSession { id: root, root, ..session(1, 1) };
        world.store.inner.insert_root(StoredFamily { root, ..family(1) }, stored, began(1000)).await.unwrap();
    }
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    let moved = |connection: &mut rusqlite::Connection| {
        connection.pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))
    };
    database.write(moved).await.unwrap();
    let before = std::fs::metadata(&file).unwrap().len();
    assert_eq!(world.sessions.purge().await.unwrap(), 1500);
    let after = std::fs::metadata(&file).unwrap().len();
    assert!(before > 6_000_000 && after < 2_000_000, "{before} {after}");
    assert!(world.store.purges.load(Ordering::Relaxed) >= 1500 / 20);
    assert!(world.finds(&key).await);
    world.sessions = world.restarted().sessions;
    assert!(world.finds(&key).await);
}

/// What the first version made: tables, but no way to shrink.
fn as_before_it_could_shrink(file: &std::path::Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let steps = [
        include_str!("../../storage/migrations/0001_server_keys.sql"),
        include_str!("../../storage/migrations/0002_sessions.sql"),
    ];
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute_batch(&steps.concat()).unwrap();
    connection.pragma_update(None, "application_id", 0x5072_7463).unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    drop(connection);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(file, mode).unwrap();
}

async fn a_purge_is_bounded(store: &impl SessionStore) {
    for n in 1..=5 {
        store.insert_root(family(n), session(n, n), began(1000)).await.unwrap();
    }
    let expiry = PurgeCriteria { now: at(9000), idle_since: at(0), created_before: at(0), limit: 3 };
    let mut counts = Vec::new();
    for _ in 0..3 {
        counts.push(store.upkeep().unwrap().purge(expiry).await.unwrap().len());
    }
    assert_eq!(counts, [3, 2, 0]);
}
