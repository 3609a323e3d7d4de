//! Sessions bound to keys of devices, under a clock that the tests own.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use super::*;

fn device() -> DeviceKey {
    DeviceKey { algorithm: "ES256".into(), jwk: json!({ "kty": "EC" }) }
}

fn cookie() -> BoundCookie {
    BoundCookie::new(&SessionSettings::default(), true)
}

/// A request with the cookie that this `Set-Cookie` sets.
fn brought(set: &HeaderValue) -> HeaderMap {
    let pair = set.to_str().unwrap().split(';').next().unwrap();
    [(COOKIE, format!("other=1; {pair}").parse().unwrap())].into_iter().collect()
}

async fn bound(world: &World, session: &Session) -> Box<Binding> {
    let found = world.sessions.find_by_id(session.id).await.unwrap().unwrap();
    let Registered::Bound(binding) = world.sessions.bind(&found, BindingScope::Host, device()).await.unwrap()
    else {
        panic!("it is not bound")
    };
    binding
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// What a request with these fields shows, in a word.
fn shown(session: &Session, headers: &HeaderMap, offered: bool) -> Result<&'static str, BoundCookieFault> {
    session.possession(&cookie(), headers, offered).map(|possession| {
        match possession.is_bound(session_now(session)) {
            Some(true) => "bound",
            Some(false) => "unbound",
            None => "awaited",
        }
    })
}

fn session_now(session: &Session) -> Timestamp {
    session.family.terms.clock.now()
}

#[tokio::test]
async fn a_session_is_awaited_for_half_a_minute_where_its_browser_was_told() {
    let world = World::new();
    let (_, session) = world.sessions.create(sign_in()).await.unwrap();
    let none = HeaderMap::new();
    assert_eq!(shown(&session, &none, false), Ok("unbound"));
    assert_eq!(shown(&session, &none, true), Ok("awaited"));
    world.clock.advance(seconds(29));
    assert_eq!(shown(&session, &none, true), Ok("awaited"));
    world.clock.advance(seconds(1));
    assert_eq!(shown(&session, &none, true), Ok("unbound"));
}

/// Who has copied both cookies has them for minutes; a session of another host, bound to a key of their own, would be theirs.
#[tokio::test]
async fn invariant_27_what_hangs_on_a_session_is_bound_only_where_its_device_was_shown_lately() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let none = HeaderMap::new();
    let hand_on = |session: &Session, headers| {
        session.possession(&cookie(), headers, true).map(|shown| session.hand_on(shown))
    };
    assert_eq!(hand_on(&session, &none), Ok(HandOn::Bindable), "its browser may be about to bind it");
    world.clock.advance(seconds(30));
    assert_eq!(hand_on(&session, &none), Ok(HandOn::Unbindable));
    let binding = bound(&world, &session).await;
    let session = world.sessions.find(&key).await.unwrap().unwrap();
    let old = brought(&cookie().set(&binding, world.clock.now()));
    assert_eq!(hand_on(&session, &old), Ok(HandOn::Bindable));
    world.clock.advance(seconds(60));
    assert_eq!(hand_on(&session, &old), Ok(HandOn::ShowDevice), "the cookie may have been copied since");
    let fresh = brought(&cookie().set(&binding, world.clock.now()));
    assert_eq!(hand_on(&session, &fresh), Ok(HandOn::Bindable));
}

#[tokio::test]
async fn invariant_27_a_bound_session_needs_its_cookie_once_the_grace_is_over() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let known = world.sessions.recalled(&key).unwrap();
    let binding = bound(&world, &session).await;
    assert!(world.sessions.recall(&known).is_none(), "a connection that knows it unbound reads it again");
    let session = world.sessions.find(&key).await.unwrap().unwrap();
    let (none, good) = (HeaderMap::new(), brought(&cookie().set(&binding, START)));
    assert_eq!(shown(&session, &none, true), Ok("bound"), "requests that were under way");
    world.clock.advance(seconds(9));
    assert_eq!(shown(&session, &none, true), Ok("bound"));
    world.clock.advance(seconds(1));
    assert_eq!(shown(&session, &none, true), Err(BoundCookieFault::Missing));
    assert_eq!(shown(&session, &good, true), Ok("bound"));
    let (_, other) = world.sessions.create(sign_in()).await.unwrap();
    let foreign = brought(&cookie().set(&*bound(&world, &other).await, START));
    assert_eq!(shown(&session, &foreign, true), Err(BoundCookieFault::Foreign));
    let mut both = foreign.clone();
    both.append(COOKIE, good[COOKIE].clone());
    assert_eq!(shown(&session, &both, true), Ok("bound"), "one that is planted beside it hides nothing");
    world.clock.advance(seconds(650 - 1));
    assert_eq!(shown(&session, &good, true), Ok("bound"), "ten minutes, and one for a slow request");
    world.clock.advance(seconds(1));
    assert_eq!(shown(&session, &good, true), Err(BoundCookieFault::Expired));
}

