//! How sessions end: at once, everywhere, for good (invariant 8).

use super::*;

#[tokio::test]
async fn signed_out_once_is_signed_out_everywhere_invariant_8() {
    for ends in [0, 1, 2] {
        let house = House::new();
        let (key, root) = house.sessions.create(sign_in()).await.unwrap();
        let (wiki_key, wiki) = house.sessions.create(app_session(&root)).await.unwrap();
        let (mail_key, mail) = house.sessions.create(app_session(&wiki)).await.unwrap();
        let (bystander, _) = house.sessions.create(sign_in()).await.unwrap();
        house.sessions.end(&[root, wiki, mail][ends].id).await.unwrap();
        for key in [&key, &wiki_key, &mail_key] {
            assert!(house.sessions.cached(key).is_none() && !house.finds(key).await);
            assert!(!house.restarted().finds(key).await);
        }
        assert!(house.finds(&bystander).await);
    }
}

#[tokio::test]
async fn live_streams_are_cut_invariant_8() {
    let house = House::new();
    let (_, root) = house.sessions.create(sign_in()).await.unwrap();
    let (_, app) = house.sessions.create(app_session(&root)).await.unwrap();
    let (_, other) = house.sessions.create(sign_in()).await.unwrap();
    let mut streams = [house.sessions.ended(&root), house.sessions.ended(&app)];
    let mut bystander = house.sessions.ended(&other);
    for stream in &mut streams {
        assert!(!done_now(stream).await);
    }
    assert!(!done_now(&mut bystander).await);
    house.sessions.end(&root.id).await.unwrap();
    for stream in &mut streams {
        assert!(done_now(stream).await);
    }
    assert!(done_now(&mut house.sessions.ended(&app)).await, "also one that comes too late");
    assert!(!done_now(&mut bystander).await);
}

#[tokio::test]
async fn a_stream_is_woken_when_its_session_ends() {
    let house = House::new();
    let (key, session) = house.sessions.create(sign_in()).await.unwrap();
    let stream = tokio::spawn(house.sessions.ended(&session));
    tokio::task::yield_now().await;
    house.sessions.end(key.id()).await.unwrap();
    stream.await.unwrap();
}

#[tokio::test]
async fn a_session_read_just_before_its_end_is_not_put_back_after_it_invariant_8() {
    let house = House::new();
    let (key, _) = house.sessions.create(sign_in()).await.unwrap();
    let house = house.restarted();
    house.store.close();
    let finding = tokio::spawn({
        let (sessions, key) = (house.sessions.clone(), key.clone());
        async move { sessions.find(&key).await }
    });
    until(|| house.store.loads() == 1).await;
    // A full round trip behind it in the database's queue: its answer has been read.
    house.database.write(|_| Ok(())).await.unwrap();
    house.sessions.end(key.id()).await.unwrap();
    house.store.gate.add_permits(100);
    assert!(finding.await.unwrap().unwrap().is_none());
    assert_eq!(house.store.loads(), 2, "it was read again");
    assert!(house.sessions.cached(&key).is_none());
}

#[tokio::test]
async fn an_end_completes_though_its_caller_hangs_up_invariant_8() {
    let house = House::new();
    let (key, session) = house.sessions.create(sign_in()).await.unwrap();
    let mut hung_up = Box::pin(house.sessions.end(key.id()));
    assert!(!done_now(&mut hung_up).await);
    drop(hung_up);
    house.sessions.ended(&session).await;
    assert!(house.sessions.cached(&key).is_none());
    // Its task ends after its operation on the database, which runs one after the other.
    house.database.write(|_| Ok(())).await.unwrap();
    assert!(!house.restarted().finds(&key).await);
}

#[tokio::test]
async fn an_end_that_the_store_misses_is_told_and_cuts_what_is_in_memory() {
    let house = House::new();
    let (key, session) = house.sessions.create(sign_in()).await.unwrap();
    let (app_key, _) = house.sessions.create(app_session(&session)).await.unwrap();
    house.store.away.store(true, Ordering::Relaxed);
    assert!(house.sessions.end(key.id()).await.is_err());
    assert!(house.sessions.cached(&key).is_none() && house.sessions.cached(&app_key).is_none());
    assert!(done_now(&mut house.sessions.ended(&session)).await);
    house.store.away.store(false, Ordering::Relaxed);
    assert!(!house.finds(&key).await && !house.finds(&app_key).await, "the store has them still");
}

#[tokio::test]
async fn nothing_hangs_on_a_root_that_has_ended_invariant_8() {
    let house = House::new();
    let (key, root) = house.sessions.create(sign_in()).await.unwrap();
    let elsewhere = house.restarted();
    elsewhere.sessions.end(key.id()).await.unwrap();
    // This gateway has not heard of it.
    let refused = house.sessions.create(app_session(&root)).await;
    assert!(matches!(refused, Err(SessionError::Ended)));
    let refused = house.sessions.replace_tokens(&key, &root, tokens("new"), None).await;
    assert!(matches!(refused, Err(SessionError::Ended)));
}

