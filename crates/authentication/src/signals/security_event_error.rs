//! Why a security event token is not accepted.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::oidc::jwks::JwsError;

/// Why a security event token is not accepted. The text is for the log; the transmitter is told
/// [`SecurityEventError::code`] and [`SecurityEventError::description`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecurityEventError {
    /// It is not sent as one.
    #[error("it is not a body of application/secevent+jwt of at most 65,536 bytes")]
    NotSent,
    /// It is no signed JWT.
    #[error(transparent)]
    Unreadable(#[from] JwsError),
    /// The transmitter's keys are not at hand, or what it says of the stream is not known yet: it could not be checked.
    #[error("what is needed to check it is not at hand: {0}")]
    Unchecked(&'static str),
    /// No key of the transmitter's made its signature.
    #[error("signature: {0}")]
    Signature(String),
    /// `typ` of its header says that it is something else.
    #[error("typ of its header is not secevent+jwt: a token made for another purpose")]
    OtherType,
    /// `events` does not hold one event.
    #[error("events: expected one event, and it an object")]
    NotOneEvent,
    /// A claim that must be there is not.
    #[error("it has no claim {0}")]
    MissingClaim(&'static str),
    /// A claim has a type that it must not have.
    #[error("its claim {0} is not of the type it must be")]
    BadClaim(&'static str),
    /// What it is about cannot be read.
    #[error("its subject: {0}")]
    Subject(&'static str),
    /// `iss` is not the transmitter.
    #[error("iss: expected {expected}, got {got}")]
    Issuer {
        /// The transmitter.
        expected: String,
        /// Made printable.
        got: String,
    },
    /// `aud` does not name us.
    #[error("aud: expected {expected}, got {got}: it is for another receiver")]
    Audience {
        /// Ours.
        expected: String,
        /// Made printable.
        got: String,
    },
    /// It says that it expires, and has.
    #[error("expired: exp is {exp}, it is {now} here; compare the clocks", exp = exp.rfc3339(), now = now.rfc3339())]
    Expired {
        /// What it says.
        exp: Timestamp,
        /// This machine's clock.
        now: Timestamp,
    },
    /// `iat` or `nbf` lies ahead.
    #[error("{name} lies ahead: it is {at}, and {now} here; compare the clocks", at = at.rfc3339(), now = now.rfc3339())]
    Ahead {
        /// The claim.
        name: &'static str,
        /// What it says.
        at: Timestamp,
        /// This machine's clock.
        now: Timestamp,
    },
    /// It verifies the stream with a state that was not asked for (Shared Signals Framework 1.0, section 8.1.4).
    #[error("it verifies the stream with a state that was not asked for")]
    State,
}

/// A token that is made at most so far ahead, by the clock here, may come again: it is good then.
const SOON: Duration = Duration::from_secs(5 * 60);

impl SecurityEventError {
    /// Whether the same token may be good later: nobody has found anything wrong with it that stays.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unchecked(_) => true,
            Self::Ahead { at, now, .. } => at.since(*now) <= SOON,
            Self::NotSent
            | Self::Unreadable(_)
            | Self::Signature(_)
            | Self::OtherType
            | Self::NotOneEvent
            | Self::MissingClaim(_)
            | Self::BadClaim(_)
            | Self::Subject(_)
            | Self::Issuer { .. }
            | Self::Audience { .. }
            | Self::Expired { .. }
            | Self::State => false,
        }
    }

    /// What the transmitter is told (RFC 8935, section 2.4).
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Signature(_) => "invalid_key",
            Self::Issuer { .. } => "invalid_issuer",
            Self::Audience { .. } => "invalid_audience",
            Self::State => "invalid_state",
            Self::NotSent
            | Self::Unreadable(_)
            | Self::Unchecked(_)
            | Self::OtherType
            | Self::NotOneEvent
            | Self::MissingClaim(_)
            | Self::BadClaim(_)
            | Self::Subject(_)
            | Self::Expired { .. }
            | Self::Ahead { .. } => "invalid_request",
        }
    }

    /// The word for it in metrics, and what the transmitter is told beside the code.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        match self {
            Self::NotSent | Self::Unreadable(_) => "malformed",
            Self::Unchecked(_) => "unchecked",
            Self::Signature(_) => "bad-signature",
            Self::OtherType => "wrong-purpose",
            Self::NotOneEvent => "not-one-event",
            Self::MissingClaim(_) => "missing-claim",
            Self::BadClaim(_) => "bad-claim",
            Self::Subject(_) => "bad-subject",
            Self::Issuer { .. } => "wrong-issuer",
            Self::Audience { .. } => "wrong-audience",
            Self::Expired { .. } => "expired",
            Self::Ahead { .. } => "not-yet-valid",
            Self::State => "wrong-state",
        }
    }
}
