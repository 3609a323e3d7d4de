//! How sessions end: at once, everywhere, for good (invariant 8).

use super::*;

#[tokio::test]
async fn signed_out_once_is_signed_out_everywhere_invariant_8() {
    for ends in [0, 1, 2] {
        let world = World::new();
        let (key, root) = world.sessions.create(sign_in()).await.unwrap();
        let (wiki_key, wiki) = world.sessions.create(app_session(&root)).await.unwrap();
        let (mail_key, mail) = world.sessions.create(app_session(&wiki)).await.unwrap();
        let (bystander, _) = world.sessions.create(sign_in()).await.unwrap();
        world.sessions.end(&[root, wiki, mail][ends].id).await.unwrap();
        for key in [&key, &wiki_key, &mail_key] {
            assert!(world.sessions.cached(key).is_none() && !world.finds(key).await);
            assert!(!world.restarted().finds(key).await);
        }
        assert!(world.finds(&bystander).await);
    }
}

#[tokio::test]
async fn live_streams_are_cut_invariant_8() {
    let world = World::new();
    let (_, root) = world.sessions.create(sign_in()).await.unwrap();
    let (_, app) = world.sessions.create(app_session(&root)).await.unwrap();
    let (_, other) = world.sessions.create(sign_in()).await.unwrap();
    let mut streams = [world.sessions.ended(&root), world.sessions.ended(&app)];
    let mut bystander = world.sessions.ended(&other);
    for stream in &mut streams {
        assert!(!done_now(stream).await);
    }
    assert!(!done_now(&mut bystander).await);
    world.sessions.end(&root.id).await.unwrap();
    for stream in &mut streams {
        assert!(done_now(stream).await);
    }
    assert!(done_now(&mut world.sessions.ended(&app)).await, "also one that comes too late");
    assert!(!done_now(&mut bystander).await);
}

#[tokio::test]
async fn a_stream_is_woken_when_its_session_ends() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let stream = tokio::spawn(world.sessions.ended(&session));
    tokio::task::yield_now().await;
    world.sessions.end(key.id()).await.unwrap();
    stream.await.unwrap();
}

#[tokio::test]
async fn a_session_read_just_before_its_end_is_not_put_back_after_it_invariant_8() {
    let world = World::new();
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    let world = world.restarted();
    let finding = world.reading(&key).await;
    world.sessions.end(key.id()).await.unwrap();
    world.store.gate.add_permits(100);
    assert!(finding.await.unwrap().unwrap().is_none());
    assert_eq!(world.store.loads(), 2, "it was read again");
    assert!(world.sessions.cached(&key).is_none());
}

#[tokio::test]
async fn invariant_8_a_session_read_just_before_another_process_ends_its_root_is_read_again() {
    let world = World::new();
    let (_, root) = world.sessions.create(sign_in()).await.unwrap();
    let (app_key, _) = world.sessions.create(app_session(&root)).await.unwrap();
    let draining = world.restarted();
    draining.store.close();
    let finding = tokio::spawn({
        let (sessions, key) = (draining.sessions.clone(), app_key.clone());
        async move { sessions.find(&key).await }
    });
    until(|| draining.store.loads() == 1).await;
    draining.database.write(|_| Ok(())).await.unwrap();
    world.sessions.end(&root.id).await.unwrap();
    draining.sessions.cut((root.id, SessionEnd::SignedOut));
    draining.store.gate.add_permits(100);
    assert!(finding.await.unwrap().unwrap().is_none());
    assert_eq!(draining.store.loads(), 2);
}

#[tokio::test]
async fn an_end_completes_though_its_caller_hangs_up_invariant_8() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let mut hung_up = Box::pin(world.sessions.end(key.id()));
    assert!(!done_now(&mut hung_up).await);
    drop(hung_up);
    world.sessions.ended(&session).await;
    assert!(world.sessions.cached(&key).is_none());
    // Its task ends after its operation on the database, which runs one after the other.
    world.database.write(|_| Ok(())).await.unwrap();
    assert!(!world.restarted().finds(&key).await);
}

#[tokio::test]
async fn an_end_that_the_store_misses_is_told_and_cuts_what_is_in_memory() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let (app_key, _) = world.sessions.create(app_session(&session)).await.unwrap();
    world.store.away.store(true, Ordering::Relaxed);
    assert!(world.sessions.end(key.id()).await.is_err());
    assert!(world.sessions.cached(&key).is_none() && world.sessions.cached(&app_key).is_none());
    assert!(done_now(&mut world.sessions.ended(&session)).await);
    world.store.away.store(false, Ordering::Relaxed);
    assert!(!world.finds(&key).await && !world.finds(&app_key).await, "the store has them still");
}

#[tokio::test]
async fn nothing_hangs_on_a_root_that_has_ended_invariant_8() {
    let world = World::new();
    let (key, root) = world.sessions.create(sign_in()).await.unwrap();
    let elsewhere = world.restarted();
    elsewhere.sessions.end(key.id()).await.unwrap();
    // This gateway has not heard of it.
    let refused = world.sessions.create(app_session(&root)).await;
    assert!(matches!(refused, Err(SessionError::Ended)));
    let refused = world.sessions.replace_tokens(&key, &root, tokens("new"), None).await;
    assert!(matches!(refused, Err(SessionError::Ended)));
}

