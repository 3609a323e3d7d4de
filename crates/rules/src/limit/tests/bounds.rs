//! Invariant 14: no number of keys costs memory without bound, nor wins anybody anything.

use std::time::Duration;

use super::{address_of, clock, limit, passes};
use crate::clock::Clock;
use crate::limit::store::BoundedStore;
use crate::limit::{Limiter, Per};

const PLACES: usize = 1000;
const SHARED: usize = 1024;
const KEYS: usize = 100_000;

fn crowd(limiter: &Limiter, keys: std::ops::Range<usize>) -> usize {
    keys.filter(|key| passes(limiter, &address_of(*key))).count()
}

fn full() -> (Limiter, Clock) {
    let clock = clock();
    let limiter = Limiter::with_clock(&[limit(Per::Address, "1/min", 2)], PLACES as u64, &clock);
    (limiter, clock)
}

#[test]
fn memory_is_bounded_however_many_keys_come() {
    for rounds in 1..=4 {
        let (limiter, clock) = full();
        for round in 0..rounds {
            let passed = crowd(&limiter, round * KEYS / 4..(round + 1) * KEYS / 4);
            assert!(passed <= PLACES + 2 * SHARED, "{passed}");
            clock.advance(Duration::from_secs(40));
        }
        let [places, resting, shared] = limiter.sizes();
        assert!((PLACES * 9 / 10..=PLACES).contains(&places), "{places}");
        assert!(places == resting && shared <= SHARED, "{resting} {shared}");
    }
}

#[test]
fn a_flood_of_keys_resets_nobodys_debt() {
    let (limiter, clock) = full();
    assert!(passes(&limiter, "192.0.2.1") && passes(&limiter, "192.0.2.1") && !passes(&limiter, "192.0.2.1"));
    crowd(&limiter, 0..KEYS);
    assert!(!passes(&limiter, "192.0.2.1"));
    clock.advance(Duration::from_secs(59));
    crowd(&limiter, 0..KEYS);
    assert!(!passes(&limiter, "192.0.2.1"));
    clock.advance(Duration::from_secs(1));
    assert!(passes(&limiter, "192.0.2.1"));
}

#[test]
fn a_flood_of_keys_takes_nothing_from_those_who_were_there_before() {
    let (limiter, clock) = full();
    assert!(passes(&limiter, "192.0.2.1"));
    for _ in 0..3 {
        crowd(&limiter, 0..KEYS / 10);
        assert!(passes(&limiter, "192.0.2.1"));
        clock.advance(Duration::from_secs(60));
    }
}

#[test]
fn newcomers_beyond_the_bound_share_a_rate_and_are_not_let_through() {
    let (limiter, clock) = full();
    crowd(&limiter, 0..KEYS);
    assert_eq!(crowd(&limiter, KEYS..2 * KEYS), 0);
    clock.advance(Duration::from_secs(60));
    assert!(crowd(&limiter, 2 * KEYS..3 * KEYS) <= PLACES + SHARED);
}

#[test]
fn places_are_free_again_once_their_keys_are_at_rest() {
    let (limiter, clock) = full();
    crowd(&limiter, 0..KEYS);
    clock.advance(Duration::from_secs(120));
    let (first, second) = (crowd(&limiter, KEYS..KEYS + 500), crowd(&limiter, KEYS..KEYS + 500));
    assert_eq!((first, second), (500, 500));
    assert_eq!(crowd(&limiter, KEYS..KEYS + 500), 0);
}

#[test]
fn without_places_everybody_shares() {
    let clock = clock();
    let limiter = Limiter::with_clock(&[limit(Per::Address, "1/min", 1)], 0, &clock);
    assert!(crowd(&limiter, 0..KEYS) <= SHARED);
    assert_eq!(limiter.sizes()[..2], [0, 0]);
}

#[test]
fn a_limiter_that_nobody_has_asked_has_no_places() {
    assert_eq!(BoundedStore::new(1_000_000, 1.into()).sizes(), [0, 0, 0]);
}
