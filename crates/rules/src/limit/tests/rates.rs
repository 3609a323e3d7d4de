use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::{ask, client, clock, limit, limiter, passes, principal};
use crate::limit::{LimitSettings, Limiter, Per, Rate};

/// A bucket of tokens in whole nanoseconds: a request takes an interval's worth, time refills it.
struct Bucket {
    interval: u128,
    full: u128,
    held: HashMap<u8, (u128, u128)>,
}

impl Bucket {
    fn new(limit: &LimitSettings) -> Self {
        let interval = limit.rate.period.as_nanos().div_ceil(limit.rate.count.get().into());
        Self { interval, full: interval * u128::from(limit.burst.get()), held: HashMap::new() }
    }

    /// What is left after a request, where it may pass.
    fn take(&mut self, key: u8, now: Duration) -> Option<u128> {
        let (held, since) = self.held.entry(key).or_insert((self.full, 0));
        *held = self.full.min(*held + now.as_nanos() - *since);
        *since = now.as_nanos();
        *held = held.checked_sub(self.interval)?;
        Some(*held / self.interval)
    }

    /// Whether every bucket is full again, and would be even if all had drawn on one.
    fn is_at_rest(&self, now: Duration) -> bool {
        self.held.values().all(|(_, since)| now.as_nanos() - since >= self.full)
    }
}

fn settings() -> impl Strategy<Value = LimitSettings> {
    (1_u32..20, prop_oneof![Just(1_u64), Just(7), Just(60)], 1_u32..6).prop_map(|(count, seconds, burst)| {
        let rate = Rate { count: count.try_into().unwrap(), period: Duration::from_secs(seconds) };
        LimitSettings { per: Per::Address, rate, burst: burst.try_into().unwrap() }
    })
}

fn requests() -> impl Strategy<Value = Vec<(u8, u64)>> {
    let pause = prop_oneof![Just(0_u64), 0_u64..400, 0_u64..20_000];
    proptest::collection::vec((0_u8..6, pause), 0..200)
}

proptest! {
    #[test]
    fn decides_and_tells_what_a_bucket_of_tokens_does(limit in settings(), requests in requests()) {
        let (clock, mut bucket) = (clock(), Bucket::new(&limit));
        let limiter = Limiter::with_clock(&[limit], 1000, &clock);
        for (key, pause) in requests {
            clock.advance(Duration::from_millis(pause));
            let answer = ask(&limiter, &format!("10.0.0.{key}"));
            let left = answer.as_ref().ok().and_then(|rate_limit_state| Some(u128::from(rate_limit_state.told()?.1)));
            prop_assert_eq!(left, bucket.take(key, clock.monotonic()));
            if let Err(exceeded) = answer {
                prop_assert!(exceeded.retry_after() > Duration::ZERO);
            }
        }
    }

    #[test]
    fn waiting_as_told_is_long_enough_and_no_longer_than_needed(limit in settings(), requests in requests()) {
        let clock = clock();
        let limiter = Limiter::with_clock(&[limit], 1000, &clock);
        for (key, pause) in requests {
            clock.advance(Duration::from_millis(pause));
            let address = format!("10.0.0.{key}");
            let Err(exceeded) = ask(&limiter, &address) else { continue };
            clock.advance(exceeded.retry_after() - Duration::from_nanos(1));
            prop_assert!(!passes(&limiter, &address));
            clock.advance(Duration::from_nanos(1));
            prop_assert!(passes(&limiter, &address));
        }
    }

    /// Whatever the bound on keys: places are shared, given up and taken over, and still nobody gets more than
    /// alone, and whoever is alone gets all of it.
    #[test]
    fn nobody_exceeds_their_rate_however_few_places_there_are(
        limit in settings(),
        requests in requests(),
        places in 0_u64..40,
    ) {
        let (clock, mut bucket) = (clock(), Bucket::new(&limit));
        let limiter = Limiter::with_clock(&[limit], places, &clock);
        for (key, pause) in requests {
            clock.advance(Duration::from_millis(pause));
            let now = clock.monotonic();
            let alone = bucket.is_at_rest(now);
            let passed = passes(&limiter, &format!("10.0.0.{key}"));
            prop_assert!(passed || !alone);
            prop_assert!(!passed || bucket.take(key, now).is_some());
        }
    }
}

