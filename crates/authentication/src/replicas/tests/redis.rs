//! The engine in Redis against a real server: what the suites of all engines do not tell.

use std::collections::HashMap;

use http::HeaderMap;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::{Handle, Runtime};

use super::*;
use crate::limit::{LimitSettings, Limiter, Per, Rate, RateAnswer};
use crate::replicas::redis::COUNT;
use crate::request::ClientAddress;
use crate::storage::redis::testing::{TestRedis, settings as settings_of};
use crate::storage::redis::{RedisClient, RedisServers};

fn shared(redis: &TestRedis) -> RedisShared {
    RedisShared::new(RedisClient::start(redis.settings(), &Handle::current()).unwrap())
}

fn key(digest: u8, interval: Duration, burst: u32) -> RateKey {
    RateKey { digest: [digest; 32], interval, burst }
}

const MINUTE: Duration = Duration::from_secs(60);

fn left(left: u32) -> RateAnswer {
    RateAnswer::Admitted { left }
}

fn is_refused(answers: &[RateAnswer], for_at_most: Duration) -> bool {
    matches!(answers.last(), Some(RateAnswer::Refused { wait }) if !wait.is_zero() && *wait <= for_at_most)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_is_one_for_all_and_forgotten_when_it_is_at_rest() {
    let redis = TestRedis::start();
    let (one, other) = (shared(&redis), shared(&redis));
    let ask = |store: &RedisShared| {
        let store = store.clone();
        async move { store.count([0; 32], vec![key(1, MINUTE, 3)]).await.unwrap() }
    };
    assert_eq!(ask(&one).await, [left(2)]);
    assert_eq!(ask(&other).await, [left(1)]);
    assert_eq!(ask(&one).await, [left(0)]);
    assert!(is_refused(&ask(&other).await, MINUTE) && is_refused(&ask(&one).await, MINUTE));
    let rows = redis.cli(&["KEYS", "*"]);
    assert!(rows.starts_with("{portcullis:rate:") && rows.lines().count() == 1, "{rows}");
    let ttl: u64 = redis.cli(&["PTTL", &rows]).parse().unwrap();
    assert!((120_000..=180_000).contains(&ttl), "three requests of one a minute: {ttl} ms");
}

/// A flood of sign-ins that come back fills no store, and pushes out no other kind.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_14_of_each_kind_so_many_are_kept() {
    let redis = TestRedis::start();
    let store = shared(&redis);
    let name = |kind, n: u32| {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&n.to_be_bytes());
        OneTimeName { kind, digest }
    };
    let state = name(OneTimeKind::SignInState, 0);
    store.put(state, vec![1], MINUTE).await.unwrap();
    // The first of them is the first to be over, and some are over by now.
    store.put(name(OneTimeKind::Ticket, 0), vec![], MINUTE / 2).await.unwrap();
    for n in 1..50 {
        store.put(name(OneTimeKind::Ticket, n), vec![], Duration::from_millis(1)).await.unwrap();
    }
    let most = OneTimeKind::Ticket.most();
    for begin in (100..100 + most).step_by(500) {
        let some = (begin..begin + 500).map(|n| store.replace(name(OneTimeKind::Ticket, n), vec![2], MINUTE));
        futures_util::future::try_join_all(some).await.unwrap();
    }
    assert_eq!(redis.cli(&["ZCARD", "{portcullis}:tickets"]), most.to_string());
    assert_eq!(redis.cli(&["DBSIZE"]), (most + 3).to_string(), "with the state and both indexes");
    assert_eq!(store.take(name(OneTimeKind::Ticket, 0)).await.unwrap(), None);
    assert_eq!(store.take(name(OneTimeKind::Ticket, 99 + most)).await.unwrap(), Some(vec![2]));
    assert_eq!(store.put(state, vec![], MINUTE).await.unwrap(), Put::Occupied(vec![1]));
    let left: u64 = redis.cli(&["PTTL", "{portcullis}:tickets"]).parse().unwrap();
    assert!(left <= 60_000, "the index goes with the last of them: {left} ms");
}

/// Whoever is over a rate of their own uses up nobody else's, and a request is one question.
#[tokio::test(flavor = "multi_thread")]
async fn counts_of_one_request_are_asked_in_turn_up_to_the_first_that_refuses() {
    let redis = TestRedis::start();
    let store = shared(&redis);
    let (address, route) = (key(1, MINUTE, 1), key(2, MINUTE, 3));
    let both = || store.count([9; 32], vec![address, route]);
    assert_eq!(both().await.unwrap(), [left(0), left(2)]);
    for _ in 0..5 {
        let answers = both().await.unwrap();
        assert!(answers.len() == 1 && is_refused(&answers, MINUTE), "{answers:?}");
    }
    let other = store.count([9; 32], vec![key(3, MINUTE, 1), route]).await.unwrap();
    assert_eq!(other, [left(0), left(1)], "five refusals have cost the route nothing");
    let rows = redis.cli(&["KEYS", "*"]);
    let tags: std::collections::HashSet<_> = rows.lines().map(|row| row.split('}').next().unwrap()).collect();
    assert_eq!(tags.len(), 1, "one slot of a Cluster: {rows}");
}

