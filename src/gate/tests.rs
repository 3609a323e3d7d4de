//! The gate's own rules, on houses built without upstreams and providers.

use std::sync::{Arc, LazyLock};

use http::{Method, Request, StatusCode};
use proptest::prelude::*;
use proptest::sample::select;
use tokio::runtime::Runtime;
use url::Url;

use super::authenticate::AuthenticatedRequest;
use super::authorize::{Denial, decide};
use super::explained::{Explained, Imagined, explain};
use super::foundations::Foundations;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::route::Action;
use super::routed::Routed;
use super::settings::{
    GateSettings, OriginSettings, OwnSettings, RedirectSettings, RouteAction, RouteSettings,
};
use super::snapshot::Snapshot;
use crate::authn::{Accept, Accepted, Authentication, Carrier, CredentialId, Verified};
use crate::clock::{Clock, Timestamp};
use crate::endpoints::{SealingKeys, holds};
use crate::forward::{Asserter, AssertionKey};
use crate::identity::{Claims, Gaps, Issuer, Principal, ProviderName, RouteName, Subject};
use crate::oidc::RelyingPartySettings;
use crate::policy::{AccessSettings, PolicySettings, RuleSettings, Verdict};
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
    Snapshot::build(settings, &Arc::new(foundations), None).unwrap()
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
    let Err(Rejection::MethodNotAllowed(methods)) = snapshot.route(&inbound) else { panic!("no 405") };
    assert_eq!(methods, "GET");
}

pub(super) fn principal(group: &str) -> Arc<Principal> {
    Arc::new(Principal {
        provider: ProviderName::new("corp"),
        issuer: Issuer::new("https://id.example"),
        subject: Subject::new("1"),
        user: "alice".into(),
        email: None,
        groups: vec![group.into()],
        scopes: Vec::new(),
        auth_time: None,
        acr: None,
        claims: Claims::default(),
        gaps: Gaps::default(),
    })
}

/// What comes of a request, as far as `explain` tells.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Refused,
    Own,
    Route(RouteName, Verdict),
}

fn lived(snapshot: &Snapshot, imagined: &Imagined) -> End {
    let url = &imagined.url;
    let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let request =
        Request::builder().method(imagined.method.clone()).uri(url.path()).header("host", authority);
    let (request, transport) = (request.body(()).unwrap(), transport(scheme));
    let Ok(inbound) = Inbound::read(&transport, &snapshot.trusted, &request) else { return End::Refused };
    let route = match snapshot.route(&inbound) {
        Ok(route) => route,
        // The gateway's own answer.
        Err(Rejection::MethodNotAllowed(_)) if holds(inbound.path.decoded()) => return End::Own,
        Err(_) => return End::Refused,
    };
    if matches!(route.action, Action::Serve(_)) {
        return End::Own;
    }
    let Ok(routed) = Routed::new(snapshot, &inbound, route) else { return End::Refused };
    let authentication = imagined.principal.clone().map_or(Authentication::Anonymous, |principal| {
        let id = CredentialId::of(b"token");
        let token = Verified { principal, expires: Timestamp::from_seconds(2_000), id };
        Authentication::of_token(&token, Carrier::Bearer)
    });
    let known = AuthenticatedRequest { routed, authentication, sign_in_at: None };
    let verdict = match decide(snapshot, known, &request) {
        Ok(_) => Verdict::Permitted,
        Err(Denial::SignIn(_)) => Verdict::SignIn,
        Err(Denial::Refused(Rejection::Malformed(_))) => return End::Refused,
        Err(Denial::Refused(_)) => Verdict::Forbidden,
    };
    End::Route(route.name.clone(), verdict)
}

fn told(settings: &GateSettings, imagined: &Imagined) -> End {
    match explain(settings, imagined) {
        Explained::Refused(_) => End::Refused,
        Explained::Own => End::Own,
        Explained::Route { route, decision, .. } => End::Route(route.name.clone(), decision.verdict),
    }
}

/// The same routes with and without some for any host; and a runtime that their background tasks belong to.
static HOUSES: LazyLock<(Runtime, Vec<(GateSettings, Snapshot)>)> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let built = |settings: GateSettings| (settings.clone(), snapshot(&settings));
    let houses = runtime.block_on(async { tables().into_iter().map(built).collect() });
    (runtime, houses)
});

fn tables() -> [GateSettings; 2] {
    let (public, ops, anybody) = (AccessSettings::Public, ops(), AccessSettings::SignedIn);
    let named = vec![
        route("wiki.example", "/", &[], anybody.clone()),
        route("wiki.example", "/admin", &[], ops.clone()),
        route("wiki.example", "/admin", &[Method::GET], public.clone()),
        route("wiki.example:8443", "/", &[Method::GET], ops.clone()),
        route("*.apps.example", "/a/b", &[], public),
    ];
    let mut all = named.clone();
    all.push(route("paths.example", "/", &[], below_secret()));
    all.push(route("*", "/admin", &[Method::POST], ops));
    all.push(route("*", "/", &[], anybody));
    [settings(named), settings(all)]
}

/// Rules of paths.
fn below_secret() -> AccessSettings {
    let rule = RuleSettings { paths: vec!["/secret".into()], ..RuleSettings::default() };
    let (allow, deny) = (vec![RuleSettings::default()], vec![rule]);
    AccessSettings::Policies(vec![PolicySettings { name: "paths".into(), allow, deny }])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The reference is the gate itself.
    #[test]
    fn explain_tells_what_the_gate_does(
        scheme in select(vec!["http", "https"]),
        host in select(vec!["wiki.example", "login.example", "x.apps.example", "paths.example", "evil.example", "wiki.example.", "127.1"]),
        port in select(vec!["", ":443", ":80", ":8443"]),
        segments in prop::collection::vec(select(vec![
            "admin", "a", "b", "never", ".portcullis", ".portcullisx", ".Portcullis", "sign-in", "%2e%2e", "a%2Fb", "", "x;y", "..;", "%2Eportcullis", "%61dmin", "%2Fadmin", "admin%5Ca", ".portcullis%2Fx", "secret",
        ]), 0..4),
        method in select(vec![Method::GET, Method::HEAD, Method::POST, Method::OPTIONS]),
        who in select(vec![None, Some("ops"), Some("staff")]),
    ) {
        let Ok(url) = Url::parse(&format!("{scheme}://{host}{port}/{}", segments.join("/"))) else { return Ok(()) };
        let client = "192.0.2.7".parse().unwrap();
        let path = url.path().to_owned();
        let imagined = Imagined { url, path, method, client, principal: who.map(principal) };
        for (settings, snapshot) in &HOUSES.1 {
            prop_assert_eq!(told(settings, &imagined), lived(snapshot, &imagined), "{:?}", imagined);
        }
    }
}