#[tokio::test]
async fn what_was_shown_before_is_remembered_for_as_long_as_the_cookie_counts() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let unbound = session.possession(&cookie(), &HeaderMap::new(), true).unwrap();
    assert_eq!(session.still(unbound), Some(unbound));
    let binding = bound(&world, &session).await;
    let session = world.sessions.find(&key).await.unwrap().unwrap();
    assert_eq!(session.still(unbound), None, "it is bound meanwhile");
    let good = brought(&cookie().set(&binding, START));
    let possession = session.possession(&cookie(), &good, true).unwrap();
    world.clock.advance(seconds(659));
    assert_eq!(session.still(possession), Some(possession));
    world.clock.advance(seconds(1));
    assert_eq!(session.still(possession), None);
}

/// As in report-uri/dbsc-php, where the one that came second wrote the whole session.
#[tokio::test]
async fn a_registration_and_new_tokens_never_overwrite_one_another() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    bound(&world, &session).await;
    // With the session as it was read before it was bound.
    let renewed = world.sessions.replace_tokens(&key, &session, tokens("new"), None).await.unwrap();
    assert_eq!(renewed.tokens, tokens("new"));
    assert_eq!(renewed.binding().unwrap().key, device());
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    world.sessions.replace_tokens(&key, &session, tokens("new"), None).await.unwrap();
    bound(&world, &session).await;
    let found = world.sessions.find(&key).await.unwrap().unwrap();
    assert!(found.binding().is_some() && found.tokens == tokens("new"));
}

#[tokio::test]
async fn invariant_7_a_challenge_is_good_for_one_purpose_one_session_and_a_quarter_of_an_hour() {
    let world = World::new();
    let (_, session) = world.sessions.create(sign_in()).await.unwrap();
    let sessions = &world.sessions;
    let challenge = sessions.registration_challenge(&session);
    let read = |kind, text: &str| sessions.read_challenge(kind, text);
    assert_eq!(read(ChallengeKind::Registration, &challenge).unwrap().session, session.id);
    assert_eq!(read(ChallengeKind::Refresh, &challenge), Err(ChallengeFault::Foreign));
    assert_ne!(sessions.registration_challenge(&session), challenge, "another one each time");
    for at in 0..challenge.len() {
        let mut other = challenge.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert_eq!(read(ChallengeKind::Registration, &other), Err(ChallengeFault::Foreign), "{at}");
    }
    for other in ["", "AAAA", &challenge[1..], &format!("{challenge}A")] {
        assert_eq!(read(ChallengeKind::Registration, other), Err(ChallengeFault::Foreign));
    }
    world.clock.advance(seconds(899));
    assert!(read(ChallengeKind::Registration, &challenge).is_ok(), "longer than the cookie lasts");
    world.clock.advance(seconds(1));
    assert_eq!(read(ChallengeKind::Registration, &challenge), Err(ChallengeFault::Expired));
}

#[tokio::test]
async fn each_proof_counts_once() {
    let world = World::new();
    let (_, session) = world.sessions.create(sign_in()).await.unwrap();
    bound(&world, &session).await;
    let kept = async || {
        let found = world.sessions.find_by_id(session.id).await.unwrap().unwrap();
        found.binding.unwrap().unwrap()
    };
    let challenge = |binding: &Binding| {
        let text = world.sessions.refresh_challenge(binding);
        world.sessions.read_challenge(ChallengeKind::Refresh, &text).unwrap()
    };
    let first = challenge(&kept().await);
    let second = challenge(&kept().await);
    assert!(world.sessions.renew_binding(kept().await, first).await.unwrap().is_some());
    for spent in [first, second] {
        assert!(world.sessions.renew_binding(kept().await, spent).await.unwrap().is_none());
    }
    let (one, other) = (kept().await, kept().await);
    let challenge = challenge(&one);
    assert!(world.sessions.renew_binding(one, challenge).await.unwrap().is_some());
    assert!(world.sessions.renew_binding(other, challenge).await.unwrap().is_none(), "of two at once, one");
}

