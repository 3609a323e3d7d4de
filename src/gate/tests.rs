//! The gate's own rules, on snapshots built without upstreams and providers.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use url::Url;

use super::authenticate::AuthenticatedRequest;
use super::authorize::{Denial, RequestFields, decide};
use super::foundations::{Foundations, Observers, Stores};
use super::inbound::Inbound;
use super::path_mask::PathMasks;
use super::rejection::Rejection;
use super::routed::Routed;
use super::settings::{
    ConsoleSettings, GateSettings, OriginSettings, OwnSettings, RedirectSettings, RouteAction, RouteSettings,
};
use super::snapshot::Snapshot;
use crate::authn::{Accept, Accepted, Authentication, Carrier, CredentialId, Verified};
use crate::clock::{Clock, Timestamp};
use crate::endpoints::SealingKeys;
use crate::events::Recorder;
use crate::forward::{Asserter, AssertionKey};
use crate::identity::fixtures::alice;
use crate::identity::{Principal, RouteName, Strength};
use crate::oidc::RelyingPartySettings;
use crate::policy::AccessSettings;
use crate::replicas::SharedState;
use crate::request::{PathException, PathExceptions, Scheme, Transport, WorkerId};
use crate::route::RoutePattern;
use crate::secret::SealingKey;
use crate::session::{Possession, SessionSettings, Sessions};
use crate::telemetry::Metrics;
use crate::trace::TraceMaker;

pub(super) fn route(host: &str, path: &str, methods: &[Method], access: AccessSettings) -> RouteSettings {
    let redirect = RedirectSettings {
        scheme: None,
        host: None,
        port: None,
        path: Some("/there".into()),
        status: StatusCode::FOUND,
    };
    RouteSettings {
        name: RouteName::new(format!("{methods:?} {host}{path}")),
        pattern: RoutePattern {
            host: host.parse().unwrap(),
            path: path.parse().unwrap(),
            methods: methods.to_vec(),
        },
        access,
        accept: Accept::from_iter([Accepted::Session, Accepted::Bearer]),
        realm: "portcullis".into(),
        limits: Vec::new(),
        concurrency: None,
        path_exceptions: [PathException::EmptySegment, PathException::EncodedSlash, PathException::Semicolon]
            .into_iter()
            .fold(PathExceptions::default(), PathExceptions::with),
        after_expiry: Duration::from_secs(300),
        session_max_age: None,
        session_idle_timeout: None,
        session_network: None,
        path_masks: PathMasks::default(),
        streams: crate::session::StreamUse::default(),
        origins: OriginSettings::default(),
        tile: None,
        action: RouteAction::Redirect(redirect),
    }
}

pub(super) fn settings(routes: Vec<RouteSettings>) -> GateSettings {
    GateSettings {
        trusted_proxies: Vec::new(),
        traces: None,
        session: SessionSettings::default(),
        relying_party: RelyingPartySettings {
            public_url: Some(Url::parse("https://login.example").unwrap()),
            providers: Vec::new(),
        },
        signals: Vec::new(),
        own: OwnSettings::default(),
        console: ConsoleSettings::default(),
        branding: Default::default(),
        routes,
        reauthorize_every: Duration::from_secs(60),
    }
}

fn snapshot(settings: &GateSettings) -> Snapshot {
    let clock = Clock::manual(Timestamp::from_seconds(1_000));
    let sessions = crate::session::testing::sessions(&clock);
    snapshot_over(settings, sessions, clock)
}

pub(super) fn snapshot_over(settings: &GateSettings, sessions: Sessions, clock: Clock) -> Snapshot {
    let asserter = Asserter::new("https://login.example", AssertionKey::generate().unwrap(), clock.clone());
    let stores = Stores { sessions, replicas: SharedState::local(clock.clone()) };
    let background = tokio::runtime::Handle::current();
    let keys =
        SealingKeys { flow: SealingKey::random(), form: SealingKey::random(), signals: SealingKey::random() };
    let observers = Observers {
        metrics: Metrics::new(),
        recorder: Recorder::nowhere(),
        traces: TraceMaker::new(clock.clone(), 0),
    };
    let foundations = Foundations::new(1, clock, observers, stores, keys, Arc::new(asserter), background);
    Snapshot::build(settings, &foundations, None).unwrap()
}