#[tokio::test]
async fn a_sign_in_ends_the_key_from_before_it() {
    let world = World::new();
    let (old_key, old) = world.sessions.create(sign_in()).await.unwrap();
    let (app_key, _) = world.sessions.create(app_session(&old)).await.unwrap();
    let (new_key, _) = world.sessions.rotate(&old_key, sign_in()).await.unwrap();
    assert!(!world.finds(&old_key).await && !world.finds(&app_key).await);
    assert!(!world.restarted().finds(&old_key).await);
    assert!(world.finds(&new_key).await);
}

#[tokio::test]
async fn an_app_session_made_anew_leaves_its_family_alone() {
    let world = World::new();
    let (key, root) = world.sessions.create(sign_in()).await.unwrap();
    let (app_key, _) = world.sessions.create(app_session(&root)).await.unwrap();
    let (again, _) = world.sessions.rotate(&app_key, app_session(&root)).await.unwrap();
    assert!(world.finds(&key).await && world.finds(&again).await);
}

#[tokio::test]
async fn a_purge_takes_what_is_over_and_cuts_its_streams() {
    let world = World::new();
    let (idle_key, idle) = world.sessions.create(sign_in()).await.unwrap();
    let (used_key, _) = world.sessions.create(sign_in()).await.unwrap();
    for _ in 0..3 {
        world.pass(30);
        assert!(world.sessions.cached(&used_key).is_some());
    }
    let mut stream = world.sessions.ended(&idle);
    assert_eq!(world.sessions.purge().await.unwrap(), 1);
    assert!(done_now(&mut stream).await);
    assert!(!world.finds(&idle_key).await && world.finds(&used_key).await);
    world.pass(12 * 60);
    assert_eq!(world.sessions.purge().await.unwrap(), 1);
    let rows = |connection: &mut rusqlite::Connection| {
        connection.query_row("SELECT count(*) FROM sessions", [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(world.database.write(rows).await.unwrap(), 0);
}

#[tokio::test]
async fn families_that_nobody_holds_are_forgotten_invariant_14() {
    let families = family::Families::new(family::Terms {
        lifetimes: Arc::new(lifetimes::Lifetimes::new(&SessionSettings::default())),
        clock: Clock::manual(START),
        activity: Arc::new(activity::TouchQueue::new()),
    });
    for n in 0..10_000_u32 {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        families.join(SessionId::from_bytes(id), SessionId::from_bytes(id), START);
    }
    assert!(families.len() <= 64, "{}", families.len());
}

/// Minutes until `stream` ends, looked at once a minute.
async fn minutes_until(stream: &mut SessionEnded, world: &World) -> u64 {
    let mut minutes = 0;
    while !done_now(stream).await {
        minutes += 1;
        world.pass(1);
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    minutes
}

#[tokio::test(start_paused = true)]
async fn invariant_8_a_stream_ends_with_its_session_whoever_looks_after_that() {
    let world = World::new();
    let (_, idle) = world.sessions.create(sign_in()).await.unwrap();
    assert_eq!(minutes_until(&mut idle.ended(StreamUse::Unused), &world).await, 60, "it was not used");
    let (_, used) = world.sessions.create(sign_in()).await.unwrap();
    assert_eq!(minutes_until(&mut used.ended(StreamUse::Used), &world).await, 12 * 60, "up to `max_age`");
    assert!(done_now(&mut used.ended(StreamUse::Used)).await && used.left().is_none(), "and no further");
}

#[tokio::test(start_paused = true)]
async fn what_is_used_meanwhile_ends_later_and_what_is_over_stays_over() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let mut stream = session.ended(StreamUse::Unused);
    assert!(!done_now(&mut stream).await);
    world.pass(30);
    session.used();
    assert_eq!(minutes_until(&mut stream, &world).await, 60);
    session.used();
    assert!(session.left().is_none() && !world.finds(&key).await);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_use_is_so_until_it_ends() {
    let world = World::new();
    let (_, session) = world.sessions.create(sign_in()).await.unwrap();
    let mut stream = session.ended(StreamUse::Used);
    assert!(!done_now(&mut stream).await);
    world.pass(3);
    drop(stream);
    assert_eq!(session.last_seen(), world.clock.now());
}

#[tokio::test]
async fn whoever_is_cut_learns_why() {
    let world = World::new();
    for why in [SessionEnd::SignedOut, SessionEnd::Revoked] {
        let (key, session) = world.sessions.create(sign_in()).await.unwrap();
        let stream = session.ended(StreamUse::Unused);
        world.sessions.end_because(key.id(), why).await.unwrap();
        assert_eq!((stream.await, session.end_reason()), (why, Some(why)));
    }
}

/// Another process asks for a session while everything about sessions keeps changing here: it is told to come again.
#[tokio::test]
async fn a_row_that_keeps_changing_is_read_a_few_times_and_given_up() {
    let world = World::new();
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    let (other, _) = world.sessions.create(sign_in()).await.unwrap();
    let (shared, id) = (world.sessions.shared(), *key.id());
    assert!(shared.load(id).await.unwrap().is_some());
    let before = world.store.loads();
    world.store.close();
    let loading = tokio::spawn(async move { shared.load(id).await });
    for read in 1..=8 {
        until(|| world.store.loads() - before == read).await;
        world.sessions.cut((*other.id(), SessionEnd::SignedOut));
        world.store.open();
    }
    assert!(loading.await.unwrap().is_err());
    assert_eq!(world.store.loads() - before, 8);
}
