//! What is counted.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use portcullis::authn::{BearerIssuer, BearerSettings, BearerVerifier};
use portcullis::clock::{Clock, Timestamp};
use portcullis::forward::ReservedHeaders;
use portcullis::identity::{ClaimPath, Issuer, ProviderName};
use portcullis::limit::{LimitSettings, Limiter, Per};
use portcullis::oidc::jwks::{Fetch, FetchError, FetchedKeys, JwksCache, JwksSettings};
use portcullis::oidc::{AbsentGroups, ClaimMapping, EmailVerification, ProviderSettings};
use portcullis::policy::{Access, AccessSettings, PolicySettings, Question, RuleSettings, decide};
use portcullis::request::{Authority, ClientAddress, RequestPath, Scheme};
use portcullis::route::{RoutePattern, RouteTable};
use portcullis::session::{
    EmbeddedStore, NewSession, SessionCookie, SessionKey, SessionSettings, Sessions, SignInOrigin, StateKeys,
    Tokens,
};
use portcullis::storage::Database;

use crate::case::{Case, principal, runtime};
use crate::gateway::{self, Asking};
use crate::tokens::{NOW, Signer};

/// A case's name and how it is set up.
type Named = (&'static str, fn() -> Case);

/// Every case by name.
pub(crate) const ALL: &[Named] = &[
    ("path-plain", || path("/v1/orders/4711/lines")),
    ("path-encoded", || path("/v1/orders/a%20b/%C3%A4%C3%B6%C3%BC")),
    ("route-10", || route(10)),
    ("route-10000", || route(10_000)),
    ("policy-1", || policy(1)),
    ("policy-1000", || policy(1_000)),
    ("limit-address", limit),
    ("token-hit", token),
    ("session-hit", session),
    ("header-strip", strip),
    ("gate-plain", || gateway::case(Asking::Plain, 10, 1)),
    ("gate-token", || gateway::case(Asking::Token, 10, 1)),
    ("gate-session", || gateway::case(Asking::Session { live: 1 }, 10, 1)),
    ("gate-bound-session", || gateway::case(Asking::BoundSession, 10, 1)),
    ("gate-bound-refresh", gateway::refresh_case),
    ("device-proof", proof),
    ("gate-10000-routes", || gateway::case(Asking::Plain, 10_000, 1)),
    ("gate-1000-rules", || gateway::case(Asking::Token, 10, 1_000)),
];

/// Cases whose set-up takes long: run where they are asked for by name (`benches/growth`).
pub(crate) const SLOW: &[Named] =
    &[("gate-100000-sessions", || gateway::case(Asking::Session { live: 100_000 }, 10, 1))];

fn path(text: &'static str) -> Case {
    Case::new(move || drop(black_box(RequestPath::parse(black_box(text)))))
}

fn route(count: usize) -> Case {
    let row = |index: usize| {
        let host = format!("app-{index}.corp.example").parse().unwrap();
        (RoutePattern { host, path: "/v1".parse().unwrap(), methods: Vec::new() }, index)
    };
    let table = RouteTable::build((0..count).map(row).collect()).unwrap();
    let authority = Authority::parse("app-7.corp.example").unwrap();
    let path = RequestPath::parse("/v1/orders/4711").unwrap();
    Case::new(move || {
        black_box(table.find(black_box(&authority), Scheme::Https, black_box(&path), &Method::GET));
    })
}

/// The last of `count` rules holds.
fn policy(count: usize) -> Case {
    let rule = |index: usize| {
        let group = if index + 1 == count { "ops".to_owned() } else { format!("group-{index}") };
        RuleSettings { groups: vec![group], ..RuleSettings::default() }
    };
    let allow = (0..count).map(rule).collect();
    let policy = PolicySettings { name: "staff".to_owned(), allow, deny: Vec::new() };
    let access = Access::compile(&AccessSettings::Policies(vec![policy]));
    let (principal, path) = (principal(), RequestPath::parse("/v1").unwrap());
    let client = ClientAddress::new("192.0.2.1".parse().unwrap());
    Case::new(move || {
        let question = Question {
            principal: Some(&principal),
            method: &Method::GET,
            path: &path,
            client,
            now: Timestamp::default(),
            bound: Some(false),
        };
        drop(black_box(decide(&access, black_box(&question))));
    })
}

fn limit() -> Case {
    let settings = LimitSettings {
        per: Per::Address,
        rate: "1000000/s".parse().unwrap(),
        burst: 1_000_000.try_into().unwrap(),
    };
    let limiter = Limiter::new(&[settings], 1_000);
    let (client, headers) = (ClientAddress::new("192.0.2.1".parse().unwrap()), HeaderMap::new());
    Case::new(move || drop(black_box(limiter.count_client(black_box(client), &headers))))
}

const ISSUER: &str = "https://id.corp.example";

/// Keys that a provider would serve.
struct Keys(Vec<u8>);

impl Fetch for Keys {
    fn fetch(&self) -> BoxFuture<'_, Result<FetchedKeys, FetchError>> {
        async { Ok(FetchedKeys { body: self.0.clone(), max_age: None }) }.boxed()
    }
}