#[test]
fn each_address_has_a_rate_of_its_own() {
    let (limiter, clock) = limiter(&[limit(Per::Address, "60/min", 2)]);
    assert!(passes(&limiter, "192.0.2.1") && passes(&limiter, "192.0.2.1") && !passes(&limiter, "192.0.2.1"));
    assert!(!passes(&limiter, "::ffff:192.0.2.1"));
    assert!(passes(&limiter, "192.0.2.2"));
    clock.advance(Duration::from_secs(1));
    assert!(passes(&limiter, "192.0.2.1") && !passes(&limiter, "192.0.2.1"));
}

#[test]
fn the_addresses_of_a_64_are_one() {
    let (limiter, _) = limiter(&[limit(Per::Address, "1/min", 1)]);
    assert!(passes(&limiter, "2001:db8:0:1::1"));
    assert!(!passes(&limiter, "2001:db8:0:1:ffff:ffff:ffff:ffff"));
    assert!(passes(&limiter, "2001:db8:0:2::1"));
}

#[test]
fn a_route_has_one_rate_for_everybody() {
    let (limiter, _) = limiter(&[limit(Per::Route, "1/min", 2)]);
    assert!(passes(&limiter, "192.0.2.1") && passes(&limiter, "192.0.2.2") && !passes(&limiter, "192.0.2.3"));
}

#[test]
fn principals_are_told_apart_by_provider_and_subject_once_they_are_known() {
    let (limiter, _) = limiter(&[limit(Per::Principal, "1/min", 1)]);
    assert!((0..9).all(|_| passes(&limiter, "192.0.2.1")));
    let passes = |provider, subject| limiter.count_principal(&principal(provider, subject)).is_ok();
    assert!(passes("corp", "ann") && !passes("corp", "ann"));
    assert!(passes("corp", "bob") && passes("other", "ann") && passes("cor", "pann"));
}

#[test]
fn header_values_are_told_apart_and_no_trick_makes_new_ones() {
    let (limiter, _) = limiter(&[limit(Per::Header(HeaderName::from_static("x-api-key")), "1/min", 1)]);
    let passes = |values: &[&'static [u8]]| {
        let mut headers = HeaderMap::new();
        let values = values.iter().map(|value| HeaderValue::from_bytes(value).unwrap());
        values.for_each(|value| _ = headers.append("x-api-key", value));
        limiter.count_client(client("192.0.2.1"), &headers).is_ok()
    };
    assert!(passes(&[b"one"]) && !passes(&[b"one"]));
    assert!(passes(&[b"two"]) && passes(&[b""]) && passes(&[b"\xff"]));
    assert!(passes(&[]) && !passes(&[]));
    assert!(!passes(&[b"one", b"noise-1"]) && !passes(&[b"noise-2", b"one"]));
}

#[test]
fn whoever_is_over_their_own_rate_uses_up_nobody_elses() {
    let (limiter, _) = limiter(&[limit(Per::Route, "1/min", 3), limit(Per::Address, "1/min", 1)]);
    assert_eq!((0..9).filter(|_| passes(&limiter, "192.0.2.1")).count(), 1);
    assert!(passes(&limiter, "192.0.2.2") && passes(&limiter, "192.0.2.3") && !passes(&limiter, "192.0.2.4"));
}

#[test]
fn several_rates_for_one_key_all_hold() {
    let (limiter, clock) = limiter(&[limit(Per::Address, "10/s", 2), limit(Per::Address, "1/min", 3)]);
    let burst = || (0..9).filter(|_| passes(&limiter, "192.0.2.1")).count();
    assert_eq!(burst(), 2);
    clock.advance(Duration::from_secs(1));
    assert_eq!(burst(), 1);
}

#[test]
fn extreme_settings_neither_overflow_nor_let_everything_pass() {
    let rate = |count: u32, period| Rate { count: count.try_into().unwrap(), period };
    for rate in [rate(u32::MAX, Duration::from_nanos(1)), rate(1, Duration::MAX), rate(1, Duration::ZERO)] {
        for burst in [1, u32::MAX] {
            for per in [Per::Address, Per::Route] {
                let limits = [LimitSettings { per, rate, burst: burst.try_into().unwrap() }];
                let (limiter, clock) = limiter(&limits);
                assert!(passes(&limiter, "192.0.2.1"));
                clock.advance(Duration::from_nanos(u64::MAX));
                assert!(passes(&limiter, "192.0.2.1"));
            }
        }
    }
    let (limiter, _) = limiter(&[limit(Per::Address, "1/day", u32::MAX)]);
    assert_eq!(ask(&limiter, "192.0.2.1").unwrap().told().map(|(_, left)| left), Some(53_374));
}
