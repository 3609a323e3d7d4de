//! The gate's own rules, on houses built without upstreams and providers.

use std::sync::{Arc, LazyLock};

use http::{Method, Request, StatusCode};
use proptest::prelude::*;
use proptest::sample::select;
use tokio::runtime::Runtime;
use url::Url;

use super::explained::{Explained, Imagined, explain};
use super::foundations::Foundations;
use super::house::House;
use super::inbound::Inbound;
use super::judge;
use super::rejection::Rejection;
use super::route::Action;
use super::settings::{GateSettings, RedirectSettings, RouteAction, RouteSettings};
use crate::authn::{Accept, Authentication, Verified};
use crate::clock::{Clock, Timestamp};
use crate::forward::{Asserter, AssertionKey};
use crate::identity::{Issuer, Principal, ProviderName, RouteName, Subject};
use crate::oidc::RelyingPartySettings;
use crate::policy::{AccessSettings, PolicySettings, RuleSettings, Verdict};
use crate::request::{PathException, PathExceptions, Scheme, Transport, WorkerId};
use crate::route::RoutePattern;
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
        accept: Accept { session: true, bearer: true },
        limits: Vec::new(),
        concurrency: None,
        path_exceptions: PathExceptions::default().with(PathException::EmptySegment),
        action: RouteAction::Redirect(redirect),
    }
}

fn ops() -> AccessSettings {
    let allow = RuleSettings { groups: vec!["ops".into()], ..RuleSettings::default() };
    let deny = RuleSettings { paths: vec!["/admin/never".into()], ..RuleSettings::default() };
    AccessSettings::Policies(vec![PolicySettings {
        name: "ops".into(),
        allow: vec![allow],
        deny: vec![deny],
    }])
}

fn settings(routes: Vec<RouteSettings>) -> GateSettings {
    GateSettings {
        trusted_proxies: Vec::new(),
        session: SessionSettings::default(),
        relying_party: RelyingPartySettings {
            public_url: Some(Url::parse("https://login.example").unwrap()),
            providers: Vec::new(),
        },
        routes,
        log: false,
    }
}

fn house(settings: &GateSettings) -> House {
    let clock = Clock::manual(Timestamp::from_seconds(1_000));
    let asserter =
        Asserter::new("https://login.example", AssertionKey::generate().unwrap(), &[], clock.clone());
    let sessions = crate::session::testing::sessions(&clock);
    let background = tokio::runtime::Handle::current();
    let foundations = Foundations::new(
        1,
        clock,
        Metrics::new(),
        sessions,
        [1; 64],
        &[2; 64],
        Arc::new(asserter),
        background,
    );
    House::build(settings, &Arc::new(foundations), None).unwrap()
}

fn transport(scheme: Scheme) -> Arc<Transport> {
    let (peer, local) = ("192.0.2.7:9".parse().unwrap(), "192.0.2.1:443".parse().unwrap());
    Arc::new(Transport { peer, local, scheme, to_https: false, worker: WorkerId(0) })
}

fn claims(house: &House, url: &str) -> bool {
    house.claims(&Url::parse(url).unwrap())
}

/// Of a route for any host a stranger would make the victim's browser bring a ticket to the stranger's host,
/// and show it here under that host's name.
#[tokio::test]
async fn invariant_13_a_route_for_any_host_makes_no_strangers_host_a_place_to_come_back_to() {
    let open = house(&settings(vec![route("*", "/", &[], AccessSettings::SignedIn)]));
    assert!(claims(&open, "https://login.example/x"));
    assert!(!claims(&open, "https://evil.example/"));
    assert!(!claims(&open, "https://login.example:8443/"));
    assert!(!claims(&open, "http://login.example/"));

    let rows =
        ["*", "wiki.example", "*.apps.example"].map(|host| route(host, "/", &[], AccessSettings::SignedIn));
    let named = house(&settings(rows.into()));
    assert!(claims(&named, "https://wiki.example/") && claims(&named, "https://a.apps.example/"));
    for stranger in ["https://evil.example/", "https://b.a.apps.example/", "https://apps.example/"] {
        assert!(!claims(&named, stranger), "{stranger}");
    }
}
