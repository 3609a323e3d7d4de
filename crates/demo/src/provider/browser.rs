//! What the provider knows of a browser: its cookies, and whether a form came from a page of ours.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};

use super::paths::ROOT;
use super::people::Person;
use crate::reply::Reply;
use portcullis_rules::clock::Timestamp;
use portcullis_rules::secret::{Secret, random_bytes};

/// What the cookie of a sign-in under way begins with; its id follows. One for each, so that ten tabs opened
/// at once by a browser that was never here are ten sign-ins.
const FLOW: &str = "portcullis_demo_flow_";

/// The session at the provider.
const SESSION: &str = "portcullis_demo_session";

/// Somebody is signed in at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// `sid`: names the session without opening it.
    pub(super) id: String,
    pub(super) person: Arc<Person>,
    /// `auth_time`.
    pub(super) auth_time: Timestamp,
}

/// The key of the browser's session, as its cookie has it.
pub(super) fn session_key(headers: &HeaderMap) -> Option<Secret> {
    read(headers, SESSION)
}

/// The key of the sign-in `id`, which only the browser that began it has.
pub(super) fn flow_key(headers: &HeaderMap, id: &str) -> Option<Secret> {
    read(headers, &format!("{FLOW}{id}"))
}

/// The ids of all sign-ins that the browser has keys of.
pub(super) fn flows(headers: &HeaderMap) -> Vec<String> {
    cookies(headers).filter_map(|cookie| cookie.name().strip_prefix(FLOW).map(str::to_owned)).collect()
}

/// Gives the browser its session's key.
pub(super) fn set_session(reply: &mut Reply, key: &Secret) {
    set(reply, Cookie::new(SESSION, key.expose()));
}

/// Takes the session's key away.
pub(super) fn clear_session(reply: &mut Reply) {
    let mut gone = Cookie::new(SESSION, "");
    gone.make_removal();
    set(reply, gone);
}

/// Gives the browser the key of a sign-in.
pub(super) fn set_flow(reply: &mut Reply, id: &str, key: &Secret, lifetime: Duration) {
    let mut cookie = Cookie::new(format!("{FLOW}{id}"), key.expose());
    cookie.set_max_age(cookie::time::Duration::try_from(lifetime).ok());
    set(reply, cookie);
}

/// Takes the key of a sign-in away.
pub(super) fn clear_flow(reply: &mut Reply, id: &str) {
    let mut gone = Cookie::new(format!("{FLOW}{id}"), "");
    gone.make_removal();
    set(reply, gone);
}

fn read(headers: &HeaderMap, name: &str) -> Option<Secret> {
    cookies(headers).find(|cookie| cookie.name() == name).map(|cookie| Secret::new(cookie.value()))
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(Cookie::split_parse).flatten()
}

fn set(reply: &mut Reply, mut cookie: Cookie<'_>) {
    cookie.set_path(ROOT);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        reply.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Tells our forms from those of other sites (invariant 18).
pub(super) struct FormGuard {
    key: hmac::Key,
    origin: String,
}

impl FormGuard {
    /// A guard for forms on pages of `origin`.
    pub(super) fn new(origin: &str) -> Self {
        Self { key: hmac::Key::new(HMAC_SHA256, &random_bytes::<32>()), origin: origin.to_owned() }
    }

    /// The hidden field of a form about `subject` that is shown to the browser with `key`.
    pub(super) fn token(&self, key: &Secret, subject: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, signed_text(key, subject).as_bytes()))
    }

    /// Whether a form with `token` was sent from a page of ours that the browser with `key` was shown.
    pub(super) fn admits(
        &self,
        headers: &HeaderMap,
        key: Option<&Secret>,
        token: Option<&str>,
        subject: &str,
    ) -> bool {
        let tag = URL_SAFE_NO_PAD.decode(token.unwrap_or_default()).unwrap_or_default();
        let known = key
            .is_some_and(|key| hmac::verify(&self.key, signed_text(key, subject).as_bytes(), &tag).is_ok());
        known && self.is_same_origin(headers)
    }

    /// Browsers say where a form comes from. What they say must fit; a request that says nothing is not
    /// one of theirs.
    fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        let said = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        let (site, origin) = (said("sec-fetch-site"), said("origin"));
        (site.is_some() || origin.is_some())
            && site.is_none_or(|site| site == b"same-origin")
            && origin.is_none_or(|origin| origin == self.origin.as_bytes())
    }
}

fn signed_text(key: &Secret, subject: &str) -> String {
    format!("{} {subject}", key.expose())
}

/// What the form of an interaction is about: the interaction `id`, and the session or the page that it speaks to.
pub(super) fn form_subject(id: &str, whom: &str) -> String {
    format!("{whom} {id}")
}

impl fmt::Debug for FormGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FormGuard({})", self.origin)
    }
}
