//! Tokens of sessions.

use std::time::Duration;

use portcullis_rules::identity::Principal;

use super::{Culprit, Event, OwnedCaller, micros, write_owned, write_person};
use crate::field::Field;
use crate::head::EventHead;
use crate::kind::Kind;
use crate::line::Line;

/// The provider has given new tokens for a session.
#[derive(Clone, Copy, Debug)]
pub struct TokensRefreshed<'a> {
    /// The request, where one brought it about.
    pub caller: Option<&'a OwnedCaller>,
    /// Who it is.
    pub who: &'a Principal,
    /// The first bytes of the session's digest.
    pub session: u64,
    /// How long it took.
    pub took: Duration,
}

impl Event for TokensRefreshed<'_> {
    fn kind(&self) -> Kind {
        Kind::TokensRefreshed
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        write_owned(self.caller, line);
        write_person(Some(self.who), line);
        line.hex8(Field::Session, self.session);
        line.number(Field::Us, micros(self.took));
    }
}

/// The provider has given no new tokens for a session.
#[derive(Clone, Copy, Debug)]
pub struct TokensNotRefreshed<'a> {
    /// The request, where one brought it about.
    pub caller: Option<&'a OwnedCaller>,
    /// Who it is.
    pub who: &'a Principal,
    /// The first bytes of the session's digest.
    pub session: u64,
    /// Who is to blame.
    pub culprit: Culprit,
    /// Why, in words.
    pub reason: &'a str,
    /// How long it took, where its beginning is known.
    pub took: Option<Duration>,
}

impl Event for TokensNotRefreshed<'_> {
    fn kind(&self) -> Kind {
        Kind::TokensNotRefreshed
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        write_owned(self.caller, line);
        write_person(Some(self.who), line);
        line.hex8(Field::Session, self.session);
        line.text(Field::Culprit, self.culprit.as_str());
        line.text(Field::Reason, self.reason);
        line.number_if(Field::Us, self.took.map(micros));
    }
}

/// The provider has been told that the tokens of a session are no longer good.
#[derive(Clone, Copy, Debug)]
pub struct TokensRevoked<'a> {
    /// The provider.
    pub provider: &'a str,
    /// The first bytes of the session's digest.
    pub session: u64,
    /// How long it took, where its beginning is known.
    pub took: Option<Duration>,
}

impl Event for TokensRevoked<'_> {
    fn kind(&self) -> Kind {
        Kind::TokensRevoked
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Provider, self.provider);
        line.hex8(Field::Session, self.session);
        line.number_if(Field::Us, self.took.map(micros));
    }
}

/// The provider could not be told that the tokens of a session are no longer good.
#[derive(Clone, Copy, Debug)]
pub struct TokensNotRevoked<'a> {
    /// The provider.
    pub provider: &'a str,
    /// The first bytes of the session's digest.
    pub session: u64,
    /// Why, in words.
    pub reason: &'a str,
    /// How long it took, where its beginning is known.
    pub took: Option<Duration>,
}

impl Event for TokensNotRevoked<'_> {
    fn kind(&self) -> Kind {
        Kind::TokensNotRevoked
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Provider, self.provider);
        line.hex8(Field::Session, self.session);
        line.text(Field::Reason, self.reason);
        line.number_if(Field::Us, self.took.map(micros));
    }
}
