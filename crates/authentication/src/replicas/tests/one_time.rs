use futures_util::future::join_all;

use super::*;

const SPAN: Duration = Duration::from_millis(400);
const KINDS: [OneTimeKind; 3] = [OneTimeKind::Ticket, OneTimeKind::SignInState, OneTimeKind::LogoutToken];

fn name(kind: OneTimeKind, first: u8) -> OneTimeName {
    let mut digest = crate::secret::random_bytes();
    digest[0] = first;
    OneTimeName { kind, digest }
}

#[tokio::test]
async fn invariant_6_what_is_put_is_taken_once() {
    for engine in Engine::all().await {
        let store = &engine.one_time;
        for kind in KINDS {
            let name = name(kind, 1);
            assert_eq!(store.take(name).await.unwrap(), None, "nothing is there yet");
            assert_eq!(store.put(name, b"\0\xff".to_vec(), SPAN).await.unwrap(), Put::Kept);
            assert_eq!(store.take(name).await.unwrap(), Some(b"\0\xff".to_vec()));
            assert_eq!(store.take(name).await.unwrap(), None, "twice");
            assert_eq!(store.put(name, vec![], SPAN).await.unwrap(), Put::Kept, "as if it had never been");
        }
    }
}

#[tokio::test]
async fn invariant_6_what_is_there_is_not_put_again_before_its_time_is_over() {
    for engine in Engine::all().await {
        let (store, name) = (&engine.one_time, name(OneTimeKind::SignInState, 2));
        assert_eq!(store.put(name, b"first".to_vec(), SPAN).await.unwrap(), Put::Kept);
        assert_eq!(
            store.put(name, b"again".to_vec(), SPAN * 9).await.unwrap(),
            Put::Occupied(b"first".to_vec())
        );
        engine.pass(SPAN / 2).await;
        assert_eq!(store.put(name, b"again".to_vec(), SPAN).await.unwrap(), Put::Occupied(b"first".to_vec()));
        engine.pass(SPAN / 2 + Duration::from_millis(20)).await;
        assert_eq!(store.take(name).await.unwrap(), None, "its time is over");
        assert_eq!(store.put(name, b"later".to_vec(), SPAN).await.unwrap(), Put::Kept);
    }
}

#[tokio::test]
async fn what_replaces_another_is_there_for_its_own_time() {
    for engine in Engine::all().await {
        let (store, name) = (&engine.one_time, name(OneTimeKind::LogoutToken, 3));
        store.put(name, b"under way".to_vec(), SPAN / 2).await.unwrap();
        store.replace(name, b"done".to_vec(), SPAN * 2).await.unwrap();
        engine.pass(SPAN).await;
        assert_eq!(store.put(name, vec![], SPAN).await.unwrap(), Put::Occupied(b"done".to_vec()));
    }
}

#[tokio::test]
async fn kinds_are_kept_apart() {
    for engine in Engine::all().await {
        let digest = name(OneTimeKind::Ticket, 4).digest;
        for kind in KINDS {
            let put = engine.one_time.put(OneTimeName { kind, digest }, vec![1], SPAN).await.unwrap();
            assert_eq!(put, Put::Kept, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn invariant_6_of_many_at_once_one_puts_and_one_takes() {
    for engine in Engine::all().await {
        let (store, name) = (&engine.one_time, name(OneTimeKind::Ticket, 5));
        let put = join_all((0..50_u8).map(|n| store.put(name, vec![n], SPAN))).await;
        assert_eq!(put.into_iter().filter(|put| matches!(put, Ok(Put::Kept))).count(), 1);
        let taken = join_all((0..50).map(|_| store.take(name))).await;
        assert_eq!(taken.into_iter().filter(|taken| matches!(taken, Ok(Some(_)))).count(), 1);
    }
}
