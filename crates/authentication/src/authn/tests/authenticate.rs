//! Which credential of a request decides.

use std::net::SocketAddr;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::*;
use crate::identity::fixtures::alice;
use crate::identity::{Principal, RequestId, Subject};
use crate::oidc::Providers;
use crate::request::{Authority, ConnectionCache, Scheme, Transport, WorkerId};
use crate::secret::Secret;
use crate::session::{
    BoundCookie, NewSession, Session, SessionCookie, SessionKey, SessionSettings, Sessions, Tokens, testing,
};

pub(super) const HOST: &str = "wiki.corp.example";
pub(super) const BEARER: Accept = Accept::NOTHING.with(Accepted::Bearer);
pub(super) const SESSION: Accept = Accept::NOTHING.with(Accepted::Session);
pub(super) const BOTH: Accept = SESSION.with(Accepted::Bearer);
pub(super) const NEITHER: Accept = Accept::NOTHING;

/// A request with these fields, on a connection of its own or on one that has brought others.
pub(super) struct Asked {
    authority: Authority,
    headers: HeaderMap,
    transport: Arc<Transport>,
}

impl Asked {
    pub(super) fn new(host: &str, headers: &HeaderMap) -> Self {
        Self::on(&connection(), host, headers)
    }

    pub(super) fn on(transport: &Arc<Transport>, host: &str, headers: &HeaderMap) -> Self {
        let authority = Authority::parse(host).unwrap();
        Self { authority, headers: headers.clone(), transport: Arc::clone(transport) }
    }

    pub(super) fn view(&self) -> RequestView<'_> {
        static URI: LazyLock<Uri> = LazyLock::new(|| Uri::from_static("/"));
        static ID: LazyLock<RequestId> = LazyLock::new(|| RequestId::new("r1"));
        RequestView {
            method: &Method::GET,
            scheme: Scheme::Https,
            authority: &self.authority,
            uri: &URI,
            headers: &self.headers,
            transport: &self.transport,
            id: &ID,
        }
    }
}

/// One that has brought no request yet.
pub(super) fn connection() -> Arc<Transport> {
    let peer = SocketAddr::from(([192, 0, 2, 1], 1));
    let (worker, cache) = (WorkerId::default(), ConnectionCache::default());
    let scheme = Scheme::Https;
    Arc::new(Transport { peer, local: peer, scheme, to_https: false, worker, cache, interim: None })
}

/// What these fields come to.
async fn authenticated(
    authenticator: &Authenticator,
    accept: Accept,
    headers: &HeaderMap,
) -> Result<Authentication, AuthenticationError> {
    authenticator.authenticate(accept, &Asked::new(HOST, headers).view()).await
}

pub(super) struct Gate {
    pub(super) world: World,
    pub(super) sessions: Sessions,
    pub(super) cookie: SessionCookie,
}

fn principal() -> Arc<Principal> {
    Arc::new(Principal { subject: Subject::new("u9"), user: "bob".into(), ..alice() })
}

fn cookie() -> SessionCookie {
    SessionCookie::new(&SessionSettings::default(), true)
}

fn providers(settings: ProviderSettings, clock: &Clock) -> Providers {
    Providers::new(vec![crate::oidc::Provider::new(settings, None, clock.clone()).unwrap()])
}

impl Gate {
    pub(super) fn new() -> Self {
        let world = World::new();
        Self { sessions: testing::sessions(&world.clock), cookie: cookie(), world }
    }

    pub(super) fn authenticator(&self) -> Authenticator {
        self.authenticator_of(settings(), self.sessions.clone())
    }

    pub(super) fn authenticator_of(&self, provider: ProviderSettings, sessions: Sessions) -> Authenticator {
        let issuer = BearerIssuer { settings: settings(), keys: Arc::clone(&self.world.keys) };
        let bearer = BearerVerifier::new(vec![issuer], self.world.clock.clone(), BearerSettings::default());
        let bound = (BoundCookie::new(&SessionSettings::default(), true), false);
        Authenticator::new(sessions, cookie(), bound, bearer, providers(provider, &self.world.clock))
    }

    pub(super) async fn sign_in(&self) -> (SessionKey, Arc<Session>) {
        let tokens = Tokens { access: Some(Secret::new("access")), ..Tokens::default() };
        let new = NewSession::Root {
            host: HOST.into(),
            principal: principal(),
            tokens,
            sid: None,
            origin: crate::session::SignInOrigin::default(),
            began: self.world.clock.now(),
        };
        self.sessions.create(new).await.unwrap()
    }

    pub(super) async fn cookie_header(&self) -> String {
        let set = self.cookie.set(&self.sign_in().await.0);
        set.to_str().unwrap().split(';').next().unwrap().to_owned()
    }
}

pub(super) fn headers(fields: &[(HeaderName, &str)]) -> HeaderMap {
    let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
    fields.iter().map(|(name, text)| (name.clone(), value(text))).collect()
}

