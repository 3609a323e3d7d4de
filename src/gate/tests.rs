//! The gate's own rules, on snapshots built without upstreams and providers.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use url::Url;

use super::authenticate::AuthenticatedRequest;
use super::authorize::{Denial, decide};
use super::foundations::{Foundations, Stores};
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::routed::Routed;
use super::settings::{
    GateSettings, OriginSettings, OwnSettings, RedirectSettings, RouteAction, RouteSettings,
};
use super::snapshot::Snapshot;
use crate::authn::{Accept, Accepted, Authentication, Carrier, CredentialId, Verified};
use crate::clock::{Clock, Timestamp};
use crate::endpoints::SealingKeys;
use crate::forward::{Asserter, AssertionKey};
use crate::identity::fixtures::alice;
use crate::identity::{Principal, RouteName, Strength};
use crate::oidc::RelyingPartySettings;
use crate::policy::AccessSettings;
use crate::replicas::SharedState;
use crate::request::{PathException, PathExceptions, Scheme, Transport, WorkerId};
use crate::route::RoutePattern;
use crate::secret::SealingKey;
use crate::session::SessionSettings;
use crate::telemetry::Metrics;

fn route(host: &str, path: &str, methods: &[Method], access: AccessSettings) -> RouteSettings {
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
        streams: crate::session::StreamUse::default(),
        origins: OriginSettings::default(),
        action: RouteAction::Redirect(redirect),
    }
}

fn settings(routes: Vec<RouteSettings>) -> GateSettings {
    GateSettings {
        trusted_proxies: Vec::new(),
        session: SessionSettings::default(),
        relying_party: RelyingPartySettings {
            public_url: Some(Url::parse("https://login.example").unwrap()),
            providers: Vec::new(),
        },
        own: OwnSettings::default(),
        routes,
        log: false,
    }
}

fn snapshot(settings: &GateSettings) -> Snapshot {
    let clock = Clock::manual(Timestamp::from_seconds(1_000));
    let asserter =
        Asserter::new("https://login.example", AssertionKey::generate().unwrap(), &[], clock.clone());
    let sessions = crate::session::testing::sessions(&clock);
    let stores = Stores { sessions, replicas: SharedState::local(clock.clone()) };
    let background = tokio::runtime::Handle::current();
    let keys = SealingKeys { flow: SealingKey::random(), form: SealingKey::random() };
    let foundations =
        Foundations::new(1, clock, Metrics::new(), stores, keys, Arc::new(asserter), background);
    Snapshot::build(settings, &foundations, None).unwrap()
}

fn transport(scheme: Scheme) -> Arc<Transport> {
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
    let (snapshot, transport) = (snapshot(&settings(vec![strict])), transport(Scheme::Https));
    let request = Request::get("/").header("host", "wiki.example").body(()).unwrap();
    let inbound = Inbound::read(&transport, &snapshot.trusted, &request).unwrap();
    let routed = Routed::new(&snapshot.routing, &inbound, snapshot.routing.route(&inbound)?)?;
    let now = Timestamp::from_seconds(1_000 + seconds);
    let asked = AuthenticatedRequest { routed, authentication, sign_in_at: None, now };
    decide(&snapshot.routing, asked, &request).map(|_| ())
}

/// A session of somebody who signed in at 1000 here and at `auth_time` at the provider.
async fn session(auth_time: Option<u64>) -> Authentication {
    let clock = Clock::manual(Timestamp::from_seconds(1_000));
    let sessions = crate::session::testing::sessions(&clock);
    let person = Principal { auth_time: auth_time.map(Timestamp::from_seconds), ..alice() };
    let root = crate::session::testing::sign_in("wiki.example", Arc::new(person), &clock);
    let (key, session) = sessions.create(root).await.unwrap();
    Authentication::of_session(key, session)
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

pub(super) fn principal(group: &str) -> Arc<Principal> {
    Arc::new(Principal { groups: vec![group.into()], ..alice() })
}
