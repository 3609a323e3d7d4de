//! A small OpenID Provider: the authorization code flow with PKCE, a sign-in page, consent, sign-out.
//!
//! It is for the demo and nothing else: its two accounts, its two clients and its key are made at start and
//! end with the process. Within that it keeps to the standards that the gateway relies on.

mod authorization;
mod browser;
mod clients;
mod discovery;
mod fault;
mod grants;
mod interaction;
mod pages;
mod parameters;
mod resources;
mod scope;
mod sign_in;
mod sign_out;
mod signer;
mod throttle;
mod token;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use url::Url;

use self::browser::{FormGuard, ROOT, Session};
use self::clients::Clients;
use self::grants::Grants;
use self::interaction::Interaction;
use self::scope::Scopes;
use self::signer::Signer;
use self::throttle::Throttle;
use super::bounded::Bounded;
use super::people::{Person, people};
use super::reply::{self, Reply};
use portcullis_rules::clock::Clock;
use portcullis_rules::secret::{Secret, random_bytes};

pub(super) use self::scope::Scope;

/// Where tokens are asked for.
pub(super) const TOKEN_PATH: &str = "/op/token";

/// Where things are, below [`ROOT`].
mod paths {
    pub(super) const AUTHORIZE: &str = "/authorize";
    pub(super) const CONTINUE: &str = "/continue";
    pub(super) const SIGN_IN: &str = "/sign-in";
    pub(super) const CHOOSE: &str = "/choose";
    pub(super) const CONSENT: &str = "/consent";
    pub(super) const TOKEN: &str = "/token";
    pub(super) const USERINFO: &str = "/userinfo";
    pub(super) const KEYS: &str = "/jwks.json";
    pub(super) const REVOKE: &str = "/revoke";
    pub(super) const END_SESSION: &str = "/end-session";
    pub(super) const SIGN_OUT: &str = "/sign-out";
}

/// The provider.
#[derive(Debug)]
pub(super) struct Provider {
    /// Its issuer identifier: its origin.
    pub(super) issuer: String,
    /// Where its only relying party is.
    gateway: Url,
    /// Whom its access tokens are for.
    pub(super) audience: String,
    /// Who can sign in.
    pub(super) people: Vec<Arc<Person>>,
    /// Its clients.
    pub(super) clients: Clients,
    clock: Clock,
    signer: Signer,
    forms: FormGuard,
    throttle: Throttle,
    sessions: Bounded<Session>,
    interactions: Bounded<Interaction>,
    consents: Bounded<Scopes>,
    grants: Grants,
}

impl Provider {
    /// How long sessions and consents last.
    const REMEMBERED: Duration = Duration::from_secs(12 * 3600);

    /// A provider at the origin `issuer` for the gateway at `gateway`.
    ///
    /// # Errors
    /// Where no key can be made.
    pub(super) fn new(issuer: String, gateway: &Url, clock: Clock) -> io::Result<Self> {
        Ok(Self {
            signer: Signer::generate(&issuer).map_err(io::Error::other)?,
            forms: FormGuard::new(&issuer),
            audience: format!("{gateway}api"),
            people: people(),
            clients: Clients::new(gateway),
            gateway: gateway.clone(),
            throttle: Throttle::new(clock.clone()),
            sessions: Bounded::new(1024, &clock),
            interactions: Bounded::new(4096, &clock),
            consents: Bounded::new(64, &clock),
            grants: Grants::new(&clock),
            issuer,
            clock,
        })
    }

    /// Answers a request.
    pub(super) fn answer(&self, request: &Request<Bytes>) -> Reply {
        if !self.is_asked(request.headers()) {
            return reply::text(StatusCode::MISDIRECTED_REQUEST, "another host is asked for\n");
        }
        let path = request.uri().path();
        match path.strip_prefix(ROOT) {
            Some(path) => self.endpoint(path, request),
            None if path == "/.well-known/openid-configuration" => discovery::document(self),
            None if path == "/" => pages::home(self, request.headers()),
            None => pages::missing(self),
        }
    }

    fn endpoint(&self, path: &str, request: &Request<Bytes>) -> Reply {
        let (get, post) = (&[Method::GET, Method::HEAD], &[Method::POST]);
        let is = |methods: &[Method]| methods.contains(request.method());
        match path {
            paths::AUTHORIZE if is(get) || is(post) => interaction::authorize(self, request),
            paths::CONTINUE if is(get) => interaction::advance(self, request),
            paths::SIGN_IN if is(post) => sign_in::sign_in(self, request),
            paths::CHOOSE if is(post) => sign_in::choose(self, request),
            paths::CONSENT if is(post) => sign_in::consent(self, request),
            paths::TOKEN if is(post) => token::token(self, request),
            paths::USERINFO if is(get) || is(post) => resources::userinfo(self, request),
            paths::KEYS if is(get) => discovery::keys(self),
            paths::REVOKE if is(post) => resources::revoke(self, request),
            paths::END_SESSION if is(get) || is(post) => sign_out::end_session(self, request),
            paths::SIGN_OUT if is(post) => sign_out::confirmed(self, request),
            _ => pages::missing(self),
        }
    }

    /// Whether the browser meant this server: a name of somebody else's that points to loopback makes it
    /// send their pages' requests here (DNS rebinding).
    fn is_asked(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.issuer.strip_prefix("http://") == Some(host))
    }

    fn session(&self, headers: &HeaderMap) -> Option<Session> {
        self.sessions.get(browser::session_key(headers)?.expose())
    }

    /// A session under a new key. Who signs in again goes on with the session they had; somebody else's ends.
    fn begin_session(&self, headers: &HeaderMap, person: Arc<Person>) -> (Secret, Session) {
        let id = match self.session(headers).filter(|session| session.person == person) {
            Some(session) => session.id,
            None => token::hex(&random_bytes::<16>()),
        };
        self.forget_key(headers)
            .into_iter()
            .filter(|old| old.id != id)
            .for_each(|old| self.grants.end_session(&old.id));
        let session = Session { id, person, auth_time: self.clock.now() };
        let key = Secret::random();
        self.sessions.put(key.expose(), Self::REMEMBERED, session.clone());
        (key, session)
    }

    fn forget_key(&self, headers: &HeaderMap) -> Option<Session> {
        self.sessions.take(browser::session_key(headers)?.expose())
    }

    /// Ends the browser's session and what hangs on it.
    fn forget_session(&self, headers: &HeaderMap) {
        self.forget_key(headers).into_iter().for_each(|session| self.grants.end_session(&session.id));
    }
}