/// What it came to, in a word.
pub(super) fn word(authentication: &Result<Authentication, AuthenticationError>) -> &'static str {
    match authentication {
        Ok(Authentication::Anonymous) => "anonymous",
        Ok(Authentication::Ended) => "ended",
        Ok(Authentication::Unshown(_)) => "unshown",
        Ok(Authentication::Authenticated(somebody)) => match somebody.kind {
            CredentialKind::Session => "session",
            CredentialKind::AccessToken => "bearer",
        },
        Err(AuthenticationError::Token(_)) => "token error",
        Err(AuthenticationError::Store(_)) => "store error",
    }
}

#[tokio::test]
async fn a_route_looks_at_the_credentials_it_accepts_and_a_token_goes_first() {
    let gate = Gate::new();
    let (session, good) = (gate.cookie_header().await, format!("Bearer {}", token(&header(), &claims())));
    let authenticator = gate.authenticator();
    let both = headers(&[(AUTHORIZATION, &good), (COOKIE, &session)]);
    for (accept, expected) in
        [(BOTH, "bearer"), (SESSION, "session"), (BEARER, "bearer"), (NEITHER, "anonymous")]
    {
        assert_eq!(word(&authenticated(&authenticator, accept, &both).await), expected, "{accept:?}");
    }
    let none = HeaderMap::new();
    for accept in [BOTH, SESSION, BEARER, NEITHER] {
        assert_eq!(word(&authenticated(&authenticator, accept, &none).await), "anonymous");
    }
}

#[tokio::test]
async fn who_it_is_and_what_was_given_comes_with_it() {
    let gate = Gate::new();
    let (session, good) = (gate.cookie_header().await, format!("bEARER {}", token(&header(), &claims())));
    let authenticator = gate.authenticator();
    let by_cookie = authenticated(&authenticator, BOTH, &headers(&[(COOKIE, &session)])).await.unwrap();
    assert_eq!(by_cookie.principal().unwrap().user, "bob");
    assert_eq!(by_cookie.tokens().unwrap().access, Some(Secret::new("access")));
    let by_token = authenticated(&authenticator, BOTH, &headers(&[(AUTHORIZATION, &good)])).await.unwrap();
    assert_eq!(by_token.principal().unwrap().user, "alice");
    assert!(by_token.tokens().is_none());
    let (session, token) = (by_cookie.authenticated().unwrap(), by_token.authenticated().unwrap());
    assert_eq!((session.carrier.clone(), session.expires), (Carrier::Cookie, None));
    let expires = Timestamp::from_seconds(NOW + 3600 + LEEWAY);
    assert_eq!((token.carrier.clone(), token.expires), (Carrier::Bearer, Some(expires)));
    assert!(!session.has_scopes() && token.has_scopes());
    assert!(Authentication::Anonymous.principal().is_none() && Authentication::Ended.tokens().is_none());
}

#[tokio::test]
async fn invariant_3_a_bad_token_is_not_made_good_by_a_cookie_beside_it() {
    let gate = Gate::new();
    let session = gate.cookie_header().await;
    let authenticator = gate.authenticator();
    let expired = format!("Bearer {}", token(&header(), &with(claims(), "exp", (NOW - LEEWAY).into())));
    for bad in
        ["Bearer", "Bearer ", "Bearer x y", &expired[..expired.len() - 9], &expired, "", "\"Bearer\" x"]
    {
        let beside = headers(&[(AUTHORIZATION, bad), (COOKIE, &session)]);
        assert_eq!(word(&authenticated(&authenticator, BOTH, &beside).await), "token error", "{bad}");
        assert_eq!(word(&authenticated(&authenticator, SESSION, &beside).await), "session", "not looked at");
    }
    for foreign in ["Basic YTpi", "Bearer opaque", "Bearer a.b.c"] {
        let beside = headers(&[(AUTHORIZATION, foreign), (COOKIE, &session)]);
        assert_eq!(word(&authenticated(&authenticator, BOTH, &beside).await), "session", "{foreign}");
    }
}

#[tokio::test]
async fn invariant_3_several_authorization_fields_are_refused_whatever_they_hold() {
    let gate = Gate::new();
    let good = format!("Bearer {}", token(&header(), &claims()));
    for second in [good.as_str(), "Basic YTpi", ""] {
        for fields in [[good.as_str(), second], [second, good.as_str()]] {
            let headers = headers(&fields.map(|field| (AUTHORIZATION, field)));
            let refusal = authenticated(&gate.authenticator(), BOTH, &headers).await.unwrap_err();
            assert!(
                matches!(refusal, AuthenticationError::Token(no) if no == TokenError::RepeatedCredential)
            );
        }
    }
}

#[tokio::test]
async fn invariant_3_a_cookie_that_opens_nothing_is_not_an_absent_one() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let good = gate.cookie_header().await;
    let name = gate.cookie.name();
    let stranger = gate.cookie.set(&SessionKey::random());
    let stranger = stranger.to_str().unwrap().split(';').next().unwrap();
    for cookie in [
        &format!("{name}="),
        &format!("{name}=null"),
        stranger,
        &format!("{good}; {stranger}"),
        &format!("{good}x"),
    ] {
        let found = authenticated(&authenticator, BOTH, &headers(&[(COOKIE, cookie)])).await;
        assert_eq!(word(&found), "ended", "{cookie}");
        assert!(found.unwrap().principal().is_none());
    }
    let other = headers(&[(COOKIE, "portcullis=x; theme=dark")]);
    assert_eq!(word(&authenticated(&authenticator, BOTH, &other).await), "anonymous");
}

