//! Sessions found and ended without their cookies.

use super::*;

/// Alice, Bob and Alice again, each with an app session, and what they are found by.
struct People {
    world: World,
    keys: [SessionKey; 3],
    roots: [Arc<Session>; 3],
}

fn bob() -> Arc<Principal> {
    let (subject, user) = (Subject::new("subject-of-bob"), "bob".into());
    Arc::new(Principal { subject, user, ..(*alice()).clone() })
}

fn signing_in(principal: Arc<Principal>, sid: &str, began: Timestamp) -> NewSession {
    NewSession::Root {
        host: "login.corp.example".into(),
        principal,
        tokens: tokens("access"),
        sid: Some(sid.into()),
        origin: SignInOrigin::new(Some("Firefox"), [10, 0, 0, 1].into()),
        began,
    }
}

impl People {
    async fn new() -> Self {
        let world = World::new();
        let (a, one) = world.sessions.create(signing_in(alice(), "sid-1", START)).await.unwrap();
        let (b, two) = world.sessions.create(signing_in(bob(), "sid-2", START)).await.unwrap();
        let (c, three) = world.sessions.create(signing_in(alice(), "sid-3", START)).await.unwrap();
        world.sessions.create(app_session(&one)).await.unwrap();
        Self { world, keys: [a, b, c], roots: [one, two, three] }
    }

    async fn alive(&self, world: &World) -> [bool; 3] {
        let mut alive = [false; 3];
        for (alive, key) in alive.iter_mut().zip(&self.keys) {
            *alive = world.finds(key).await;
        }
        alive
    }
}

/// This very session.
fn whole(id: SessionId) -> Selector {
    Selector::Id(IdPrefix::parse(&id.to_hex()).unwrap())
}

fn issuer() -> Issuer {
    alice().issuer.clone()
}

#[tokio::test]
async fn invariant_8_whoever_is_meant_is_out_everywhere_and_nobody_else() {
    let subject = |name: &str| Selector::Subject(issuer(), name.into());
    let sid = |name: &str| Selector::ProviderSession(issuer(), name.into());
    let elsewhere = Issuer::new("https://other.example");
    for (selector, stay) in [
        (Selector::All, [false; 3]),
        (subject("subject-of-alice"), [false, true, false]),
        (subject("subject-of-bob"), [true, false, true]),
        (Selector::User("bob".into()), [true, false, true]),
        (sid("sid-1"), [false, true, true]),
        (Selector::ProviderSession(elsewhere.clone(), "sid-1".into()), [true; 3]),
        (Selector::Subject(elsewhere, "subject-of-alice".into()), [true; 3]),
        (subject("sid-1"), [true; 3]),
        (sid("subject-of-alice"), [true; 3]),
        (Selector::Host(HOST.into()), [false, true, true]),
        (Selector::Host("other.example".into()), [true; 3]),
        (Selector::Provider("other".into()), [true; 3]),
    ] {
        let people = People::new().await;
        let sessions = &people.world.sessions;
        let mut streams = people.roots.each_ref().map(|session| sessions.ended(session));
        let ended = sessions.end_matching(selector.clone(), SessionEnd::Administrator).await.unwrap();
        assert_eq!(ended, stay.iter().filter(|stays| !**stays).count(), "{selector:?}");
        assert_eq!(people.alive(&people.world).await, stay, "{selector:?}");
        assert_eq!(people.alive(&people.world.restarted()).await, stay, "{selector:?} after a restart");
        for (stream, stays) in streams.iter_mut().zip(stay) {
            assert_eq!(done_now(stream).await, !stays, "{selector:?}: its streams");
        }
        assert_eq!(sessions.endings_waiting(), 0);
    }
}

