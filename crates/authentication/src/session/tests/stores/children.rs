//! How many sessions hang on one sign-in.

use super::*;

const MAIL: &str = "mail.corp.example";

/// The `n`th child of the family 1, a second younger than the one before it.
fn child(n: u16, host: &str) -> StoredSession {
    let mut bytes = [200; 32];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    let id = SessionId::from_bytes(bytes);
    StoredSession { id, host: host.into(), created: at(1000 + u64::from(n)), ..session(9, 1) }
}

async fn insert(store: &impl SessionStore, child: StoredSession) -> Vec<SessionId> {
    match store.insert_child(child).await.unwrap() {
        ChildInserted::Done(gave_way) => gave_way,
        ChildInserted::RootGone => panic!("the root is there"),
    }
}

async fn is_there(store: &impl SessionStore, child: &StoredSession) -> bool {
    store.load(child.id).await.unwrap().is_some()
}

pub(super) async fn of_a_host_the_oldest_gives_way(store: &impl SessionStore) {
    store.insert_root(family(1), session(1, 1), began(1000)).await.unwrap();
    let elsewhere = child(1, HOST);
    assert!(insert(store, elsewhere.clone()).await.is_empty());
    let of_mail: Vec<_> = (2..6).map(|n| child(n, MAIL)).collect();
    for child in &of_mail {
        assert!(insert(store, child.clone()).await.is_empty());
    }
    assert_eq!(insert(store, child(6, MAIL)).await, [of_mail[0].id]);
    assert!(!is_there(store, &of_mail[0]).await);
    // Whatever the clock says: the newest one is always kept.
    let set_back = StoredSession { created: at(10), ..child(7, MAIL) };
    assert_eq!(insert(store, set_back.clone()).await, [of_mail[1].id]);
    for kept in [&elsewhere, &of_mail[2], &of_mail[3], &child(6, MAIL), &set_back] {
        assert!(is_there(store, kept).await, "{:?}", kept.created);
    }
    assert!(store.load(id(1)).await.unwrap().is_some(), "the root is none of them");
    assert_eq!(pages(store, StoredSelector::Host(MAIL.into())).await, [1]);
    let RemovedFamily { sessions, .. } =
        store.remove_family(id(1), SessionEnd::SignedOut).await.unwrap().unwrap();
    assert_eq!(sessions.len(), 6);
}

pub(super) async fn of_a_family_the_oldest_gives_way(store: &impl SessionStore) {
    store.insert_root(family(1), session(1, 1), began(1000)).await.unwrap();
    let host = |n: u16| format!("app-{n}.corp.example");
    for n in 0..256 {
        assert!(insert(store, child(n, &host(n))).await.is_empty());
    }
    assert_eq!(insert(store, child(256, &host(256))).await, [child(0, HOST).id]);
    assert!(store.load(id(1)).await.unwrap().is_some(), "the root stays, old as it is");
    assert_eq!(pages(store, StoredSelector::Host(host(0))).await, [0_u8; 0]);
    assert_eq!(pages(store, StoredSelector::Host(host(1))).await, [1]);
}
