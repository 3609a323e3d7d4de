//! A sign-in that must be stronger than the one before: what is asked on the way to the provider, and whether the answer
//! is enough.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Flow, FlowCookies};
use crate::clock::Timestamp;
use crate::identity::{Principal, Proof, Shortfall, Strength};

/// What a strength is sealed under, so that nothing else that the key seals is taken for one (invariant 7).
const NAME: &[u8] = b"portcullis-step-up";

/// The longest sealed strength that is looked at, in bytes (invariant 14).
const LONGEST: usize = 4 * 1024;

/// How much longer a sign-in must be recent enough than until it comes back. One that is too old again by the time that
/// the browser asks for its page would be sent round once more, and for ever.
const SETTLING: Duration = Duration::from_secs(10);

/// What came of a provider that says that it cannot.
const CANNOT: &str = "the answer that this cannot be had";

impl Flow {
    /// All that was asked of the sign-in, of a provider that says that it cannot.
    #[must_use]
    pub fn unmet(&self) -> Vec<Shortfall> {
        let unmet = |proof: Proof| Shortfall { wanted: proof.wanted(), found: CANNOT.to_owned() };
        self.strength.proofs().map(unmet).collect()
    }

    /// What was asked of the sign-in and is not met by that of `principal` at `now`.
    pub(super) fn shortfall(&self, principal: &Principal, now: Timestamp) -> Vec<Shortfall> {
        let then = now + SETTLING;
        let unmet = |proof: &Proof| mutant!(proof.is_given(principal, then) != Some(true), "weak-answer-is-enough" => false);
        self.strength.proofs().filter(unmet).map(|proof| proof.shortfall(principal, now)).collect()
    }
}

impl FlowCookies {
    /// `strength` on its way between hosts of ours, by an address: sealed, so that nobody edits it there. Letters,
    /// digits, `-` and `_`.
    #[must_use]
    pub fn seal_strength(&self, strength: &Strength) -> String {
        URL_SAFE_NO_PAD.encode(self.key().seal_json(NAME, strength).unwrap_or_default())
    }

    /// The strength that [`FlowCookies::seal_strength`] sealed.
    #[must_use]
    pub fn open_strength(&self, sealed: &str) -> Option<Strength> {
        let sealed = (sealed.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(sealed).ok()).flatten()?;
        self.key().open_json(NAME, &sealed)
    }
}
