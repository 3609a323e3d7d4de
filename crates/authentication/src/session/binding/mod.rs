//! Sessions that are bound to a key of their browser's device (Device Bound Session Credentials, W3C draft of 2026).
//!
//! A session is *unbound*, or *bound* for good. Its browser was told of a way to bind it when it got the session's cookie
//! ([`Sessions::registration_challenge`]); whether it does so is its own affair.
//!
//! - [`Sessions::bind`] takes a session from the first to the second: with a public key, once. From then on a request
//!   needs a second cookie beside the session's, which lasts ten minutes. Requests that were under way when it was bound
//!   have ten seconds for it ([`GRACE`]).
//! - [`Sessions::renew_binding`] lets the browser have that cookie anew, once for each proof that it has the private key.
//! - A bound session never becomes unbound: without the cookie it opens nothing but the way to sign in anew (invariant 27).
//!
//! A binding covers the host of its session, or, where it is that of a root, a whole site.

mod bind;
mod challenge;
mod cookie;
mod possession;

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::state_keys::StateKeys;
use super::store::StoredBinding;
use super::{SessionId, StoredFamily, StoredSession};
use crate::clock::Timestamp;
use crate::secret::{fingerprint, random_bytes};

pub use bind::{FoundSession, Registered, site_of};
pub(super) use challenge::ChallengeKeys;
pub use challenge::{Challenge, ChallengeFault, ChallengeKind};
pub use cookie::{BoundCookie, BoundCookieFault};
pub use possession::{HandOn, Possession};

/// How long a browser that has just got a session may take to bind it.
pub const AWAITED: Duration = Duration::from_secs(30);

/// How long after that requests may come without the bound cookie: those that were under way.
pub const GRACE: Duration = Duration::from_secs(10);

/// How long the bound cookie lasts in the browser. Chrome gives all bound sessions of a site six signatures in nine
/// minutes, and needs one for each cookie.
pub const COOKIE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Hosts of one site that are bound in one browser: one signature less than Chrome gives.
pub const MOST_HOSTS: u32 = 5;

const RECORD: &[u8] = b"portcullis session 1: binding";

/// A public key of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceKey {
    /// The only algorithm that it signs with (RFC 7518, section 3.1).
    pub algorithm: String,
    /// The key (RFC 7517), with nothing in it but what makes it one.
    pub jwk: serde_json::Value,
}

impl DeviceKey {
    /// The key's name, for records (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // Its members are sorted, as the RFC has them, and there are no others.
        URL_SAFE_NO_PAD.encode(fingerprint(self.jwk.to_string().as_bytes()))
    }
}

/// What a binding covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BindingScope {
    /// The host of its session.
    Host,
    /// This domain and all below it, for the whole family.
    Site(String),
}

impl BindingScope {
    /// Whether a whole site is covered, and `host` is of it.
    #[must_use]
    pub fn holds_site_of(&self, host: &str) -> bool {
        match self {
            Self::Host => false,
            Self::Site(site) => is_of_site(host, site),
        }
    }
}

/// Whether `host` is `site` or below it.
#[must_use]
pub fn is_of_site(host: &str, site: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || mutant!(rest.ends_with('.'), "site-by-its-end" => true);
    host.strip_suffix(site).is_some_and(below)
}

/// A session's binding to a key.
pub struct Binding {
    /// The session whose row it is: the root's, where it covers a site.
    pub session: SessionId,
    /// The key.
    pub key: DeviceKey,
    /// When it was bound.
    pub since: Timestamp,
    /// What it covers.
    pub scope: BindingScope,
    version: u32,
    /// What the values of its cookie are signed with: of this binding alone, and only on the gateway.
    cookie_key: hmac::Key,
}

/// A binding that is kept and does not open: altered, or sealed under a key that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the session is bound to cannot be read")]
pub struct UnreadableBinding;

#[derive(Serialize, Deserialize)]
struct BindingRecord {
    key: DeviceKey,
    since: Timestamp,
    scope: BindingScope,
    cookie_key: [u8; 32],
}

impl BindingRecord {
    fn new(key: DeviceKey, since: Timestamp, scope: BindingScope) -> Self {
        Self { key, since, scope, cookie_key: random_bytes() }
    }

    fn seal(&self, keys: &StateKeys, session: SessionId) -> Option<Vec<u8>> {
        keys.seal(&bound_to(session), self)
    }

    fn into_binding(self, session: SessionId, version: u32) -> Binding {
        let Self { key, since, scope, cookie_key } = self;
        let bytes = Zeroizing::new(cookie_key);
        let cookie_key = hmac::Key::new(hmac::HMAC_SHA256, bytes.as_slice());
        Binding { session, key, since, scope, version, cookie_key }
    }
}

fn bound_to(session: SessionId) -> Vec<u8> {
    [RECORD, mutant!(session.as_bytes().as_slice(), "binding-of-any-session" => b"")].concat()
}

impl Binding {
    fn open(keys: &StateKeys, session: SessionId, stored: &StoredBinding) -> Result<Self, UnreadableBinding> {
        let record: Option<BindingRecord> = keys.open(&bound_to(session), &stored.record);
        Ok(record.ok_or(UnreadableBinding)?.into_binding(session, stored.version))
    }

    /// What `session` is bound to: by its own row, or by that of its root where this covers its host. A row that is
    /// there and does not open is no absent one: the session then opens nothing (invariant 3).
    pub(super) fn of(
        keys: &StateKeys,
        family: &StoredFamily,
        session: &StoredSession,
    ) -> Result<Option<Self>, UnreadableBinding> {
        if let Some(own) = &session.binding {
            return Self::open(keys, session.id, own).map(Some);
        }
        let Some(of_root) = &family.binding else { return Ok(None) };
        let of_root = Self::open(keys, family.root, of_root)?;
        Ok(of_root.scope.holds_site_of(&session.host).then_some(of_root))
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("session", &self.session)
            .field("since", &self.since)
            .field("scope", &self.scope)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