#[tokio::test]
async fn invariant_7_a_key_that_was_carried_to_another_host_opens_nothing_there() {
    let gate = Gate::new();
    let cookie = headers(&[(COOKIE, &gate.cookie_header().await)]);
    let authenticator = gate.authenticator();
    for host in ["evil.example", "x.wiki.corp.example", "corp.example", "wiki.corp.example.evil.example", ""]
    {
        let found = authenticator.session(host, &cookie).await.map_err(AuthenticationError::from);
        assert_eq!(word(&found), "ended", "{host}");
    }
    assert_eq!(word(&authenticated(&authenticator, SESSION, &cookie).await), "session");
}

#[tokio::test]
async fn invariant_8_sessions_end_with_their_provider() {
    let gate = Gate::new();
    let cookie = headers(&[(COOKIE, &gate.cookie_header().await)]);
    let renamed = ProviderSettings { name: ProviderName::new("partner"), ..settings() };
    let moved = ProviderSettings { issuer: Issuer::new("https://other.example"), ..settings() };
    for (provider, expected) in [(renamed, "ended"), (moved, "ended"), (settings(), "session")] {
        let authenticator = gate.authenticator_of(provider, gate.sessions.clone());
        assert_eq!(word(&authenticated(&authenticator, SESSION, &cookie).await), expected);
    }
}

#[tokio::test]
async fn invariant_8_a_signed_out_session_opens_nothing_at_once() {
    let gate = Gate::new();
    let (key, session) = gate.sign_in().await;
    let set = gate.cookie.set(&key);
    let cookie = headers(&[(COOKIE, set.to_str().unwrap().split(';').next().unwrap())]);
    let authenticator = gate.authenticator();
    assert_eq!(word(&authenticated(&authenticator, SESSION, &cookie).await), "session");
    gate.sessions.end(&session.id).await.unwrap();
    assert_eq!(word(&authenticated(&authenticator, SESSION, &cookie).await), "ended");
}

#[tokio::test]
async fn a_store_that_is_away_fails_closed_and_tokens_need_none() {
    let gate = Gate::new();
    let authenticator = gate.authenticator_of(settings(), testing::away(&gate.world.clock));
    let cookie = gate.cookie_header().await;
    let found = authenticated(&authenticator, BOTH, &headers(&[(COOKIE, &cookie)])).await;
    assert_eq!(word(&found), "store error");
    let good = format!("Bearer {}", token(&header(), &claims()));
    let with_token = headers(&[(AUTHORIZATION, &good), (COOKIE, &cookie)]);
    assert_eq!(word(&authenticated(&authenticator, BOTH, &with_token).await), "bearer");
    assert_eq!(word(&authenticated(&authenticator, BOTH, &HeaderMap::new()).await), "anonymous");
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_from_a_bad_token() {
    let gate = Gate::new();
    gate.world.provider.answer_with(None);
    let good = format!("Bearer {}", token(&header(), &claims()));
    let refusal = authenticated(&gate.authenticator(), BOTH, &headers(&[(AUTHORIZATION, &good)])).await;
    let Err(AuthenticationError::Token(error)) = refusal else { panic!("{refusal:?}") };
    assert!(error.code().is_none());
}

#[tokio::test]
async fn invariant_15_nothing_of_a_credential_is_printed() {
    let gate = Gate::new();
    let (cookie, token) = (gate.cookie_header().await, token(&header(), &claims()));
    let authenticator = gate.authenticator();
    let fields = headers(&[(COOKIE, &cookie)]);
    let by_cookie = authenticated(&authenticator, BOTH, &fields).await;
    let bearer = headers(&[(AUTHORIZATION, &format!("Bearer {token}"))]);
    let by_token = authenticated(&authenticator, BOTH, &bearer).await;
    let printed = format!("{authenticator:?} {by_cookie:?} {by_token:?}");
    let key = cookie.split('=').nth(1).unwrap();
    for secret in [key, &token, token.rsplit('.').next().unwrap(), "\"access\""] {
        assert!(!printed.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_credential_has_a_name_of_its_own_that_stays() {
    let gate = Gate::new();
    let authenticator = gate.authenticator();
    let cookie = |text: String| headers(&[(COOKIE, &text)]);
    let bearer =
        |claims: &Value| headers(&[(AUTHORIZATION, &format!("Bearer {}", token(&header(), claims)))]);
    let shown = [
        cookie(gate.cookie_header().await),
        cookie(gate.cookie_header().await),
        bearer(&claims()),
        bearer(&with(claims(), "jti", "j2".into())),
    ];
    let mut names = std::collections::HashSet::new();
    for fields in &shown {
        let name = async || {
            let found = authenticated(&authenticator, BOTH, fields).await.unwrap();
            found.authenticated().unwrap().id
        };
        let first = name().await;
        assert_eq!(first, name().await, "the same when it comes again");
        assert!(names.insert(first), "two have one name");
    }
}