pub(super) fn transport(scheme: Scheme) -> Arc<Transport> {
    let (peer, local) = ("192.0.2.7:9".parse().unwrap(), "192.0.2.1:443".parse().unwrap());
    Arc::new(Transport {
        peer,
        local,
        scheme,
        to_https: false,
        worker: WorkerId(0),
        cache: crate::request::ConnectionCache::default(),
        interim: None,
    })
}

#[tokio::test]
async fn a_path_that_merely_begins_like_ours_is_the_apps() {
    let rows = vec![route("wiki.example", "/", &[Method::GET], AccessSettings::Public)];
    let (snapshot, transport) = (snapshot(&settings(rows)), transport(Scheme::Https));
    let request = Request::post("/.portcullisx").header("host", "wiki.example").body(()).unwrap();
    let inbound = Inbound::read(&transport, &snapshot.trusted, &request).unwrap();
    let Err(Rejection::MethodNotAllowed(methods)) = snapshot.routing.route(&inbound) else {
        panic!("no 405")
    };
    assert_eq!(methods, "GET");
}

/// What becomes of a request that comes `seconds` after 1000 with this credential, on a route whose sessions may be an hour
/// old.
fn after(seconds: u64, authentication: Authentication) -> Result<(), Denial> {
    let strict = RouteSettings {
        session_max_age: Some(Duration::from_secs(3600)),
        ..route("wiki.example", "/", &[], AccessSettings::SignedIn)
    };
    decided(&settings(vec![strict]), seconds, authentication)
}

/// What becomes of a request for `wiki.example` that comes `seconds` after 1000 with this credential.
fn decided(settings: &GateSettings, seconds: u64, authentication: Authentication) -> Result<(), Denial> {
    let (snapshot, transport) = (snapshot(settings), transport(Scheme::Https));
    let request = Request::get("/").header("host", "wiki.example").body(()).unwrap();
    let inbound = Inbound::read(&transport, &snapshot.trusted, &request).unwrap();
    let routed = Routed::new(&snapshot.routing, &inbound, snapshot.routing.route(&inbound)?)?;
    let now = Timestamp::from_seconds(1_000 + seconds);
    let asked = AuthenticatedRequest::new(routed, authentication, None, now);
    decide(&snapshot.routing, asked, RequestFields::Sent(request.headers())).map(|_| ())
}

/// A session of somebody who signed in at 1000 here and at `auth_time` at the provider.
async fn session(auth_time: Option<u64>) -> Authentication {
    let clock = Clock::manual(Timestamp::from_seconds(1_000));
    let sessions = crate::session::testing::sessions(&clock);
    let person = Principal { auth_time: auth_time.map(Timestamp::from_seconds), ..alice() };
    let root = crate::session::testing::sign_in("wiki.example", Arc::new(person), &clock);
    let (key, session) = sessions.create(root).await.unwrap();
    Authentication::of_session(key, session, Possession::Unbound(Timestamp::default()))
}

#[tokio::test]
async fn a_route_may_want_younger_sessions_than_others() {
    let hour = Some(Duration::from_secs(3600));
    let wants_a_new_one = |seconds, session| match after(seconds, session) {
        Ok(()) => false,
        Err(Denial::StepUp(step_up)) => {
            assert_eq!(step_up.strength, Strength { max_age: hour, ..Strength::default() });
            true
        }
        Err(other) => panic!("{other:?}"),
    };
    for auth_time in [None, Some(10)] {
        assert!(!wants_a_new_one(3660, session(auth_time).await), "an hour, and a minute for the clocks");
        assert!(wants_a_new_one(3661, session(auth_time).await));
    }
    assert!(!wants_a_new_one(4660, session(Some(2_000)).await), "the provider has seen them since");
    assert!(wants_a_new_one(4661, session(Some(2_000)).await));
    let token = Verified {
        principal: principal("staff"),
        expires: Timestamp::from_seconds(u64::MAX),
        id: CredentialId::of(b"token"),
    };
    assert!(!wants_a_new_one(9_999, Authentication::of_token(&token, Carrier::Bearer)), "it is no session");
}