/// A script that names keys of two nodes is refused there, and one node is not to carry all counts.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_cluster_counts_are_spread_and_those_of_one_request_stand_together() {
    let nodes = TestRedis::cluster();
    let servers = RedisServers::Cluster(nodes.iter().map(TestRedis::address).collect());
    let store = RedisShared::new(RedisClient::start(settings_of(servers), &Handle::current()).unwrap());
    for who in 0..50 {
        assert_eq!(store.count([9; 32], vec![key(who, MINUTE, 2)]).await.unwrap(), [left(1)]);
    }
    assert!(nodes.iter().all(|node| node.cli(&["DBSIZE"]) != "0"), "each node has some");
    for (who, rest) in (100..105).zip((0..5).rev()) {
        let both = store.count([9; 32], vec![key(who, MINUTE, 2), key(200, MINUTE, 5)]).await.unwrap();
        assert_eq!(both, [left(1), left(rest)]);
    }
    let (name, family) =
        (OneTimeName { kind: OneTimeKind::Ticket, digest: [1; 32] }, SessionId::from_bytes([2; 32]));
    assert_eq!(store.put(name, vec![1], MINUTE).await.unwrap(), Put::Kept);
    assert_eq!(store.take(name).await.unwrap(), Some(vec![1]));
    assert_eq!(store.acquire(family, Holder([1; 16]), MINUTE).await.unwrap(), Acquired::Held);
}

/// Something else has written there, or an attacker has: it is no pass and no refusal for ever, and stays as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_no_count_decides_nothing_and_is_left_alone() {
    let redis = TestRedis::start();
    let store = shared(&redis);
    let ask = || store.count([0; 32], vec![key(1, MINUTE, 2)]);
    ask().await.unwrap();
    let row = redis.cli(&["KEYS", "*"]);
    for garbage in ["", "x", "-1", "1.5", "1e99", "nan", " 1", "12345x"] {
        redis.cli(&["SET", &row, garbage]);
        assert!(matches!(ask().await, Err(RateError::Nonsense(_))), "{garbage:?}");
    }
    redis.cli(&["DEL", &row]);
    redis.cli(&["RPUSH", &row, "1"]);
    assert!(matches!(ask().await, Err(RateError::Nonsense(_))), "a list");
    assert_eq!(redis.cli(&["TYPE", &row]), "list");
    redis.cli(&["DEL", &row]);
    for ahead in ["9007199254740991", "99999999999999999999999999"] {
        redis.cli(&["SET", &row, ahead]);
        assert!(is_refused(&ask().await.unwrap(), MINUTE), "a time that no clock comes to: {ahead}");
        let ttl: u64 = redis.cli(&["PTTL", &row]).parse().unwrap();
        assert!(ttl <= 120_000, "it ends as a whole debt does: {ttl}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_counts_nothing_and_says_so() {
    let redis = TestRedis::with(&["--maxmemory-policy", "noeviction"]);
    let store = shared(&redis);
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let answer = store.count([0; 32], vec![key(1, MINUTE, 2)]).await;
    assert!(matches!(answer, Err(RateError::Away(_))), "{answer:?}");
    let name = OneTimeName { kind: OneTimeKind::Ticket, digest: [1; 32] };
    assert!(store.put(name, vec![1], MINUTE).await.is_err());
}

/// What another program keeps under such a name is neither spent nor free.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_somebody_else_are_unknown_and_left_alone() {
    let redis = TestRedis::start();
    let store = shared(&redis);
    let name = OneTimeName { kind: OneTimeKind::Ticket, digest: [1; 32] };
    let family = SessionId::from_bytes([2; 32]);
    store.put(name, vec![1], MINUTE).await.unwrap();
    store.acquire(family, Holder([1; 16]), MINUTE).await.unwrap();
    for row in redis.cli(&["KEYS", "*:*:*"]).lines() {
        redis.cli(&["SET", row, "garbage"]);
    }
    assert!(store.put(name, vec![1], MINUTE).await.is_err());
    assert!(store.take(name).await.is_err());
    let other = Holder([2; 16]);
    assert!(store.acquire(family, other, MINUTE).await.is_err());
    assert!(!store.renew(family, other, MINUTE).await.unwrap());
    store.release(family, other, None).await.unwrap();
    assert_eq!(redis.cli(&["DBSIZE"]), "3", "with the index of tickets");
}

