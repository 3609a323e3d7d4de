//! The gate's own rules, on snapshots built without upstreams and providers.

use std::sync::Arc;

use http::{Method, Request, StatusCode};
use url::Url;

use super::foundations::Foundations;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::settings::{
    GateSettings, OriginSettings, OwnSettings, RedirectSettings, RouteAction, RouteSettings,
};
use super::snapshot::Snapshot;
use crate::authn::{Accept, Accepted};
use crate::clock::{Clock, Timestamp};
use crate::endpoints::SealingKeys;
use crate::forward::{Asserter, AssertionKey};
use crate::identity::fixtures::alice;
use crate::identity::{Principal, RouteName};
use crate::oidc::RelyingPartySettings;
use crate::policy::AccessSettings;
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
        after_expiry: std::time::Duration::from_secs(300),
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
    let background = tokio::runtime::Handle::current();
    let keys = SealingKeys { flow: SealingKey::random(), form: SealingKey::random() };
    let foundations =
        Foundations::new(1, clock, Metrics::new(), sessions, keys, Arc::new(asserter), background);
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

pub(super) fn principal(group: &str) -> Arc<Principal> {
    Arc::new(Principal { groups: vec![group.into()], ..alice() })
}