#[tokio::test]
async fn a_sign_in_ends_the_key_from_before_it() {
    let house = House::new();
    let (old_key, old) = house.sessions.create(sign_in()).await.unwrap();
    let (app_key, _) = house.sessions.create(app_session(&old)).await.unwrap();
    let (new_key, _) = house.sessions.rotate(&old_key, sign_in()).await.unwrap();
    assert!(!house.finds(&old_key).await && !house.finds(&app_key).await);
    assert!(!house.restarted().finds(&old_key).await);
    assert!(house.finds(&new_key).await);
}

#[tokio::test]
async fn an_app_session_made_anew_leaves_its_family_alone() {
    let house = House::new();
    let (key, root) = house.sessions.create(sign_in()).await.unwrap();
    let (app_key, _) = house.sessions.create(app_session(&root)).await.unwrap();
    let (again, _) = house.sessions.rotate(&app_key, app_session(&root)).await.unwrap();
    assert!(house.finds(&key).await && house.finds(&again).await);
}

#[tokio::test]
async fn a_purge_takes_what_is_over_and_cuts_its_streams() {
    let house = House::new();
    let (idle_key, idle) = house.sessions.create(sign_in()).await.unwrap();
    let (used_key, _) = house.sessions.create(sign_in()).await.unwrap();
    for _ in 0..3 {
        house.pass(30);
        assert!(house.sessions.cached(&used_key).is_some());
    }
    let mut stream = house.sessions.ended(&idle);
    assert_eq!(house.sessions.purge().await.unwrap(), 1);
    assert!(done_now(&mut stream).await);
    assert!(!house.finds(&idle_key).await && house.finds(&used_key).await);
    house.pass(12 * 60);
    assert_eq!(house.sessions.purge().await.unwrap(), 1);
    let rows = |connection: &mut rusqlite::Connection| {
        connection.query_row("SELECT count(*) FROM sessions", [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(house.database.write(rows).await.unwrap(), 0);
}

#[tokio::test]
async fn families_that_nobody_holds_are_forgotten_invariant_14() {
    let families = family::Families::new(family::Terms {
        lifetimes: Arc::new(lifetimes::Lifetimes::new(&SessionSettings::default())),
        clock: Clock::manual(START),
        activity: Arc::new(activity::Activity::new()),
    });
    for n in 0..10_000_u32 {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        families.join(SessionId::from_bytes(id), SessionId::from_bytes(id), START);
    }
    assert!(families.len() <= 64, "{}", families.len());
}

/// Minutes until `stream` ends, looked at once a minute.
async fn minutes_until(stream: &mut SessionEnded, house: &House) -> u64 {
    let mut minutes = 0;
    while !done_now(stream).await {
        minutes += 1;
        house.pass(1);
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    minutes
}

#[tokio::test(start_paused = true)]
async fn invariant_8_a_stream_ends_with_its_session_whoever_looks_after_that() {
    let house = House::new();
    let (_, idle) = house.sessions.create(sign_in()).await.unwrap();
    assert_eq!(minutes_until(&mut idle.ended(StreamUse::Unused), &house).await, 60, "it was not used");
    let (_, used) = house.sessions.create(sign_in()).await.unwrap();
    assert_eq!(minutes_until(&mut used.ended(StreamUse::Used), &house).await, 12 * 60, "up to `max_age`");
    assert!(done_now(&mut used.ended(StreamUse::Used)).await && used.left().is_none(), "and no further");
}

#[tokio::test(start_paused = true)]
async fn what_is_used_meanwhile_ends_later_and_what_is_over_stays_over() {
    let house = House::new();
    let (key, session) = house.sessions.create(sign_in()).await.unwrap();
    let mut stream = session.ended(StreamUse::Unused);
    assert!(!done_now(&mut stream).await);
    house.pass(30);
    session.used();
    assert_eq!(minutes_until(&mut stream, &house).await, 60);
    session.used();
    assert!(session.left().is_none() && !house.finds(&key).await);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_use_is_so_until_it_ends() {
    let house = House::new();
    let (_, session) = house.sessions.create(sign_in()).await.unwrap();
    let mut stream = session.ended(StreamUse::Used);
    assert!(!done_now(&mut stream).await);
    house.pass(3);
    drop(stream);
    assert_eq!(session.last_seen(), house.clock.now());
}

#[tokio::test]
async fn whoever_is_cut_learns_why() {
    let house = House::new();
    for why in [SessionEnd::SignedOut, SessionEnd::Revoked] {
        let (key, session) = house.sessions.create(sign_in()).await.unwrap();
        let stream = session.ended(StreamUse::Unused);
        house.sessions.end_because(key.id(), why).await.unwrap();
        assert_eq!((stream.await, session.end_reason()), (why, Some(why)));
    }
}