/// An answer that was lost is asked for once more: it is the same, and for nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_runs_twice_says_the_same_twice() {
    let redis = TestRedis::start();
    let client = RedisClient::start(redis.settings(), &Handle::current()).unwrap();
    let run = async |script: &str, arguments: &[&[u8]]| {
        let script = crate::storage::redis::Script::new(script);
        let mut call = script.prepare_invoke();
        call.key("{portcullis}:x").key("{portcullis}:xs");
        arguments.iter().for_each(|argument| _ = call.arg(*argument));
        client.run::<Option<Vec<u8>>>(&call).await.unwrap()
    };
    let (put, take) = (include_str!("../redis/put.lua"), include_str!("../redis/take.lua"));
    let (one, two) = (&[1_u8; 16][..], &[2_u8; 16][..]);
    assert_eq!(run(put, &[one, b"v", b"9999", b"9", b"0"]).await, None);
    assert_eq!(run(put, &[one, b"v", b"9999", b"9", b"0"]).await, None, "again, by the same");
    assert_eq!(run(put, &[two, b"w", b"9999", b"9", b"0"]).await, Some(b"v".to_vec()), "by another");
    assert_eq!(run(take, &[one, b"4000"]).await, Some(b"v".to_vec()));
    assert_eq!(run(take, &[one, b"4000"]).await, Some(b"v".to_vec()), "again, by the same");
    assert_eq!(run(take, &[two, b"4000"]).await, None, "by another");
    assert_eq!(run(put, &[two, b"w", b"9999", b"9", b"0"]).await, None, "it is gone");
}

fn settings() -> impl Strategy<Value = LimitSettings> {
    // Rates whose interval is whole microseconds: what lies between is rounded up in the store.
    let count = prop_oneof![Just(1_u32), Just(2), Just(5), Just(8), Just(10), Just(20)];
    (count, prop_oneof![Just(1_u64), Just(7), Just(60)], 1_u32..6).prop_map(|(count, seconds, burst)| {
        let rate = Rate { count: count.try_into().unwrap(), period: Duration::from_secs(seconds) };
        LimitSettings { per: Per::Address, rate, burst: burst.try_into().unwrap() }
    })
}

fn requests() -> impl Strategy<Value = Vec<(u8, u64)>> {
    let pause = prop_oneof![Just(0_u64), 0_u64..400_000, 0_u64..20_000_000];
    proptest::collection::vec((0_u8..4, pause), 0..60)
}

/// The script is the algorithm that a gateway by itself counts by: for the same arrivals, the same decisions, the same
/// number left, the same wait.
#[test]
fn the_script_decides_as_the_limiter_does() {
    let (redis, runtime) = (TestRedis::start(), Runtime::new().unwrap());
    let client = RedisClient::start(redis.settings(), runtime.handle()).unwrap();
    let mut runner = TestRunner::new(Config { cases: 40, ..Config::default() });
    let begin = std::cell::Cell::new(1_800_000_000_000_000_u64);
    let arrivals = (settings(), requests());
    let run = runner.run(&arrivals, |(limit, requests)| {
        redis.cli(&["FLUSHALL"]);
        let clock = Clock::manual(Timestamp::from_seconds(1));
        let limiter = Limiter::with_clock(std::slice::from_ref(&limit), 1000, &clock);
        begin.set(begin.get() + 1);
        for (who, pause) in requests {
            clock.advance(Duration::from_micros(pause));
            begin.set(begin.get() + pause);
            let client_address = ClientAddress::new(format!("10.0.0.{who}").parse().unwrap());
            let question = limiter.client_questions(client_address, &HeaderMap::new()).remove(0);
            let interval = u64::try_from(question.interval().as_micros()).unwrap();
            let mut call = COUNT.prepare_invoke();
            call.key(format!("{{portcullis}}:{who}")).arg(interval).arg(question.burst()).arg(begin.get());
            let answer: Vec<i64> = runtime.block_on(client.run(&call)).unwrap();
            let here = limiter.count_client(client_address, &HeaderMap::new());
            let (mut told, mut expected) = (HeaderMap::new(), HeaderMap::new());
            match (question.tell(crate::replicas::redis::answer(answer[0])), here) {
                (Ok(there), Ok(here)) => {
                    there.write_headers(&mut told);
                    here.write_headers(&mut expected);
                }
                (Err(there), Err(here)) => {
                    prop_assert_eq!(there.retry_after(), here.retry_after());
                }
                (there, here) => prop_assert!(false, "{there:?} {here:?}"),
            }
            prop_assert_eq!(told, expected);
        }
        Ok(())
    });
    run.unwrap();
}

/// Whatever the clock of the servers does, nobody gets more than a burst at a time and their rate behind it.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_back_gives_nothing_twice_and_holds_nobody_up() {
    let redis = TestRedis::start();
    let client = RedisClient::start(redis.settings(), &Handle::current()).unwrap();
    let second = 1_000_000_u64;
    let ask = async |now: u64| {
        let mut call = COUNT.prepare_invoke();
        call.key("{portcullis}:x").arg(second).arg(3).arg(now);
        client.run::<Vec<i64>>(&call).await.unwrap()[0]
    };
    let (day, hour) = (1_800_000_000 * second, 3600 * second);
    let mut answers = HashMap::new();
    for now in [day, day, day, day] {
        *answers.entry(ask(now).await >= 0).or_insert(0) += 1;
    }
    assert_eq!(answers[&true], 3);
    let back = day - hour;
    assert!(ask(back).await < 0, "its burst is used up, whatever time it is");
    assert!(ask(back + second - 1).await < 0);
    assert!(ask(back + second).await >= 0, "one request a second from now on, and not in an hour");
    assert!(ask(back + second).await < 0);
}