#[tokio::test]
async fn what_has_ended_binds_and_renews_nothing() {
    let world = World::new();
    let (_, session) = world.sessions.create(sign_in()).await.unwrap();
    let found = world.sessions.find_by_id(session.id).await.unwrap().unwrap();
    world.store.away.store(true, Ordering::Relaxed);
    assert!(world.sessions.find_by_id(session.id).await.is_err(), "away is not ended");
    assert!(world.sessions.bind(&found, BindingScope::Host, device()).await.is_err());
    // Its end is not in the store yet.
    drop(world.sessions.end(&session.id).await);
    world.store.away.store(false, Ordering::Relaxed);
    assert!(world.sessions.find_by_id(session.id).await.unwrap().is_none());
    let (_, idle) = world.sessions.create(sign_in()).await.unwrap();
    world.clock.advance(seconds(3600));
    assert!(world.sessions.find_by_id(idle.id).await.unwrap().is_none());
}

#[tokio::test]
async fn invariant_3_a_binding_that_does_not_open_is_no_absent_one() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let other = world.sessions.create(sign_in()).await.unwrap().1;
    bound(&world, &other).await;
    let of_other = world.store.inner.load(other.id).await.unwrap().unwrap().1.binding.unwrap();
    let planted = NewBinding { session: session.id, site: String::new(), most: 9, record: of_other.record };
    assert!(matches!(world.store.inner.bind(planted).await.unwrap(), Bound::Done(_)));
    let again =
        Sessions::new(SessionSettings::default(), world.store.clone(), testing::keys(), world.clock.clone());
    assert!(again.find(&key).await.unwrap().is_none(), "another session's row");
    assert!(again.find_by_id(session.id).await.unwrap().unwrap().binding.is_err());
}

#[tokio::test]
async fn a_site_is_covered_by_the_binding_of_the_root() {
    let world = World::new();
    let (_, root) = world.sessions.create(sign_in()).await.unwrap();
    let found = world.sessions.find_by_id(root.id).await.unwrap().unwrap();
    let (wiki_key, _) = world.sessions.create(app_session(&root)).await.unwrap();
    let site = BindingScope::Site("corp.example".into());
    let Registered::Bound(binding) = world.sessions.bind(&found, site, device()).await.unwrap() else {
        panic!()
    };
    let elsewhere = NewSession::child(&root, "wiki.notcorp.example");
    let (_, elsewhere) = world.sessions.create(elsewhere).await.unwrap();
    assert!(elsewhere.binding().is_none());
    let wiki = world.sessions.find(&wiki_key).await.unwrap().unwrap();
    world.clock.advance(seconds(10));
    assert_eq!(
        shown(&wiki, &HeaderMap::new(), true),
        Err(BoundCookieFault::Missing),
        "it was in memory before"
    );
    let set = cookie().set(&binding, START);
    assert!(set.to_str().unwrap().starts_with("__Secure-portcullis_bound="));
    assert_eq!(shown(&wiki, &brought(&set), true), Ok("bound"));
    for (host, covered) in
        [("corp.example", true), ("a.corp.example", true), ("notcorp.example", false), ("example", false)]
    {
        assert_eq!(is_of_site(host, "corp.example"), covered, "{host}");
    }
}

#[tokio::test]
async fn a_seventh_host_has_no_room() {
    let world = World::new();
    let (_, root) = world.sessions.create(sign_in()).await.unwrap();
    bound(&world, &root).await;
    for n in 2..=5 {
        let (_, app) =
            world.sessions.create(NewSession::child(&root, format!("app-{n}.corp.example"))).await.unwrap();
        assert!(world.sessions.has_room_to_bind(&app).await.unwrap(), "{n}");
        bound(&world, &app).await;
    }
    let (_, more) = world.sessions.create(NewSession::child(&root, "more.corp.example")).await.unwrap();
    assert!(!world.sessions.has_room_to_bind(&more).await.unwrap());
    let found = world.sessions.find_by_id(more.id).await.unwrap().unwrap();
    let answer = world.sessions.bind(&found, BindingScope::Host, device()).await.unwrap();
    assert!(matches!(answer, Registered::TooMany));
    let (_, other) = world.sessions.create(NewSession::child(&root, "app.other.example")).await.unwrap();
    assert!(world.sessions.has_room_to_bind(&other).await.unwrap(), "another site");
    let (_, again) = world.sessions.create(NewSession::child(&root, "app-2.corp.example")).await.unwrap();
    assert!(world.sessions.has_room_to_bind(&again).await.unwrap(), "the same host again");
}
