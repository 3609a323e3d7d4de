//! The end of a session, for what outlives the request that it let in.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::sleep;

use super::Session;

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SessionEnd {
    /// Its person signed out, here or on another host, or signed in as somebody else.
    SignedOut,
    /// The provider no longer vouches for it.
    Revoked,
    /// `idle_timeout` or `max_age` is over.
    Expired,
    /// An administrator has ended it.
    Administrator,
    /// Its person signed out at the provider (OpenID Connect Back-Channel Logout 1.0).
    SignedOutAtProvider,
    /// Its person has ended it from another session.
    SignedOutElsewhere,
    /// Its person has signed in elsewhere, and may hold no more sessions (`[session] max_per_person`).
    SignedInElsewhere,
    /// A signal of its provider's has ended it (OpenID Shared Signals).
    Signalled,
    /// It has not ended: a signal asks its person to sign in anew before it is good again. What was open by it is over.
    StepUp,
    /// It has not ended: a signal says that its claims have changed, and what was open by them is over.
    StaleClaims,
    /// The store that gateways share could not be heard for so long that nobody here can say whether it has ended.
    Unconfirmed,
}

impl SessionEnd {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::SignedOut,
        Self::Revoked,
        Self::Expired,
        Self::Administrator,
        Self::SignedOutAtProvider,
        Self::SignedOutElsewhere,
        Self::SignedInElsewhere,
        Self::Signalled,
        Self::StepUp,
        Self::StaleClaims,
        Self::Unconfirmed,
    ];

    /// Its name in the metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SignedOut => "signed-out",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Administrator => "administrator",
            Self::SignedOutAtProvider => "signed-out-at-provider",
            Self::SignedOutElsewhere => "signed-out-elsewhere",
            Self::SignedInElsewhere => "signed-in-elsewhere",
            Self::Signalled => "signalled",
            Self::StepUp => "step-up",
            Self::StaleClaims => "stale-claims",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    /// Whether it ends what is open alone, and the sign-in goes on once it has met what is asked.
    pub(in crate::session) const fn lives_on(self) -> bool {
        matches!(self, Self::StepUp | Self::StaleClaims)
    }

    /// A number from 1 up; 0 is for what lives.
    pub(in crate::session) const fn code(self) -> u8 {
        match self {
            Self::SignedOut => 1,
            Self::Revoked => 2,
            Self::Expired => 3,
            Self::Administrator => 4,
            Self::SignedOutAtProvider => 5,
            Self::SignedOutElsewhere => 6,
            Self::SignedInElsewhere => 7,
            Self::Signalled => 8,
            Self::StepUp => 9,
            Self::StaleClaims => 10,
            Self::Unconfirmed => 11,
        }
    }

    pub(in crate::session) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.code() == code)
    }
}

/// Whether a stream that stays open is use of its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamUse {
    /// No: a forgotten tab idles out.
    #[default]
    Unused,
    /// Yes, up to `max_age`.
    Used,
}

/// Resolves when a session, or the root it hangs on, has ended: by somebody's word at once, by `idle_timeout` and
/// `max_age` in their second. For streams that outlive their request (invariant 8). Costs the stream an allocation
/// and a timer; ending wakes only the family's own streams.
pub struct SessionEnded {
    ended: Pin<Box<dyn Future<Output = SessionEnd> + Send>>,
    session: Arc<Session>,
    stream: StreamUse,
}

impl SessionEnded {
    pub(super) fn of(session: Arc<Session>, stream: StreamUse) -> Self {
        session.family.waits(true);
        Self { ended: Box::pin(ended(Arc::clone(&session), stream)), session, stream }
    }
}

async fn ended(session: Arc<Session>, stream: StreamUse) -> SessionEnd {
    let cut = session.family.cut.notified();
    tokio::pin!(cut);
    // Listens before it looks, so that an end in between is not missed.
    cut.as_mut().enable();
    loop {
        if let Some(end) = session.end_reason() {
            return end;
        }
        let Some(mut left) = session.left() else { return SessionEnd::Expired };
        if mutant!(stream == StreamUse::Used, "forgotten-tab-lives" => true) {
            session.used();
            left = left.min(session.family.terms.lifetimes.interval());
        }
        tokio::select! {
            biased;
            () = &mut cut => {}
            // A later use of the session, or a reload, may have moved its end meanwhile.
            () = sleep(left) => {}
        }
    }
}

impl Future for SessionEnded {
    type Output = SessionEnd;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<SessionEnd> {
        self.ended.as_mut().poll(context)
    }
}

impl Drop for SessionEnded {
    fn drop(&mut self) {
        self.session.family.waits(false);
        // The end of a stream that uses its session counts as the last use.
        if self.stream == StreamUse::Used {
            self.session.used();
        }
    }
}

impl fmt::Debug for SessionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionEnded")
    }
}
