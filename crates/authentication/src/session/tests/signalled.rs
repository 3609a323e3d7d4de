//! What signals ask of sessions, and who reads it when.

use futures_util::FutureExt;

use super::*;

pub(super) fn risk() -> Concerned {
    Concerned {
        selector: Selector::Subject(alice().issuer.clone(), "subject-of-alice".into()),
        includes: Box::new(|_| true),
        signalled: START,
        made_until: START,
        by: "transmitter corp".into(),
    }
}

#[tokio::test]
async fn invariant_4_a_session_read_just_before_a_signal_is_read_again() {
    let world = World::new();
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    let world = world.restarted();
    let finding = world.reading(&key).await;
    assert_eq!(world.sessions.demand(Demand::StepUp, risk()).await.unwrap(), 1);
    world.store.gate.add_permits(100);
    let found = finding.await.unwrap().unwrap().unwrap();
    assert_eq!(found.step_up_since(), Some(START));
    assert_eq!(world.store.loads(), 2, "it was read again");
}

/// A process that drains hears of it, and asks the store of the one that has taken over.
#[tokio::test]
async fn invariant_8_a_signal_reaches_the_process_that_was_taken_over_from_and_goes_out_from_there() {
    let world = World::new();
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    let draining = Sessions::new(
        SessionSettings::default(),
        world.sessions.shared(),
        testing::keys(),
        world.clock.clone(),
    );
    let there = draining.find(&key).await.unwrap().unwrap();
    let (mut told, mut stream) = (world.sessions.endings(), draining.ended(&there));
    world.sessions.demand(Demand::StepUp, risk()).await.unwrap();
    draining.cut(told.recv().await.unwrap());
    assert_eq!((&mut stream).now_or_never(), Some(SessionEnd::StepUp));
    assert_eq!(draining.find(&key).await.unwrap().unwrap().step_up_since(), Some(START));
    let here = world.sessions.find(&key).await.unwrap().unwrap();
    let mut stream = world.sessions.ended(&here);
    draining.demand(Demand::Renewal, risk()).await.unwrap();
    assert_eq!((&mut stream).now_or_never(), Some(SessionEnd::StaleClaims));
    assert!(world.sessions.find(&key).await.unwrap().unwrap().has_stale_claims());
}

#[tokio::test]
async fn where_the_store_is_away_nothing_is_done_and_the_signal_is_to_come_again() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let mut stream = world.sessions.ended(&session);
    world.store.away.store(true, Ordering::Relaxed);
    for demand in [Demand::End, Demand::StepUp, Demand::Renewal] {
        assert!(world.sessions.demand(demand, risk()).await.is_err(), "{demand:?}");
    }
    assert_eq!((&mut stream).now_or_never(), None);
    world.store.away.store(false, Ordering::Relaxed);
    assert_eq!(world.sessions.demand(Demand::End, risk()).await.unwrap(), 1);
    assert!(!world.finds(&key).await);
}
