//! How many sign-ins a person may hold.

use std::collections::HashSet;
use std::num::NonZeroU32;

use futures_util::future::join_all;

use super::*;

fn bounded(world: &World, most: u32) {
    let max_per_person = NonZeroU32::new(most);
    world.sessions.set_lifetimes(&SessionSettings { max_per_person, ..SessionSettings::default() });
}

async fn held(world: &World) -> HashSet<SessionId> {
    let of_alice = Selector::Subject(alice().issuer.clone(), "subject-of-alice".into());
    let found = world.sessions.list(&of_alice, None, 1000).await.unwrap();
    found.into_iter().map(|found| found.id).collect()
}

#[tokio::test]
async fn the_oldest_sign_in_ends_where_a_person_holds_too_many_and_says_why() {
    let world = World::new();
    bounded(&world, 2);
    let (first, session) = world.sessions.create(sign_in()).await.unwrap();
    let mut ended = world.sessions.ended(&session);
    let (second, _) = world.sessions.create(sign_in()).await.unwrap();
    assert!(!done_now(&mut ended).await && world.finds(&first).await, "two are allowed");
    let (third, _) = world.sessions.create(sign_in()).await.unwrap();
    let why = tokio::time::timeout(Duration::from_secs(10), ended).await;
    assert_eq!(why.unwrap(), SessionEnd::SignedInElsewhere);
    assert!(!world.finds(&first).await && world.finds(&second).await && world.finds(&third).await);
    assert!(!world.restarted().finds(&first).await, "in the store as well");
    assert_eq!(world.sessions.why_ended(first.id()), Some(SessionEnd::SignedInElsewhere));
    assert_eq!(world.sessions.why_ended(third.id()), None);
    let counted = world.sessions.ends().filter(|(_, count)| *count > 0);
    assert_eq!(counted.collect::<Vec<_>>(), [(SessionEnd::SignedInElsewhere, 1)]);
}

/// All within one second of a clock that another machine's may be behind.
#[tokio::test]
async fn the_newest_is_never_the_one_that_ends_whatever_clocks_say() {
    let world = World::new();
    bounded(&world, 1);
    for _ in 0..20 {
        let (key, _) = world.sessions.create(sign_in()).await.unwrap();
        assert!(world.finds(&key).await);
        assert_eq!(held(&world).await, HashSet::from([*key.id()]));
    }
    world.pass(60);
    world.sessions.create(sign_in()).await.unwrap();
    world.clock.set(START);
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    assert_eq!(held(&world).await, HashSet::from([*key.id()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_sign_ins_at_once_leave_as_many_as_a_person_may_hold() {
    for most in [1, 3] {
        let world = World::new();
        bounded(&world, most);
        // As two gateways at one store.
        let other = world.restarted();
        bounded(&other, most);
        let sign_ins = (0..10).map(|n| {
            let sessions = if n % 2 == 0 { &world.sessions } else { &other.sessions };
            let sessions = sessions.clone();
            tokio::spawn(async move { sessions.create(sign_in()).await.unwrap() })
        });
        join_all(sign_ins.collect::<Vec<_>>()).await;
        assert_eq!(held(&world).await.len(), most as usize);
        let (key, _) = world.sessions.create(sign_in()).await.unwrap();
        assert!(held(&world).await.contains(key.id()), "and the next one is let in");
    }
}

#[tokio::test]
async fn a_session_that_is_replaced_in_its_browser_does_not_count_twice() {
    let world = World::new();
    bounded(&world, 2);
    let (elsewhere, _) = world.sessions.create(sign_in()).await.unwrap();
    let (old, _) = world.sessions.create(sign_in()).await.unwrap();
    let (new, _) = world.sessions.rotate(&old, sign_in()).await.unwrap();
    assert_eq!(held(&world).await, HashSet::from([*elsewhere.id(), *new.id()]));
}

#[tokio::test]
async fn app_sessions_sessions_that_are_over_and_other_people_do_not_count() {
    let world = World::new();
    bounded(&world, 2);
    let (over, _) = world.sessions.create(sign_in()).await.unwrap();
    world.pass(55);
    let (kept, session) = world.sessions.create(sign_in()).await.unwrap();
    world.sessions.create(app_session(&session)).await.unwrap();
    let bob = Principal { subject: Subject::new("subject-of-bob"), ..(*alice()).clone() };
    let NewSession::Root { host, tokens, sid, origin, began, .. } = sign_in() else { unreachable!() };
    let bob = NewSession::Root { host, principal: Arc::new(bob), tokens, sid, origin, began };
    let (of_bob, _) = world.sessions.create(bob).await.unwrap();
    world.pass(12);
    // Idle, and not removed yet: it does not drive out one that is used.
    world.sessions.create(sign_in()).await.unwrap();
    assert!(world.finds(&kept).await && world.finds(&of_bob).await && !world.finds(&over).await);
}

#[tokio::test]
async fn who_holds_more_than_a_reload_allows_keeps_them_until_the_next_sign_in() {
    let world = World::new();
    for _ in 0..120 {
        world.sessions.create(sign_in()).await.unwrap();
    }
    bounded(&world, 3);
    assert_eq!(held(&world).await.len(), 120);
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    let held = held(&world).await;
    assert!(held.len() == 3 && held.contains(key.id()));
}

/// A store that cannot say how many there are lets nobody have more.
#[tokio::test]
async fn a_sign_in_that_cannot_be_counted_fails() {
    let world = World::new();
    bounded(&world, 1);
    world.store.away.store(true, Ordering::Relaxed);
    let error = world.sessions.create(sign_in()).await.unwrap_err();
    assert!(matches!(error, SessionError::Unavailable(_)));
}

#[tokio::test]
async fn all_sign_ins_but_one_end_and_none_that_was_under_way_comes_after() {
    let world = World::new();
    let (kept, _) = world.sessions.create(sign_in()).await.unwrap();
    for _ in 0..130 {
        world.sessions.create(sign_in()).await.unwrap();
    }
    let of_alice = Selector::Subject(alice().issuer.clone(), "subject-of-alice".into());
    let ended = world.sessions.end_all_but(*kept.id(), of_alice, SessionEnd::SignedOutElsewhere).await;
    assert_eq!(ended.unwrap(), 130);
    assert!(world.finds(&kept).await);
    assert_eq!(held(&world).await, HashSet::from([*kept.id()]));
    assert!(matches!(world.sessions.create(sign_in()).await, Err(SessionError::Ended)), "it began before");
}
