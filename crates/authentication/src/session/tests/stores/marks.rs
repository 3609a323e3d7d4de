//! What is asked of families short of their end.

use super::*;

pub(super) async fn marks_stay_until_they_are_answered(store: &impl SessionStore) {
    an_address_that_comes_late_is_found(store).await;
    for n in [1, 3] {
        store.insert_root(family(n), session(n, n), began(1000)).await.unwrap();
    }
    store.insert_child(session(4, 1)).await.unwrap();
    let marks = async |n| store.load(id(n)).await.unwrap().unwrap().0.marks;
    let mark = |mark| store.mark(Marking { roots: vec![id(1), id(9)], mark });
    for since in [1100, 1200, 1150] {
        let mut sessions = mark(Mark::StepUp(at(since))).await.unwrap();
        sessions.sort();
        assert_eq!(sessions, [id(1), id(4)]);
    }
    mark(Mark::StaleClaims).await.unwrap();
    mark(Mark::StaleClaims).await.unwrap();
    let both = Marks { step_up_since: Some(at(1200)), stale_claims: 2 };
    assert_eq!((marks(1).await, marks(4).await, marks(3).await), (both, both, Marks::default()));
    let update = |version, renewed| RecordUpdate {
        root: id(1),
        version,
        record: vec![42],
        card: vec![43],
        digests: family(1).digests,
        renewed,
    };
    for (version, renewed, left) in [(0, 0, 2), (1, 1, 2), (2, 2, 0)] {
        assert!(matches!(store.update_record(update(version, renewed)).await.unwrap(), Updated::Done(_)));
        assert_eq!(marks(1).await, Marks { stale_claims: left, ..both }, "{renewed}");
    }
    assert_eq!(store.update_record(update(0, 0)).await.unwrap(), Updated::Stale);
    assert_eq!(mark(Mark::StaleClaims).await.unwrap().len(), 2, "it is no new version");
    assert!(matches!(store.update_record(update(3, 0)).await.unwrap(), Updated::Done(_)));
    assert_eq!(marks(1).await.stale_claims, 1);
}
