use std::sync::Mutex;

use http::HeaderMap;

use super::*;
use crate::limit::{LimitSettings, Limiter, Per, RateAnswer, RateQuestion};
use crate::request::ClientAddress;
use crate::session::StoreUnavailable;

/// A store that says what it is told to, and remembers what it was asked.
#[derive(Debug, Default)]
struct Told {
    says: Mutex<Option<Result<Vec<RateAnswer>, RateError>>>,
    asked: Mutex<Vec<Vec<RateKey>>>,
}

impl Told {
    fn say(&self, says: Option<Result<Vec<RateAnswer>, RateError>>) {
        *self.says.lock().unwrap() = says;
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl RateStore for Told {
    fn count(&self, _: [u8; 32], keys: Vec<RateKey>) -> RateFuture<'_> {
        self.asked.lock().unwrap().push(keys);
        let says = self.says.lock().unwrap().clone();
        Box::pin(async move {
            match says {
                Some(says) => says,
                None => std::future::pending().await,
            }
        })
    }
}

fn rig() -> (Arc<Told>, SharedRates, Clock) {
    let (store, clock) = (Arc::new(Told::default()), Clock::manual(Timestamp::from_seconds(1)));
    let digests = RateDigests::derive(&[[7; 32]]).unwrap();
    clock.advance(Duration::from_secs(1));
    (Arc::clone(&store), SharedRates::new(store, digests, clock.clone()), clock)
}

fn questions(limits: &[(Per, u32)]) -> Vec<RateQuestion> {
    let limit = |(per, burst): &(Per, u32)| LimitSettings {
        per: per.clone(),
        rate: "1/s".parse().unwrap(),
        burst: (*burst).try_into().unwrap(),
    };
    let limits: Vec<_> = limits.iter().map(limit).collect();
    let client = ClientAddress::new("192.0.2.1".parse().unwrap());
    Limiter::new(&limits, 10).client_questions(client, &HeaderMap::new())
}

const LEFT: RateAnswer = RateAnswer::Admitted { left: 1 };

fn refused(millis: u64) -> RateAnswer {
    RateAnswer::Refused { wait: Duration::from_millis(millis) }
}

fn away() -> RateError {
    StoreUnavailable::new(std::io::Error::other("away")).into()
}

#[tokio::test]
async fn the_store_decides_and_learns_neither_address_nor_route() {
    let (store, rates, _) = rig();
    store.say(Some(Ok(vec![LEFT])));
    let one = questions(&[(Per::Address, 2)]);
    assert!(rates.count("wiki", &one).await.unwrap().is_ok());
    rates.count("mail", &one).await.unwrap().unwrap();
    let asked = store.asked.lock().unwrap();
    assert_ne!(asked[0][0].digest, asked[1][0].digest, "routes count apart");
    assert_eq!((asked[0][0].interval, asked[0][0].burst), (Duration::from_secs(1), 2));
    let other = RateDigests::derive(&[[8; 32]]).unwrap();
    assert_ne!(other.key("wiki", &one[0]).digest, asked[0][0].digest, "by a key that is the gateway's");
}

#[tokio::test]
async fn who_was_refused_is_refused_until_then_without_the_store() {
    let (store, rates, clock) = rig();
    let one = questions(&[(Per::Address, 2)]);
    store.say(Some(Ok(vec![refused(500)])));
    let waits = async || rates.count("wiki", &one).await.unwrap().unwrap_err().retry_after();
    assert_eq!(waits().await, Duration::from_millis(500));
    clock.advance(Duration::from_millis(499));
    assert_eq!((waits().await, store.asked()), (Duration::from_millis(1), 1));
    clock.advance(Duration::from_millis(1));
    store.say(Some(Ok(vec![LEFT])));
    assert!(rates.count("wiki", &one).await.unwrap().is_ok());
    assert!(rates.count("mail", &one).await.unwrap().is_ok(), "nobody else was");
}

/// What a limit before it counts stays counted: such a refusal is asked for each time.
#[tokio::test]
async fn a_refusal_by_a_later_limit_is_the_stores_each_time() {
    let (store, rates, _) = rig();
    let two = questions(&[(Per::Address, 2), (Per::Route, 5)]);
    store.say(Some(Ok(vec![LEFT, refused(500)])));
    for asked in 1..4 {
        assert!(rates.count("wiki", &two).await.unwrap().is_err());
        assert_eq!(store.asked(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_is_slow_is_left_alone_for_a_second_and_then_asked_once() {
    for (says, why) in [(Some(Err(away())), CountedHere::Away), (None, CountedHere::Slow)] {
        let (store, rates, clock) = rig();
        let one = questions(&[(Per::Address, 2)]);
        store.say(says);
        let begun = tokio::time::Instant::now();
        assert_eq!(rates.count("wiki", &one).await.unwrap_err(), why);
        assert!(begun.elapsed() <= Duration::from_millis(101));
        for _ in 0..5 {
            assert_eq!(rates.count("wiki", &one).await.unwrap_err(), CountedHere::Away);
        }
        assert_eq!(store.asked(), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(rates.count("wiki", &one).await.unwrap_err(), why);
        assert_eq!(rates.count("wiki", &one).await.unwrap_err(), CountedHere::Away);
        assert_eq!(store.asked(), 2, "one has tried");
        clock.advance(Duration::from_secs(1));
        store.say(Some(Ok(vec![LEFT])));
        assert!(rates.count("wiki", &one).await.is_ok() && rates.count("wiki", &one).await.is_ok());
    }
}

#[tokio::test]
async fn a_count_that_makes_no_sense_decides_nothing_and_holds_up_nobody_else() {
    let (store, rates, _) = rig();
    let two = questions(&[(Per::Address, 2), (Per::Route, 5)]);
    let nonsense = RateError::Nonsense("a list".into());
    for says in [Err(nonsense), Ok(vec![]), Ok(vec![LEFT]), Ok(vec![LEFT; 3]), Ok(vec![refused(1), LEFT])] {
        store.say(Some(says));
        let other = questions(&[(Per::Route, 7), (Per::Address, 7)]);
        assert_eq!(rates.count("wiki", &other).await.unwrap_err(), CountedHere::Nonsense);
        store.say(Some(Ok(vec![LEFT, LEFT])));
        assert!(rates.count("mail", &two).await.unwrap().is_ok(), "the store is asked for others");
    }
}
