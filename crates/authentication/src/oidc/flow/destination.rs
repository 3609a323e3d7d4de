//! Where a sign-in leads, sealed into `state` (RFC 6749, section 4.1.1; OpenID Connect Core 1.0, section 3.1.2.1).
//!
//! It travels through the provider rather than in the flow's cookie: cookies stay small however long the address
//! is, and a flow whose cookie is gone still says where its person wanted to go.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::FlowCookies;
use crate::secret::Secret;

/// What it is sealed under, with the state's random part behind it, so that neither anything else that the key
/// seals nor another state's part is taken for it (invariant 7).
const NAME: &str = "portcullis-state-";

/// The longest `state` that is looked at, in bytes: none of ours comes near it (invariant 14).
const LONGEST: usize = 8 * 1024;

/// Where a sign-in leads; public to whoever it is for, and nobody's proof of anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// An absolute address, found to be one of ours when the sign-in began (invariant 13).
    #[serde(rename = "r")]
    pub return_to: String,
    /// What the app's host needs to take the session over; opaque here.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<String>,
    /// Whether the sign-in was begun anew because an earlier one was lost: that happens once.
    #[serde(rename = "a", default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

impl FlowCookies {
    /// A fresh `state` that leads to `destination`: 256 random bits, a dot, and the sealed destination; all of it
    /// letters, digits, `-`, `_` and `.`.
    #[must_use]
    pub fn state(&self, destination: &Destination) -> Secret {
        let random = Secret::random();
        let name = format!("{NAME}{}", random.expose());
        let sealed = self.key().seal_json(name.as_bytes(), destination);
        let sealed = URL_SAFE_NO_PAD.encode(sealed.unwrap_or_default());
        Secret::new(format!("{}.{sealed}", random.expose()))
    }

    /// Where the sign-in of `state` leads, whether or not its flow is still known. It says nothing of who comes
    /// with it: anybody can begin a sign-in.
    #[must_use]
    pub fn destination(&self, state: &str) -> Option<Destination> {
        let (random, sealed) = state.split_once('.').filter(|_| state.len() <= LONGEST)?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        self.key().open_json(format!("{NAME}{random}").as_bytes(), &sealed)
    }
}
