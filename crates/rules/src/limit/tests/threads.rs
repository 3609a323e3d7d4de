use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{address_of, limit, limiter, passes};
use crate::limit::{Concurrency, Per};

/// What `work` counted in all, done by eight threads at once.
fn together(work: impl Fn(usize) -> usize + Sync) -> usize {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                scope.spawn({
                    let work = &work;
                    move || work(thread)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

#[test]
fn many_threads_get_a_burst_once() {
    for per in [Per::Address, Per::Route] {
        let (limiter, _) = limiter(&[limit(per, "1/day", 500)]);
        let passed = together(|_| (0..1000).filter(|_| passes(&limiter, "192.0.2.1")).count());
        assert_eq!(passed, 500);
    }
}

#[test]
fn many_threads_with_many_keys_stay_within_the_bound() {
    let (limiter, _) = limiter(&[limit(Per::Address, "1/day", 1)]);
    together(|thread| (0..2000).filter(|key| passes(&limiter, &address_of(thread * 1000 + key))).count());
    assert_eq!(together(|_| (0..9000).filter(|key| passes(&limiter, &address_of(*key))).count()), 0);
    let [places, resting, _] = limiter.sizes();
    assert!(places <= 1000 && places == resting);
}

#[test]
fn a_slot_is_free_again_when_it_is_dropped() {
    let concurrency = Concurrency::new(Some(2));
    let (first, second) = (concurrency.try_enter(), concurrency.try_enter());
    assert!(first.is_some() && second.is_some() && concurrency.try_enter().is_none());
    drop(first);
    let third = concurrency.try_enter();
    assert!(third.is_some() && concurrency.try_enter().is_none());
}

#[test]
fn without_a_bound_everybody_enters_and_with_none_nobody() {
    let slots: Vec<_> = (0..1000).map(|_| Concurrency::new(None).try_enter()).collect();
    assert!(slots.iter().all(Option::is_some));
    assert!(Concurrency::new(Some(0)).try_enter().is_none());
}

#[test]
fn many_threads_never_hold_more_slots_than_there_are() {
    let (concurrency, inside) = (Concurrency::new(Some(3)), AtomicUsize::new(0));
    let entered = together(|_| {
        let enter = |_: &usize| {
            let Some(_slot) = concurrency.try_enter() else { return false };
            assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
            thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
            true
        };
        (0..2000).filter(enter).count()
    });
    assert!(entered > 0);
    let slots: Vec<_> = (0..4).map(|_| concurrency.try_enter()).collect();
    assert_eq!(slots.iter().filter(|slot| slot.is_some()).count(), 3);
}