#[tokio::test]
async fn a_session_is_meant_by_the_digits_that_the_log_prints() {
    let people = People::new().await;
    let (sessions, bob) = (&people.world.sessions, &people.roots[1]);
    let selector = Selector::Id(IdPrefix::parse(&bob.id.to_string()).unwrap());
    let listed = sessions.list(&selector, None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|listed| listed.id).collect::<Vec<_>>(), [bob.id]);
    sessions.end_matching(selector, SessionEnd::Administrator).await.unwrap();
    assert_eq!(people.alive(&people.world).await, [true, false, true]);
}

#[tokio::test]
async fn one_may_stay_while_all_others_end() {
    let people = People::new().await;
    let (sessions, stays) = (&people.world.sessions, people.roots[2].id);
    let selector = Selector::Subject(issuer(), "subject-of-alice".into());
    let ended = sessions
        .end_included(selector, SessionEnd::SignedOutElsewhere, move |one| one.id != stays)
        .await
        .unwrap();
    assert_eq!((ended, people.alive(&people.world).await), (1, [false, true, true]));
    let mut other = sessions.ended(&people.roots[0]);
    assert!(done_now(&mut other).await);
    assert_eq!(people.roots[0].end_reason(), Some(SessionEnd::SignedOutElsewhere));
}

#[tokio::test]
async fn invariant_8_an_end_holds_for_a_sign_in_that_was_under_way() {
    let subject = || Selector::Subject(issuer(), "subject-of-alice".into());
    let sid = || Selector::ProviderSession(issuer(), "sid-1".into());
    let user = || Selector::User("alice".into());
    for (selector, known) in [(subject(), false), (sid(), false), (user(), true)] {
        let world = World::new();
        if known {
            world.sessions.create(signing_in(alice(), "sid-0", START)).await.unwrap();
        }
        world.sessions.end_matching(selector.clone(), SessionEnd::Administrator).await.unwrap();
        // On another replica, a little later, from a sign-in that began before.
        let late = world.restarted();
        late.pass(1);
        let refused = late.sessions.create(signing_in(alice(), "sid-1", START)).await;
        assert!(matches!(refused, Err(SessionError::Ended)), "{selector:?}");
        let anew = signing_in(alice(), "sid-1", late.clock.now());
        assert!(late.sessions.create(anew).await.is_ok(), "who signs in afterwards is welcome");
        assert!(late.sessions.create(signing_in(bob(), "sid-2", START)).await.is_ok(), "and everybody else");
    }
}

#[tokio::test]
async fn a_list_says_who_with_what_from_where_and_to_which_hosts() {
    let people = People::new().await;
    let listed = people.world.sessions.list(&Selector::User("alice".into()), None, 10).await.unwrap();
    assert_eq!(listed.len(), 2);
    let one = listed.iter().find(|listed| listed.id == people.roots[0].id).unwrap();
    let card = one.card.as_ref().unwrap();
    assert_eq!((&card.principal, card.sid.as_deref()), (&alice(), Some("sid-1")));
    assert_eq!(card.origin, SignInOrigin::new(Some("Firefox"), [10, 0, 0, 1].into()));
    let hosts: Vec<_> = one.sessions.iter().map(|(_, host)| host.as_str()).collect();
    assert_eq!(hosts.len(), 2);
    assert!(hosts.contains(&"login.corp.example") && hosts.contains(&HOST));
}

