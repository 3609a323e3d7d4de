//! How sessions are made, found, used and grow old.

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn a_session_is_found_by_its_key_and_by_nothing_else() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    assert!(Arc::ptr_eq(&world.sessions.cached(&key).unwrap(), &session));
    assert_eq!((session.id, session.root, session.family()), (*key.id(), None, *key.id()));
    assert!(!world.finds(&SessionKey::random()).await);
    let id_as_key =
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, session.id.as_bytes());
    assert!(!world.finds(&SessionKey::parse(id_as_key.as_bytes()).unwrap()).await);
}

#[tokio::test]
async fn more_sessions_than_memory_holds_all_live_and_end_invariants_8_and_14() {
    for capacity in [1, 2, 40] {
        let world = World::new();
        let settings = SessionSettings { cache_capacity: capacity, ..SessionSettings::default() };
        let sessions = Sessions::new(settings, world.store.clone(), testing::keys(), world.clock.clone());
        let mut keys = Vec::new();
        for _ in 0..100 {
            keys.push(sessions.create(sign_in()).await.unwrap().0);
        }
        let kept = keys.iter().filter(|key| sessions.cached(key).is_some()).count();
        assert!(kept <= usize::try_from(capacity).unwrap(), "{kept} of {capacity}");
        for key in &keys {
            assert!(sessions.find(key).await.unwrap().is_some(), "it has fallen out of memory only");
        }
        for key in &keys {
            let known = sessions.recalled(key);
            sessions.end(key.id()).await.unwrap();
            assert!(sessions.find(key).await.unwrap().is_none());
            assert!(known.is_none_or(|known| sessions.recall(&known).is_none()));
        }
    }
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("state.db");
    let world = World::on(Database::open(&file).unwrap(), Clock::manual(START));
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let (app_key, _) = world.sessions.create(app_session(&session)).await.unwrap();
    drop((world, session));
    let world = World::on(Database::open(&file).unwrap(), Clock::manual(START));
    let found = world.sessions.find(&key).await.unwrap().unwrap();
    assert_eq!((&found.principal, &found.tokens), (&alice(), &tokens("access")));
    assert_eq!(
        (found.sid.as_deref(), found.created, found.last_seen()),
        (Some("provider-session"), START, START)
    );
    let app = world.sessions.find(&app_key).await.unwrap().unwrap();
    assert_eq!((app.root, &app.principal), (Some(found.id), &alice()));
    assert!(app.belongs_to("WIKI.corp.example") && !app.belongs_to("login.corp.example"));
}

#[tokio::test]
async fn an_unused_session_ends() {
    let world = World::new();
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    world.pass(59);
    assert!(world.sessions.cached(&key).is_some());
    world.pass(59);
    assert!(world.sessions.cached(&key).is_some(), "use keeps it alive");
    world.pass(60);
    assert!(world.sessions.cached(&key).is_none());
    assert!(!world.finds(&key).await && !world.restarted().finds(&key).await);
}

#[tokio::test]
async fn to_look_at_a_session_is_no_use_of_it() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    world.pass(59);
    assert!(world.sessions.present(&key).await.unwrap().is_some());
    let restarted = world.restarted();
    assert!(
        restarted.sessions.present(&key).await.unwrap().is_some(),
        "also where it is read from the store"
    );
    assert_eq!(session.last_seen(), START);
    world.pass(1);
    assert!(world.sessions.present(&key).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_ends_after_its_age_however_much_it_is_used() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    for _ in 0..71 {
        world.pass(10);
        assert!(world.sessions.cached(&key).is_some());
    }
    let (app_key, _) = world.sessions.create(app_session(&session)).await.unwrap();
    world.pass(10);
    for key in [&key, &app_key] {
        assert!(world.sessions.cached(key).is_none() && !world.finds(key).await);
    }
    world.sessions.flush().await.unwrap();
    assert!(!world.restarted().finds(&key).await);
    assert!(world.sessions.create(app_session(&session)).await.is_err(), "nothing hangs on what is over");
}

#[tokio::test]
async fn a_reload_shortens_the_life_of_living_sessions_invariant_8() {
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    let world = World::new();
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    world.pass(40);
    let shorter = SessionSettings { idle_timeout: hours(1) / 2, ..SessionSettings::default() };
    world.sessions.set_lifetimes(&shorter);
    assert!(
        world.sessions.cached(&key).is_none() && !world.finds(&key).await,
        "idle for longer than is allowed"
    );
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    world.sessions.set_lifetimes(&SessionSettings { max_age: hours(24), ..SessionSettings::default() });
    for _ in 0..12 {
        assert!(world.finds(&key).await);
        world.pass(60 - 1);
    }
    world.pass(12);
    assert!(!world.finds(&key).await, "the end it was given stays its end");
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    world.sessions.set_lifetimes(&SessionSettings { max_age: hours(1), ..SessionSettings::default() });
    world.pass(59);
    assert!(world.finds(&key).await);
    world.pass(1);
    assert!(!world.finds(&key).await, "older than is allowed by now");
}