fn provider() -> ProviderSettings {
    ProviderSettings {
        name: ProviderName::new("corp"),
        display_name: "Corp".to_owned(),
        issuer: Issuer::new(ISSUER),
        discovery: None,
        client: None,
        audiences: vec!["api".to_owned()],
        trusted_audiences: Vec::new(),
        claims: ClaimMapping {
            user: None,
            email: ClaimPath::parse("email").unwrap(),
            email_verified: EmailVerification::AsSaid,
            groups: ClaimPath::parse("groups").unwrap(),
            absent_groups: AbsentGroups::Unknown,
            named_by_rules: Vec::new(),
        },
        email_domains: Vec::new(),
        leeway: Duration::from_secs(60),
        require_at_jwt: false,
        ca: None,
        timeout: Duration::from_secs(10),
    }
}

/// A token that has been verified before.
fn token() -> Case {
    let signer = Signer::new();
    let clock = Clock::manual(Timestamp::from_seconds(NOW));
    let fetch = Arc::new(Keys(signer.keys().into_bytes()));
    let name = ProviderName::new("corp");
    let keys = Arc::new(JwksCache::new(name, fetch, clock.clone(), JwksSettings::default()));
    let issuer = BearerIssuer { settings: provider(), keys };
    let verifier = BearerVerifier::new(vec![issuer], clock, BearerSettings::default());
    let token = signer.token(ISSUER);
    runtime().block_on(verifier.verify(&token)).unwrap();
    Case::new(move || drop(black_box(verifier.cached(black_box(&token))).unwrap()))
}

/// What a device does for itself in `gate-bound-refresh`.
fn proof() -> Case {
    let device = Signer::new();
    let challenge = "x".repeat(114);
    Case::new(move || drop(black_box(device.proof(black_box(&challenge)))))
}

/// A session that is in memory, found by its cookie.
fn session() -> Case {
    let runtime = runtime();
    let database = Database::in_memory().unwrap();
    let clock = Clock::manual(Timestamp::from_seconds(NOW));
    let settings = SessionSettings::default();
    let cookie = SessionCookie::new(&settings, true);
    let keys = StateKeys::derive(&[[7; 32]]).unwrap();
    let sessions = Sessions::new(settings, Arc::new(EmbeddedStore::new(database)), keys, clock);
    let new = NewSession::Root {
        host: "wiki.corp.example".to_owned(),
        principal: principal(),
        tokens: Tokens::default(),
        sid: None,
        origin: SignInOrigin::default(),
        began: Timestamp::from_seconds(NOW),
    };
    let (key, _) = runtime.block_on(sessions.create(new)).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(http::header::COOKIE, pair(&cookie, &key));
    Case::new(move || {
        let Some(portcullis::session::CookieRead::Key(key)) = cookie.read(black_box(&headers)) else {
            panic!("no key")
        };
        drop(black_box(sessions.cached(&key)).unwrap());
    })
}

fn pair(cookie: &SessionCookie, key: &SessionKey) -> HeaderValue {
    HeaderValue::try_from(format!("theme=dark; {}={}", cookie.name(), key.to_secret().expose())).unwrap()
}

/// What a browser sends, with one header that is not its to send.
fn strip() -> Case {
    let reserved = ReservedHeaders::new([]);
    let fields = [
        ("host", "wiki.corp.example"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("accept-language", "en-US,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("connection", "keep-alive"),
        ("cookie", "theme=dark"),
        ("sec-fetch-mode", "navigate"),
        ("x-auth-request-user", "admin"),
    ];
    let value = |(name, value): (&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    let headers: HeaderMap = fields.into_iter().map(value).collect();
    Case::new(move || {
        let mut headers = headers.clone();
        reserved.strip(black_box(&mut headers));
        assert!(black_box(headers).len() < fields.len());
    })
}
