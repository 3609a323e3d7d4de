//! Challenges: what a device signs to show that it has the key. The gateway keeps none of them: each says itself what it is
//! for and when it was made, under a key of the gateway's.
//!
//! A challenge is good for one purpose, one session and a quarter of an hour; one to renew a cookie, until a proof is
//! counted ([`SessionStore::count_proof`](crate::session::SessionStore::count_proof)): those of before are void then, so
//! that no proof counts twice (invariant 27).

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::secret::{KeyRing, random_bytes};
use crate::session::SessionId;

const CHALLENGE: &[u8] = b"portcullis state 1: device challenge";

/// Longer than a bound cookie lasts: the challenge that comes with one is for the next.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Kind, session, time, version, random bits; the signature follows.
const TEXT: usize = 1 + 32 + 8 + 4 + 8;
const SIGNATURE: usize = 32;

/// What a challenge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeKind {
    /// To bind a session.
    Registration,
    /// To have the bound cookie anew.
    Refresh,
}

/// A challenge of ours that is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose session it is for.
    pub session: SessionId,
    /// How many proofs had been counted when it was made.
    pub version: u32,
}

/// Why a text is no challenge that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeFault {
    /// It is none of ours, or for something else.
    #[error("the challenge is none of ours for this")]
    Foreign,
    /// It is older than a quarter of an hour.
    #[error("the challenge is older than {} minutes", LIFETIME.as_secs() / 60)]
    Expired,
}

/// The keys that challenges are signed with: the first signs, what any of them has signed counts.
#[derive(Clone)]
pub(in crate::session) struct ChallengeKeys(Box<[hmac::Key]>);

impl ChallengeKeys {
    pub(in crate::session) fn derive<S: AsRef<[u8]>>(secrets: &[S]) -> Option<Self> {
        let ring = KeyRing::derive(secrets, CHALLENGE)?;
        Some(Self(ring.keys().map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.expose())).collect()))
    }

    /// Another one at each call: browsers may answer a challenge that they know with the proof that they have.
    pub(super) fn make(&self, kind: ChallengeKind, challenge: Challenge, now: Timestamp) -> String {
        let mut text = Vec::with_capacity(TEXT + SIGNATURE);
        text.push(kind.code());
        text.extend_from_slice(challenge.session.as_bytes());
        text.extend_from_slice(&now.seconds().to_be_bytes());
        text.extend_from_slice(&challenge.version.to_be_bytes());
        text.extend_from_slice(&random_bytes::<8>());
        let signature = self.0.first().map(|key| hmac::sign(key, &text));
        text.extend_from_slice(signature.as_ref().map_or(&[], AsRef::as_ref));
        URL_SAFE_NO_PAD.encode(text)
    }

    pub(super) fn read(
        &self,
        kind: ChallengeKind,
        text: &str,
        now: Timestamp,
    ) -> Result<Challenge, ChallengeFault> {
        let (made, challenge) = self.opened(kind, text).ok_or(ChallengeFault::Foreign)?;
        if mutant!(now.since(made) >= LIFETIME, "old-challenge" => false) {
            return Err(ChallengeFault::Expired);
        }
        Ok(challenge)
    }

    fn opened(&self, kind: ChallengeKind, text: &str) -> Option<(Timestamp, Challenge)> {
        let mut bytes = [0; TEXT + SIGNATURE];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let (text, signature) = bytes.get(..length)?.split_at_checked(TEXT)?;
        let signed = self.0.iter().any(|key| hmac::verify(key, text, signature).is_ok());
        let (code, rest) = text.split_first()?;
        let (session, rest) = rest.split_first_chunk::<32>()?;
        let (made, rest) = rest.split_first_chunk::<8>()?;
        let (version, _) = rest.split_first_chunk::<4>()?;
        let ours = mutant!(signed, "challenge-of-anybody" => true)
            && mutant!(*code == kind.code(), "challenge-for-anything" => true);
        let challenge =
            Challenge { session: SessionId::from_bytes(*session), version: u32::from_be_bytes(*version) };
        ours.then_some((Timestamp::from_seconds(u64::from_be_bytes(*made)), challenge))
    }
}

impl ChallengeKind {
    const fn code(self) -> u8 {
        match self {
            Self::Registration => 1,
            Self::Refresh => 2,
        }
    }
}
