//! Who has to do something about a credential or a sign-in that came to nothing.

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Culprit {
    /// Who sent the request: its token is no good, or it belongs to no sign-in of its own.
    Client,
    /// The OpenID Provider.
    Provider,
    /// The gateway or its configuration.
    Us,
}

impl From<Culprit> for portcullis_events::Culprit {
    fn from(culprit: Culprit) -> Self {
        match culprit {
            Culprit::Client => Self::Client,
            Culprit::Provider => Self::Provider,
            Culprit::Us => Self::Gateway,
        }
    }
}
