//! Sessions, and what ends them.

use portcullis_rules::identity::Principal;

use super::{Caller, Event, OwnedCaller, write_owned, write_person};
use crate::field::Field;
use crate::head::EventHead;
use crate::kind::Kind;
use crate::line::Line;

/// Somebody has signed out.
#[derive(Clone, Copy, Debug)]
pub struct SignedOut<'a> {
    /// The request.
    pub caller: Caller<'a>,
    /// Who it is, where that is known.
    pub who: Option<&'a Principal>,
    /// The first bytes of the session's digest.
    pub session: u64,
}

impl Event for SignedOut<'_> {
    fn kind(&self) -> Kind {
        Kind::SignedOut
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        write_person(self.who, line);
        line.hex8(Field::Session, self.session);
    }
}

/// A session has ended.
#[derive(Clone, Copy, Debug)]
pub struct SessionEnded<'a> {
    /// The request, where one brought it about.
    pub caller: Option<&'a OwnedCaller>,
    /// Who it is, where that is known.
    pub who: Option<&'a Principal>,
    /// The first bytes of the session's digest.
    pub session: u64,
    /// The word for why.
    pub why: &'a str,
    /// Who has ended it.
    pub by: Option<&'a str>,
    /// How many exchanges of this process that cuts off, where it is known.
    pub cut: Option<u64>,
}

impl Event for SessionEnded<'_> {
    fn kind(&self) -> Kind {
        Kind::SessionEnded
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        write_owned(self.caller, line);
        write_person(self.who, line);
        line.hex8(Field::Session, self.session);
        line.text(Field::Why, self.why);
        line.text_if(Field::By, self.by);
        line.number_if(Field::Cut, self.cut);
    }
}

/// A session is bound to its device from now on.
#[derive(Clone, Copy, Debug)]
pub struct SessionBound<'a> {
    /// The request.
    pub caller: Caller<'a>,
    /// Who it is, where that is known.
    pub who: Option<&'a Principal>,
    /// The first bytes of the session's digest.
    pub session: u64,
    /// The thumbprint of the device's key.
    pub key: Option<&'a str>,
}

impl Event for SessionBound<'_> {
    fn kind(&self) -> Kind {
        Kind::SessionBound
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        write_person(self.who, line);
        line.hex8(Field::Session, self.session);
        line.text_if(Field::Key, self.key);
    }
}

/// A device could not show that a session is its own.
#[derive(Clone, Copy, Debug)]
pub struct SessionBindingRefused<'a> {
    /// The request.
    pub caller: Caller<'a>,
    /// Who it is, where that is known.
    pub who: Option<&'a Principal>,
    /// The first bytes of the session's digest.
    pub session: u64,
    /// Why, in words.
    pub reason: &'a str,
}

impl Event for SessionBindingRefused<'_> {
    fn kind(&self) -> Kind {
        Kind::SessionBindingRefused
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn is_a_strangers(&self) -> bool {
        true
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        write_person(self.who, line);
        line.hex8(Field::Session, self.session);
        line.text(Field::Reason, self.reason);
    }
}