/// What becomes of somebody with this credential `seconds` after 1000 where every session has to be bound.
fn where_bound_sessions_are_required(seconds: u64, authentication: Authentication) -> Result<(), Denial> {
    let rows = vec![route("wiki.example", "/", &[], AccessSettings::SignedIn)];
    let bind = crate::session::Bind::Required;
    let session = SessionSettings { bind, ..SessionSettings::default() };
    decided(&GateSettings { session, ..settings(rows) }, seconds, authentication)
}

#[tokio::test]
async fn invariant_27_where_it_is_required_an_unbound_session_has_half_a_minute() {
    let with = async |possession| {
        let mut found = session(None).await;
        if let Authentication::Authenticated(somebody) = &mut found {
            somebody.possession = possession;
        }
        found
    };
    let at = |seconds: u64| Timestamp::from_seconds(1_000 + seconds);
    let awaited = Possession::Unbound(at(30));
    assert!(where_bound_sessions_are_required(29, with(awaited).await).is_ok());
    for (seconds, possession) in [(30, awaited), (0, Possession::Unbound(at(0)))] {
        let no = where_bound_sessions_are_required(seconds, with(possession).await);
        assert!(matches!(no, Err(Denial::Refused(Rejection::NotBound))), "{no:?}");
    }
    assert!(where_bound_sessions_are_required(9_999, with(Possession::Shown(at(99_999))).await).is_ok());
    let token = Verified {
        principal: principal("staff"),
        expires: Timestamp::from_seconds(u64::MAX),
        id: CredentialId::of(b"token"),
    };
    let token = Authentication::of_token(&token, Carrier::Bearer);
    assert!(where_bound_sessions_are_required(9_999, token).is_ok(), "it is no session");
}

#[tokio::test]
async fn a_route_may_want_to_be_used_itself_now_and_then() {
    let strict = RouteSettings {
        session_idle_timeout: Some(Duration::from_secs(900)),
        ..route("wiki.example", "/", &[], AccessSettings::SignedIn)
    };
    let name = strict.name.clone();
    let settings = settings(vec![strict]);
    let clock = Clock::manual(Timestamp::from_seconds(1_000));
    let sessions = crate::session::testing::sessions(&clock);
    let root = crate::session::testing::sign_in("wiki.example", Arc::new(alice()), &clock);
    let (key, session) = sessions.create(root).await.unwrap();
    let asks_at = |seconds: u64| {
        let authentication = Authentication::of_session(
            key.clone(),
            Arc::clone(&session),
            Possession::Unbound(Timestamp::default()),
        );
        match decided(&settings, seconds - 1_000, authentication) {
            Ok(()) => false,
            Err(Denial::StepUp(step_up)) => {
                assert_eq!(step_up.strength.max_age, Some(Duration::from_secs(900)));
                true
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    assert!(!asks_at(1_960), "a quarter of an hour since the sign-in, and a minute for the clocks");
    assert!(asks_at(1_961));
    clock.advance(Duration::from_secs(500));
    session.used();
    assert!(asks_at(1_961), "what is done elsewhere is no use of it");
    session.used_on(&RouteName::new("another"));
    assert!(asks_at(1_961));
    session.used_on(&name);
    assert!(!asks_at(2_460));
    assert!(asks_at(2_461));
}

pub(super) fn principal(group: &str) -> Arc<Principal> {
    Arc::new(Principal { groups: vec![group.into()], ..alice() })
}