/// What a thief of the file alone sees.
#[tokio::test]
async fn invariant_7_the_store_shows_nobody_without_its_key() {
    let people = People::new().await;
    let other = StateKeys::derive(&[[8; 32]]).unwrap();
    let thief = Sessions::new(
        SessionSettings::default(),
        people.world.store.clone(),
        other.clone(),
        people.world.clock.clone(),
    );
    let all = thief.list(&Selector::All, None, 10).await.unwrap();
    assert!(all.len() == 3 && all.iter().all(|listed| listed.card.is_none()));
    assert!(thief.list(&Selector::User("alice".into()), None, 10).await.unwrap().is_empty());
    let dump =
        "SELECT hex(subject) || hex(user) || hex(provider_session) || hex(card) || hex(record) || provider
                FROM session_families";
    let rows = people.world.database.read(move |connection| {
        let mut rows = connection.prepare(dump)?;
        rows.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    });
    let rows = rows.await.unwrap().concat();
    for text in ["subject-of-alice", "alice", "sid-1", "Firefox", "staff", "id.corp.example"] {
        let hex: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
        assert!(!rows.contains(&hex), "{text}");
    }
    let selector = Selector::Subject(issuer(), "subject-of-alice".into());
    people.world.sessions.end_matching(selector, SessionEnd::Administrator).await.unwrap();
    let ends = "SELECT sum(digest = ?1), count(*) FROM remembered_ends";
    let guess = unkeyed("subject-of-alice");
    let guessed = people.world.database.read(move |connection| {
        connection.query_row(ends, [guess], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
    });
    assert_eq!(guessed.await.unwrap(), (0, 1), "nobody can guess whose end is remembered");
}

#[tokio::test]
async fn invariant_7_a_card_opens_in_its_own_row_alone() {
    let people = People::new().await;
    let moved = "UPDATE session_families SET card = (SELECT card FROM session_families WHERE root = ?1)";
    let alice = *people.roots[0].id.as_bytes();
    people.world.database.write(move |c| c.execute(moved, [alice])).await.unwrap();
    for (session, opens) in people.roots.iter().zip([true, false, false]) {
        let listed = people.world.sessions.list(&whole(session.id), None, 1).await.unwrap();
        assert_eq!(listed[0].card.is_some(), opens);
    }
}

#[tokio::test]
async fn a_new_key_in_front_finds_and_opens_what_the_old_one_sealed() {
    let people = People::new().await;
    let both = StateKeys::derive(&[[9; 32], [7; 32]]).unwrap();
    let (store, clock) = (people.world.store.clone(), people.world.clock.clone());
    let sessions = Sessions::new(SessionSettings::default(), store, both, clock);
    let (_, new) = sessions.create(signing_in(alice(), "sid-4", START)).await.unwrap();
    let listed = sessions.list(&Selector::User("alice".into()), None, 10).await.unwrap();
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|listed| listed.card.is_some()));
    let old_key = people.world.sessions.list(&whole(new.id), None, 1).await.unwrap();
    assert_eq!(old_key[0].card, None, "the new one seals");
}

/// The digest that versions before found `subject` by.
fn unkeyed(subject: &str) -> [u8; 32] {
    let parts = [issuer().as_str(), subject]
        .map(|part| [&(part.len() as u64).to_be_bytes()[..], part.as_bytes()].concat());
    crate::secret::fingerprint(&parts.concat())
}

#[tokio::test]
async fn an_end_holds_over_a_change_of_the_key() {
    let people = People::new().await;
    let subject = Selector::Subject(issuer(), "subject-of-alice".into());
    people.world.sessions.end_matching(subject, SessionEnd::Administrator).await.unwrap();
    let both = StateKeys::derive(&[[9; 32], [7; 32]]).unwrap();
    let (store, clock) = (people.world.store.clone(), people.world.clock.clone());
    let sessions = Sessions::new(SessionSettings::default(), store, both, clock);
    let refused = sessions.create(signing_in(alice(), "sid-9", START)).await;
    assert!(matches!(refused, Err(SessionError::Ended)));
}

/// A row as the version before wrote it, and its cookie.
async fn without_card(world: &World) -> SessionKey {
    let (key, session) = world.sessions.create(signing_in(alice(), "sid-1", START)).await.unwrap();
    let unkeyed = unkeyed("subject-of-alice");
    let root = *session.id.as_bytes();
    let older = "UPDATE session_families SET card = NULL, user = NULL, subject = ?2 WHERE root = ?1";
    let write = world.database.write(move |c| c.execute(older, rusqlite::params![root, unkeyed]));
    assert_eq!(write.await.unwrap(), 1);
    key
}

