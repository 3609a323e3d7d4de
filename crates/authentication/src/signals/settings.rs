//! A transmitter as the configuration means it.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::EventType;
use crate::identity::{ClaimPath, Issuer, ProviderName};
use crate::secret::Secret;
use crate::session::Demand;

/// One `[signals.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalsSettings {
    /// `NAME`.
    pub name: String,
    /// The transmitter's identifier, exactly as its metadata say it (Shared Signals Framework 1.0, section 7.1).
    pub transmitter: Issuer,
    /// The provider whose sign-ins its signals may concern, and no other's.
    pub provider: ProviderName,
    /// That provider's issuer identifier.
    pub issuer: Issuer,
    /// How its management API knows us.
    pub authorization: Authorization,
    /// How its signals come.
    pub delivery: Delivery,
    /// What is asked for.
    pub events: Vec<EventType>,
    /// What `aud` of its tokens must be; what it says of the stream where not given.
    pub audience: Option<String>,
    /// What signals ask in place of the default, where they ask anything.
    pub actions: BTreeMap<EventType, Demand>,
    /// The claim of a person's that names their device.
    pub device: Option<ClaimPath>,
    /// The claim of a person's that names their tenant.
    pub tenant: Option<ClaimPath>,
    /// By how much clocks may differ.
    pub leeway: Duration,
    /// PEM with the only authorities trusted for it; the system's where not given.
    pub ca: Option<Vec<u8>>,
    /// Bound on each call but the waiting ones.
    pub timeout: Duration,
}

/// How the management API knows us.
#[derive(Clone, Debug, PartialEq)]
pub enum Authorization {
    /// By this access token (RFC 6750).
    Token(Secret),
    /// By access tokens for a client (RFC 6749, section 4.4).
    Client {
        /// `client_id`.
        id: String,
        /// Its secret.
        secret: Secret,
        /// Where they are given.
        token_endpoint: Url,
        /// Scopes to ask for.
        scopes: Vec<String>,
    },
}

/// How signals come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The transmitter sends them (RFC 8935).
    Push,
    /// They are fetched (RFC 8936).
    Poll,
}

impl Delivery {
    /// The method's URN (Shared Signals Framework 1.0, section 6.1).
    pub(super) const fn urn(self) -> &'static str {
        match self {
            Self::Push => "urn:ietf:rfc:8935",
            Self::Poll => "urn:ietf:rfc:8936",
        }
    }
}
