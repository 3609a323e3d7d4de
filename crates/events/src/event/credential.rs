//! Credentials.

use portcullis_rules::identity::Principal;

use super::{Caller, Event, write_person};
use crate::field::Field;
use crate::head::EventHead;
use crate::kind::Kind;
use crate::line::Line;

/// The kind of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthKind {
    /// The cookie of a session.
    Session,
    /// An access token.
    AccessToken,
}

impl AuthKind {
    /// The word in lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::AccessToken => "access-token",
        }
    }
}

/// The credential that a request showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its kind.
    pub kind: AuthKind,
    /// The first bytes of its digest; 0: unknown.
    pub credential: u64,
    /// The first bytes of its session's digest; 0: it has none.
    pub session: u64,
    /// Whether its session is bound to its device, where that is asked for.
    pub bound: Option<bool>,
}

impl Shown {
    pub(super) fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Auth, self.kind.as_str());
        line.hex8(Field::Session, self.session);
        line.hex8(Field::Credential, self.credential);
        if let Some(bound) = self.bound {
            line.flag(Field::Bound, bound);
        }
    }
}

/// A credential is used for the first time since the process started.
#[derive(Clone, Copy, Debug)]
pub struct CredentialFirstUsed<'a> {
    /// By which request.
    pub caller: Caller<'a>,
    /// Whose it is.
    pub who: &'a Principal,
    /// The credential.
    pub shown: Shown,
    /// The methods of the sign-in.
    pub amr: &'a [String],
}

impl Event for CredentialFirstUsed<'_> {
    fn kind(&self) -> Kind {
        Kind::CredentialFirstUsed
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.shown.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        write_person(Some(self.who), line);
        self.shown.write(line);
        line.text_if(Field::Acr, self.who.acr.as_deref());
        line.texts(Field::Amr, self.amr);
    }
}

/// A credential is refused.
#[derive(Clone, Copy, Debug)]
pub struct CredentialRefused<'a> {
    /// Of which request.
    pub caller: Caller<'a>,
    /// Its kind.
    pub auth: AuthKind,
    /// The provider that it names, where one is known.
    pub provider: Option<&'a str>,
    /// The first bytes of its digest; 0: unknown.
    pub credential: u64,
    /// What is wrong with it.
    pub reason: &'a str,
}

impl Event for CredentialRefused<'_> {
    fn kind(&self) -> Kind {
        Kind::CredentialRefused
    }

    fn is_a_strangers(&self) -> bool {
        true
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        line.text_if(Field::Provider, self.provider);
        line.text(Field::Auth, self.auth.as_str());
        line.hex8(Field::Credential, self.credential);
        line.text(Field::Reason, self.reason);
    }
}
