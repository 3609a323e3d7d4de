//! Bindings to keys of devices.

use super::*;

fn binding(n: u8) -> NewBinding {
    NewBinding { session: id(n), site: "corp.example".into(), most: 2, record: vec![n; 200] }
}

/// What a session's own row and that of its root say of bindings.
async fn bindings(store: &impl SessionStore, n: u8) -> [Option<(u32, u8)>; 2] {
    let (family, session) = store.load(id(n)).await.unwrap().unwrap();
    [session.binding, family.binding].map(|kept| kept.map(|kept| (kept.version, kept.record[0])))
}

pub(super) async fn a_binding_stands_beside_everything_else(store: &impl SessionStore) {
    store.insert_root(family(1), session(1, 1), began(1000)).await.unwrap();
    store.insert_child(session(2, 1)).await.unwrap();
    assert_eq!(bindings(store, 1).await, [None, None]);
    let Bound::Done(mut members) = store.bind(binding(1)).await.unwrap() else { panic!() };
    members.sort();
    assert_eq!(members, [id(1), id(2)]);
    assert_eq!(bindings(store, 1).await, [Some((0, 1)), Some((0, 1))]);
    assert_eq!(bindings(store, 2).await, [None, Some((0, 1))], "that of the root is told to all");
    let other = NewBinding { record: vec![9; 9], ..binding(1) };
    assert_eq!(store.bind(other).await.unwrap(), Bound::Already, "the first key stays");
    assert_eq!(store.bind(binding(9)).await.unwrap(), Bound::Gone);
    let digests = family(1).digests;
    let update =
        RecordUpdate { root: id(1), version: 0, record: vec![42], card: vec![43], digests, renewed: 0 };
    assert!(
        matches!(store.update_record(update).await.unwrap(), Updated::Done(_)),
        "binding is no new version"
    );
    assert!(store.count_proof(id(1), 0).await.unwrap());
    assert!(!store.count_proof(id(1), 0).await.unwrap(), "each proof counts once");
    assert!(!store.count_proof(id(9), 0).await.unwrap());
    assert_eq!(bindings(store, 1).await, [Some((1, 1)), Some((1, 1))], "new tokens leave it");
    let found = store.find(StoredSelector::All, None, 10).await.unwrap();
    assert_eq!(found[0].bound, [id(1)]);
    store.remove_family(id(1), SessionEnd::SignedOut).await.unwrap();
    assert!(!store.count_proof(id(1), 1).await.unwrap(), "it goes with its session");
}

pub(super) async fn so_many_hosts_of_a_site_are_bound(store: &impl SessionStore) {
    store.insert_root(family(1), session(1, 1), began(1000)).await.unwrap();
    for n in [2, 3, 4] {
        let host = format!("app-{n}.corp.example");
        store.insert_child(StoredSession { host, ..session(n, 1) }).await.unwrap();
    }
    let again = StoredSession { host: "app-2.corp.example".into(), ..session(5, 1) };
    store.insert_child(again).await.unwrap();
    for n in [1, 2] {
        assert!(matches!(store.bind(binding(n)).await.unwrap(), Bound::Done(_)), "{n}");
    }
    assert_eq!(store.bind(binding(3)).await.unwrap(), Bound::TooMany);
    let elsewhere = NewBinding { site: "other.example".into(), ..binding(4) };
    assert!(matches!(store.bind(elsewhere).await.unwrap(), Bound::Done(_)), "another site");
    assert!(matches!(store.bind(binding(5)).await.unwrap(), Bound::Done(_)), "the same host again");
}
