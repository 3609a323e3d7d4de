//! A proof and what it was made for.

use http::HeaderMap;

use crate::authn::{DeviceProof, DeviceProofError, presented_proof};
use crate::session::{Challenge, ChallengeFault, ChallengeKind, Sessions};

/// Why a proof is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProofError {
    /// It shows nothing.
    #[error("{0}")]
    Proof(#[from] DeviceProofError),
    /// It was not made for a challenge that counts.
    #[error("{0}")]
    Challenge(#[from] ChallengeFault),
    /// It was made for another session than the one that is spoken of.
    #[error("it was made for another session")]
    OtherSession,
    /// A proof has been counted since its challenge was made; it may be that very one.
    #[error("it has been used, or another one since its challenge was made")]
    Replayed,
}

impl ProofError {
    /// The word for metrics and the log.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Proof(error) => error.word(),
            Self::Challenge(ChallengeFault::Foreign) => "foreign-challenge",
            Self::Challenge(ChallengeFault::Expired) => "expired-challenge",
            Self::OtherSession => "another-session",
            Self::Replayed => "replayed",
        }
    }
}

/// Reads the proof of a request, and has `judge` look at it and at the challenge that it was made for. The challenge is
/// read before any signature is checked: strangers have us calculate nothing (invariant 14).
pub(super) fn judged<T>(
    sessions: &Sessions,
    headers: &HeaderMap,
    kind: ChallengeKind,
    judge: impl FnOnce(&DeviceProof<'_>, Challenge) -> Result<T, ProofError>,
) -> Result<T, ProofError> {
    let text = presented_proof(headers)?;
    let proof = DeviceProof::parse(&text)?;
    let challenge = sessions.read_challenge(kind, proof.challenge())?;
    judge(&proof, challenge)
}
