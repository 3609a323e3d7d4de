//! The end of a credential, with its reason.

use std::fmt;

use crate::session::SessionEnd;

/// Why a credential no longer carries what it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CredentialEnd {
    Session(SessionEnd),
    /// The bearer token's time is over.
    TokenExpired,
}

impl fmt::Display for CredentialEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session(SessionEnd::SignedOut) => "the session was signed out",
            Self::Session(SessionEnd::Revoked) => "the session was revoked",
            Self::Session(SessionEnd::Expired) => "the session expired",
            Self::Session(SessionEnd::Administrator) => "the session was ended by an administrator",
            Self::Session(SessionEnd::SignedOutAtProvider) => "its person signed out at the provider",
            Self::Session(SessionEnd::SignedOutElsewhere) => "the session was ended from another one",
            Self::Session(SessionEnd::SignedInElsewhere) => {
                "its person signed in elsewhere and may hold no more sessions"
            }
            Self::Session(SessionEnd::Signalled) => "the session was ended by a signal of its provider's",
            Self::Session(SessionEnd::StepUp) => "a signal of its provider's asks for a new sign-in",
            Self::Session(SessionEnd::StaleClaims) => {
                "a signal of its provider's says that the claims have changed: it is judged anew"
            }
            Self::Session(SessionEnd::Unconfirmed) => {
                "the session store was away for longer than sessions may go on"
            }
            Self::TokenExpired => "the access token expired",
        })
    }
}
