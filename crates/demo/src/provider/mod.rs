//! A small OpenID Provider: the authorization code flow with PKCE, a sign-in page, consent, sign-out.
//!
//! It is for the demo and nothing else: its two accounts, its two clients and its key are made at start and
//! end with the process. Within that it keeps to the standards that the gateway relies on.

mod authorization;
mod authorize;
mod browser;
mod clients;
mod discovery;
mod fault;
mod grants;
mod interaction;
mod pages;
mod parameters;
mod paths;
mod people;
mod resources;
mod scope;
mod sign_in;
mod sign_out;
mod signer;
mod state;
mod throttle;
mod token;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};

use self::paths::ROOT;
use super::reply::{self, Reply};

pub(super) use self::paths::TOKEN_PATH;
pub use self::people::Person;
pub(super) use self::state::Provider;

impl Provider {
    /// Answers a request.
    pub(super) fn answer(&self, request: &Request<Bytes>) -> Reply {
        if !self.is_own_host(request.headers()) {
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
            paths::AUTHORIZE if is(get) || is(post) => authorize::authorize(self, request),
            paths::CONTINUE if is(get) => authorize::advance(self, request),
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
    fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.issuer.strip_prefix("http://") == Some(host))
    }
}
