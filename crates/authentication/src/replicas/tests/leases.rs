use futures_util::future::join_all;

use super::*;
use crate::secret::random_bytes;

const SPAN: Duration = Duration::from_millis(400);

fn names() -> (SessionId, Holder, Holder) {
    (SessionId::from_bytes(random_bytes()), Holder([1; 16]), Holder([2; 16]))
}

#[tokio::test]
async fn one_holds_a_lease_at_a_time() {
    for engine in Engine::all().await {
        let ((name, one, two), leases) = (names(), &engine.leases);
        assert_eq!(leases.acquire(name, one, SPAN).await.unwrap(), Acquired::Held);
        assert_eq!(leases.acquire(name, two, SPAN).await.unwrap(), Acquired::Busy);
        assert_eq!(leases.acquire(names().0, two, SPAN).await.unwrap(), Acquired::Held, "another one");
        leases.release(name, one, None).await.unwrap();
        assert_eq!(leases.acquire(name, two, SPAN).await.unwrap(), Acquired::Held);
        let (name, ..) = names();
        let many = join_all((0..50).map(|n| leases.acquire(name, Holder([n; 16]), SPAN))).await;
        assert_eq!(many.into_iter().filter(|it| matches!(it, Ok(Acquired::Held))).count(), 1);
    }
}

/// oauth2-proxy once released whatever it found, and renewed it: two were then at work.
#[tokio::test]
async fn nobody_renews_or_releases_anothers_lease() {
    for engine in Engine::all().await {
        let ((name, one, two), leases) = (names(), &engine.leases);
        leases.acquire(name, one, SPAN).await.unwrap();
        leases.release(name, two, None).await.unwrap();
        leases.release(name, two, Some(SPAN)).await.unwrap();
        assert!(!leases.renew(name, two, SPAN).await.unwrap());
        assert_eq!(leases.acquire(name, two, SPAN).await.unwrap(), Acquired::Busy);
        engine.pass(SPAN + Duration::from_millis(20)).await;
        assert_eq!(leases.acquire(name, two, SPAN).await.unwrap(), Acquired::Held, "the first one is over");
        assert!(!leases.renew(name, one, SPAN).await.unwrap());
        leases.release(name, one, None).await.unwrap();
        assert_eq!(leases.acquire(name, one, SPAN).await.unwrap(), Acquired::Busy);
    }
}

#[tokio::test]
async fn a_lease_lasts_as_long_as_it_is_renewed() {
    for engine in Engine::all().await {
        let ((name, one, two), leases) = (names(), &engine.leases);
        leases.acquire(name, one, SPAN).await.unwrap();
        for _ in 0..3 {
            engine.pass(SPAN * 2 / 3).await;
            assert!(leases.renew(name, one, SPAN).await.unwrap());
            assert_eq!(leases.acquire(name, two, SPAN).await.unwrap(), Acquired::Busy);
        }
        engine.pass(SPAN + Duration::from_millis(20)).await;
        assert!(!leases.renew(name, one, SPAN).await.unwrap(), "it was over");
    }
}

#[tokio::test]
async fn a_lease_that_rests_is_nobodys_until_that_is_over() {
    for engine in Engine::all().await {
        let ((name, one, two), leases) = (names(), &engine.leases);
        leases.acquire(name, one, SPAN).await.unwrap();
        leases.release(name, one, Some(SPAN)).await.unwrap();
        for holder in [one, two] {
            assert_eq!(leases.acquire(name, holder, SPAN).await.unwrap(), Acquired::Resting);
            assert!(!leases.renew(name, holder, SPAN).await.unwrap());
            leases.release(name, holder, None).await.unwrap();
        }
        engine.pass(SPAN + Duration::from_millis(20)).await;
        assert_eq!(leases.acquire(name, two, SPAN).await.unwrap(), Acquired::Held);
    }
}

/// 'Lock shorter than the token call': a provider that takes longer than the lease lasts.
#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_as_long_as_the_work_takes_and_the_work_is_not_broken_off() {
    let clock = Clock::manual(Timestamp::from_seconds(1));
    let (store, name) = (Arc::new(LocalStore::new(clock.clone())), names().0);
    let leases = Leases::new(store);
    let (_, lease) = leases.acquire(name).await.unwrap();
    let work = async {
        for _ in 0..60 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            clock.advance(Duration::from_secs(1));
            assert_eq!(leases.acquire(name).await.unwrap().0, Acquired::Busy);
        }
        7
    };
    let lease = lease.unwrap();
    assert_eq!(lease.hold(work).await, 7);
    lease.release(None).await;
    let (_, lease) = leases.acquire(name).await.unwrap();
    let lost = async {
        clock.advance(Duration::from_secs(3600));
        tokio::time::sleep(Duration::from_secs(60)).await;
        8
    };
    assert_eq!(lease.unwrap().hold(lost).await, 8, "who has lost it goes on");
}
