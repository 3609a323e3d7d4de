//! Why sign-ins end, who ends them, and by which request: what is told of an end beside whose sign-in it was.

use std::fmt::Display;

use portcullis_events::OwnedCaller;

use super::ended::SessionEnd;

/// Why sign-ins end, and who ends them.
#[derive(Clone, Debug)]
pub struct EndCause {
    /// Why.
    pub why: SessionEnd,
    /// Who ends them: an operator, another session of their person, a provider, a transmitter of signals.
    pub(super) by: Option<String>,
    /// The request that asked for it.
    pub(super) caller: Option<OwnedCaller>,
}

impl EndCause {
    /// Somebody ends them.
    #[must_use]
    pub fn by(why: SessionEnd, who: &impl Display) -> Self {
        Self { by: mutant!(Some(who.to_string()), "session-end-without-by" => None), ..why.into() }
    }

    /// The same, asked for by this request.
    #[must_use]
    pub fn asked_in(self, caller: OwnedCaller) -> Self {
        Self { caller: Some(caller), ..self }
    }
}

impl From<SessionEnd> for EndCause {
    fn from(why: SessionEnd) -> Self {
        Self { why, by: None, caller: None }
    }
}
