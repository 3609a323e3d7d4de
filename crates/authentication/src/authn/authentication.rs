//! What the credentials of a request come to: one shape for every kind of credential, so that nobody else need know
//! the kinds.

use std::sync::Arc;

use super::bearer::Verified;
use super::carrier::{AmbientAuthority, Carrier};
use super::credential_id::CredentialId;
use super::error::TokenRefusal;
use crate::clock::Timestamp;
use crate::identity::Principal;
use crate::session::{BoundCookieFault, Possession, Session, SessionKey, StoreUnavailable, Tokens};

/// What the credentials of a request came to. Absent, unusable and good are different things
/// (invariant 3).
#[derive(Clone, Debug)]
pub enum Authentication {
    /// No credential at all.
    Anonymous,
    /// A credential that opens nothing here any more, or never did: a session that has ended, was made for another
    /// host or by a provider that has left, or a cookie that is none.
    Ended,
    /// A session that lives and is bound to a device, of which the request shows nothing: it opens nothing but the way to
    /// sign in anew.
    Unshown(UnshownSession),
    /// Somebody whose credential is good.
    Authenticated(Authenticated),
}

/// A session that is bound to a device, of which a request shows nothing.
#[derive(Clone, Debug)]
pub struct UnshownSession {
    /// The session, and the key that opened it.
    pub opened: OpenedSession,
    /// What the request lacks.
    pub fault: BoundCookieFault,
}

/// Somebody, and all that the rest of the gateway asks of the credential that says so.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// Who it is.
    pub principal: Arc<Principal>,
    /// From when on the credential is not accepted any more, where that is settled beforehand. A session's end moves
    /// as it is used: that of [`Authenticated::session`] is asked of itself.
    pub expires: Option<Timestamp>,
    /// What kind of credential it is.
    pub kind: CredentialKind,
    /// Which credential it is, by its digest.
    pub id: CredentialId,
    /// How it was presented.
    pub carrier: Carrier,
    /// The session behind it, whose end ends what it opened, and which keeps the provider's tokens.
    pub session: Option<OpenedSession>,
    /// What the request shows of the device of that session; of no session: that it is not bound.
    pub possession: Possession,
    /// Whether it is a token that was just checked, rather than known.
    pub(super) checked: bool,
}

/// A living session and the key that opened it.
#[derive(Clone, Debug)]
pub struct OpenedSession {
    /// What the cookie holds.
    pub key: SessionKey,
    /// The session that the key opens.
    pub session: Arc<Session>,
}

/// A kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A session of a person who signed in here.
    Session,
    /// An access token that its issuer signed (RFC 9068).
    AccessToken,
}

/// Why a credential is refused rather than ignored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The access token, or the field that carries it, is no good, or cannot be judged now;
    /// [`TokenError::code`](super::TokenError::code) tells which.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// The session store does not answer.
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

impl Authentication {
    /// Whoever `key` opened `session` for, with a request that shows this of its device.
    #[must_use]
    pub fn of_session(key: SessionKey, session: Arc<Session>, possession: Possession) -> Self {
        Self::Authenticated(Authenticated {
            principal: Arc::clone(&session.principal),
            expires: None,
            kind: CredentialKind::Session,
            id: CredentialId::from_digest(*session.id.as_bytes()),
            carrier: Carrier::Cookie,
            session: Some(OpenedSession { key, session }),
            possession,
            checked: false,
        })
    }

    /// Whoever a good access token speaks of.
    #[must_use]
    pub fn of_token(token: &Verified, carrier: Carrier) -> Self {
        Self::Authenticated(Authenticated {
            principal: Arc::clone(&token.principal),
            expires: Some(token.expires),
            kind: CredentialKind::AccessToken,
            id: token.id,
            carrier,
            session: None,
            possession: Possession::Unbound(Timestamp::default()),
            checked: false,
        })
    }

    /// The same where the token was not known before.
    pub(super) fn checked(self) -> Self {
        match self {
            Self::Authenticated(somebody) => Self::Authenticated(Authenticated { checked: true, ..somebody }),
            Self::Anonymous | Self::Ended | Self::Unshown(_) => self,
        }
    }

    /// Somebody, where it is somebody.
    #[must_use]
    pub const fn authenticated(&self) -> Option<&Authenticated> {
        match self {
            Self::Anonymous | Self::Ended | Self::Unshown(_) => None,
            Self::Authenticated(somebody) => Some(somebody),
        }
    }

    /// Who it is, where it is somebody.
    #[must_use]
    pub fn principal(&self) -> Option<&Arc<Principal>> {
        Some(&self.authenticated()?.principal)
    }

    /// The session behind it, where there is one.
    #[must_use]
    pub fn session(&self) -> Option<&OpenedSession> {
        self.authenticated()?.session.as_ref()
    }

    /// The session behind it, and what the request shows of its device.
    #[must_use]
    pub fn session_and_possession(&self) -> Option<(&OpenedSession, Possession)> {
        let somebody = self.authenticated()?;
        somebody.session.as_ref().map(|opened| (opened, somebody.possession))
    }

    /// The session behind it, or that would be behind it if the request showed its device: for whoever ends or replaces
    /// sessions. It lets nobody in.
    #[must_use]
    pub const fn session_to_end(&self) -> Option<&OpenedSession> {
        match self {
            Self::Anonymous | Self::Ended => None,
            Self::Unshown(unshown) => Some(&unshown.opened),
            Self::Authenticated(somebody) => somebody.session.as_ref(),
        }
    }

    /// The session of which the request does not show the device, where it is one.
    #[must_use]
    pub const fn unshown(&self) -> Option<&UnshownSession> {
        match self {
            Self::Unshown(unshown) => Some(unshown),
            Self::Anonymous | Self::Ended | Self::Authenticated(_) => None,
        }
    }

    /// Whether it is a session that is bound to its device; `None` where that may still come.
    #[must_use]
    pub fn is_bound(&self, now: Timestamp) -> Option<bool> {
        self.authenticated().map_or(Some(false), |somebody| somebody.possession.is_bound(now))
    }

    /// The provider's tokens of a session; a bearer token is in the request itself.
    #[must_use]
    pub fn tokens(&self) -> Option<&Tokens> {
        Some(&self.session()?.session.tokens)
    }

    /// How the credential was presented.
    #[must_use]
    pub fn carrier(&self) -> Option<&Carrier> {
        Some(&self.authenticated()?.carrier)
    }

    /// Which pages can have a browser send what makes the request somebody's. One that is nobody's counts as one with a
    /// cookie: it may be one whose session has ended.
    #[must_use]
    pub fn ambient(&self) -> AmbientAuthority {
        self.carrier().map_or(AmbientAuthority::SameSite, Carrier::ambient)
    }
}

impl Authenticated {
    /// Whether the credential is used for the first time, as far as this process remembers; true once.
    #[must_use]
    pub fn is_first_use(&self) -> bool {
        self.session.as_ref().map_or(self.checked, |opened| opened.session.is_first_use())
    }

    /// Whether scopes limit what it may do (RFC 6749, section 3.3), so that a refusal names those that are missing.
    #[must_use]
    pub const fn has_scopes(&self) -> bool {
        match self.kind {
            CredentialKind::Session => false,
            CredentialKind::AccessToken => true,
        }
    }
}