#[tokio::test]
async fn use_is_written_seldom_and_survives_a_restart() {
    let world = World::new();
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    for _ in 0..100 {
        world.clock.advance(Duration::from_secs(30));
        assert!(world.sessions.cached(&key).is_some());
    }
    world.sessions.flush().await.unwrap();
    assert_eq!(world.store.touches.load(Ordering::Relaxed), 10, "once in five minutes");
    world.pass(59);
    assert!(world.restarted().finds(&key).await, "counted from the use, not from the sign-in");
}

#[tokio::test]
async fn use_of_an_app_keeps_the_whole_sign_in_alive() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let (app_key, _) = world.sessions.create(app_session(&session)).await.unwrap();
    for _ in 0..4 {
        world.pass(50);
        assert!(world.sessions.cached(&app_key).is_some());
        assert_eq!(world.sessions.purge().await.unwrap(), 0);
    }
    assert!(world.restarted().finds(&key).await);
}

#[tokio::test]
async fn requests_at_once_ask_the_store_once() {
    let world = World::new();
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    let world = world.restarted();
    world.store.close();
    let opens = async {
        until(|| world.store.loads() > 0).await;
        world.store.open();
    };
    let (found, ()) = tokio::join!(join_all((0..100).map(|_| world.sessions.find(&key))), opens);
    assert!(found.into_iter().all(|session| session.unwrap().is_some()));
    assert_eq!((world.store.loads(), world.sessions.questions_under_way()), (1, 0));
}

#[tokio::test]
async fn strangers_fill_nothing_invariant_14() {
    let world = World::new();
    for _ in 0..200 {
        assert!(!world.finds(&SessionKey::random()).await);
    }
    assert_eq!(world.sessions.questions_under_way(), 0);
    world.store.close();
    for _ in 0..200 {
        let key = SessionKey::random();
        let mut hung_up = Box::pin(world.sessions.find(&key));
        assert!(!done_now(&mut hung_up).await);
        tokio::task::yield_now().await;
    }
    assert_eq!(world.sessions.questions_under_way(), 0, "those who hang up leave nothing behind");
}

#[tokio::test]
async fn one_who_hangs_up_does_not_stop_the_others() {
    let world = World::new();
    let (key, _) = world.sessions.create(sign_in()).await.unwrap();
    let world = world.restarted();
    world.store.close();
    let mut first = Box::pin(world.sessions.find(&key));
    assert!(!done_now(&mut first).await);
    let opens = async {
        drop(first);
        world.store.open();
    };
    let (found, ()) = tokio::join!(world.sessions.find(&key), opens);
    assert!(found.unwrap().is_some());
    assert_eq!(world.store.loads(), 1);
}

#[tokio::test]
async fn a_store_that_is_away_is_an_error_and_never_a_pass() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let world = world.restarted();
    world.store.away.store(true, Ordering::Relaxed);
    let error = world.sessions.find(&key).await.unwrap_err();
    assert!(error.to_string().contains("unavailable"), "{error}");
    assert!(world.sessions.create(sign_in()).await.is_err());
    assert!(world.sessions.replace_tokens(&key, &session, tokens("new"), None).await.is_err());
    world.store.away.store(false, Ordering::Relaxed);
    assert!(world.finds(&key).await, "it recovers by itself");
}

#[tokio::test]
async fn new_tokens_reach_the_whole_family_and_survive() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let (app_key, app) = world.sessions.create(app_session(&session)).await.unwrap();
    let mut principal = (*alice()).clone();
    principal.groups.clear();
    let principal = Arc::new(principal);
    let replaced =
        world.sessions.replace_tokens(&app_key, &app, tokens("new"), Some(principal.clone())).await.unwrap();
    assert_eq!((replaced.id, &replaced.tokens), (app.id, &tokens("new")));
    for world in [&world, &world.restarted()] {
        for key in [&key, &app_key] {
            let found = world.sessions.find(key).await.unwrap().unwrap();
            assert_eq!((&found.tokens, &found.principal), (&tokens("new"), &principal));
        }
    }
    let late = world.sessions.create(app_session(&session)).await.unwrap().1;
    assert_eq!(late.tokens, tokens("new"), "a later child gets what the family holds now");
}

#[tokio::test]
async fn what_was_read_before_a_change_is_not_kept_after_it_invariant_4() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let other = world.restarted();
    other.store.close();
    let mut slow = Box::pin(other.sessions.find(&key));
    until(|| other.store.loads() == 0).await;
    let change = async {
        until(|| other.store.loads() == 1).await;
        // Its answer is read but not yet handed over.
        tokio::task::yield_now().await;
        other.store.gate.add_permits(1_000);
        other.sessions.replace_tokens(&key, &session, tokens("new"), None).await.unwrap()
    };
    let (found, _) = tokio::join!(&mut slow, change);
    drop(found);
    assert_eq!(other.sessions.cached(&key).unwrap().tokens, tokens("new"));
}

#[tokio::test]
async fn a_key_changes_only_its_own_session() {
    let world = World::new();
    let (_, session) = world.sessions.create(sign_in()).await.unwrap();
    let (other_key, _) = world.sessions.create(sign_in()).await.unwrap();
    let refused = world.sessions.replace_tokens(&other_key, &session, tokens("new"), None).await;
    assert!(matches!(refused, Err(SessionError::Ended)));
}