#[tokio::test]
async fn a_session_of_a_version_before_is_found_by_its_subject_and_gets_its_card_when_it_is_used() {
    let world = World::new();
    let key = without_card(&world).await;
    let subject = Selector::Subject(issuer(), "subject-of-alice".into());
    let found = |world: &World, selector: Selector| {
        let sessions = world.sessions.clone();
        async move { sessions.list(&selector, None, 10).await.unwrap() }
    };
    let listed = found(&world, subject.clone()).await;
    assert!(listed.len() == 1 && listed[0].card.is_none());
    assert!(found(&world, Selector::User("alice".into())).await.is_empty());
    let world = world.restarted();
    let session = world.sessions.find(&key).await.unwrap().unwrap();
    // The card is written by a task of its own; each look lets it go on.
    while found(&world, Selector::User("alice".into())).await.is_empty() {}
    assert!(found(&world, subject.clone()).await[0].card.is_some());
    let renewed = world.sessions.replace_tokens(&key, &session, tokens("new"), None).await.unwrap();
    assert_eq!(renewed.tokens, tokens("new"), "whoever had read it before renews its tokens all the same");
    world.sessions.end_matching(subject, SessionEnd::Administrator).await.unwrap();
    assert!(!world.restarted().finds(&key).await);
}

#[tokio::test]
async fn an_end_of_many_on_a_full_disk_is_on_record() {
    let people = People::new().await;
    let fail = "CREATE TEMP TRIGGER full BEFORE DELETE ON session_families
                BEGIN SELECT raise(ABORT, 'full'); END";
    people.world.database.write(move |c| c.execute_batch(fail)).await.unwrap();
    let sessions = &people.world.sessions;
    let ended = sessions.end_matching(Selector::All, SessionEnd::Administrator).await.unwrap();
    assert_eq!((ended, people.alive(&people.world).await), (3, [false; 3]));
    assert_eq!(sessions.endings_waiting(), 3, "the store is told later");
}

#[tokio::test]
async fn invariant_14_ends_are_not_remembered_for_ever() {
    let world = World::new();
    for n in 0..1100 {
        let nobody = Selector::Subject(issuer(), format!("nobody-{n}"));
        world.sessions.end_matching(nobody, SessionEnd::Administrator).await.unwrap();
    }
    let count = || async {
        let count = "SELECT count(*) FROM remembered_ends";
        world.database.read(|c| c.query_row(count, [], |row| row.get::<_, i64>(0))).await.unwrap()
    };
    world.sessions.purge().await.unwrap();
    assert_eq!(count().await, 1100);
    world.pass(61);
    world.sessions.purge().await.unwrap();
    assert_eq!(count().await, 0);
}

/// Sign-ins and sign-outs of others run between the steps (invariant 14).
#[tokio::test]
async fn invariant_14_everybody_is_ended_a_few_at_a_time() {
    let world = World::new();
    for _ in 0..260 {
        world.sessions.create(sign_in()).await.unwrap();
    }
    assert_eq!(world.sessions.end_matching(Selector::All, SessionEnd::Administrator).await.unwrap(), 260);
    assert_eq!(world.store.most_removed.load(Ordering::Relaxed), 50);
}

/// `cargo test -p portcullis-authentication --lib bulk_end_is_measured -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn bulk_end_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on(Database::open(&folder.path().join("state.db")).unwrap(), Clock::manual(START));
    for _ in 0..10_000 {
        world.sessions.create(sign_in()).await.unwrap();
    }
    let (sessions, started) = (world.sessions.clone(), std::time::Instant::now());
    let ending =
        tokio::spawn(async move { sessions.end_matching(Selector::All, SessionEnd::Administrator).await });
    let (mut beside, mut slowest) = (0, Duration::ZERO);
    while !ending.is_finished() {
        let begun = std::time::Instant::now();
        world.sessions.create(sign_in()).await.unwrap();
        (beside, slowest) = (beside + 1, slowest.max(begun.elapsed()));
    }
    let ended = ending.await.unwrap().unwrap();
    eprintln!(
        "{ended} ended in {:?}; {beside} sign-ins meanwhile, the slowest in {slowest:?}",
        started.elapsed()
    );
}
