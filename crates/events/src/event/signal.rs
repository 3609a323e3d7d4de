//! What providers tell.

use super::{Caller, Event, OwnedCaller, write_owned};
use crate::field::Field;
use crate::head::EventHead;
use crate::kind::Kind;
use crate::line::Line;

/// How a provider told of a sign-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Through the browser.
    Front,
    /// From server to server.
    Back,
}

impl Channel {
    /// The word in lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Back => "back",
        }
    }
}

/// A provider has signalled something.
#[derive(Clone, Copy, Debug)]
pub struct SignalReceived<'a> {
    /// The transmitter.
    pub transmitter: &'a str,
    /// The type of the event.
    pub signal: &'a str,
    /// The provider whose person it is about.
    pub provider: Option<&'a str>,
    /// The person's identifier at the provider.
    pub subject: Option<&'a str>,
    /// How many sign-ins it concerns.
    pub selected: Option<u64>,
    /// How many sign-ins it has ended.
    pub ended: Option<u64>,
    /// What came of it, where that is not told by the numbers.
    pub reason: Option<&'a str>,
}

impl Event for SignalReceived<'_> {
    fn kind(&self) -> Kind {
        Kind::SignalReceived
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Transmitter, self.transmitter);
        line.text(Field::Signal, self.signal);
        line.text_if(Field::Provider, self.provider);
        line.text_if(Field::Subject, self.subject);
        line.number_if(Field::Selected, self.selected);
        line.number_if(Field::Ended, self.ended);
        line.text_if(Field::Reason, self.reason);
    }
}

/// What came as a signal is not believed.
#[derive(Clone, Copy, Debug)]
pub struct SignalRefused<'a> {
    /// The request that brought it, where it was pushed.
    pub caller: Option<&'a OwnedCaller>,
    /// The transmitter.
    pub transmitter: &'a str,
    /// The type of the event, where it could be read.
    pub signal: Option<&'a str>,
    /// Why, in words.
    pub reason: &'a str,
}

impl Event for SignalRefused<'_> {
    fn kind(&self) -> Kind {
        Kind::SignalRefused
    }

    fn is_a_strangers(&self) -> bool {
        true
    }

    fn write(&self, line: &mut Line<'_>) {
        write_owned(self.caller, line);
        line.text(Field::Transmitter, self.transmitter);
        line.text_if(Field::Signal, self.signal);
        line.text(Field::Reason, self.reason);
    }
}

/// A provider has told that somebody signed out there.
#[derive(Clone, Copy, Debug)]
pub struct LogoutTokenAccepted<'a> {
    /// The request.
    pub caller: Caller<'a>,
    /// The provider.
    pub provider: &'a str,
    /// How it came.
    pub channel: Channel,
    /// The person's identifier at the provider.
    pub subject: Option<&'a str>,
    /// The first bytes of the session's digest; 0: none is named.
    pub session: u64,
    /// How many sign-ins it concerns.
    pub selected: Option<u64>,
    /// How many sign-ins it has ended.
    pub ended: Option<u64>,
}

impl Event for LogoutTokenAccepted<'_> {
    fn kind(&self) -> Kind {
        Kind::LogoutTokenAccepted
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        line.text(Field::Provider, self.provider);
        line.text_if(Field::Subject, self.subject);
        line.hex8(Field::Session, self.session);
        line.text(Field::Channel, self.channel.as_str());
        line.number_if(Field::Selected, self.selected);
        line.number_if(Field::Ended, self.ended);
    }
}

/// What came as word of a sign-out is not believed.
#[derive(Clone, Copy, Debug)]
pub struct LogoutTokenRefused<'a> {
    /// The request.
    pub caller: Caller<'a>,
    /// The provider, where one is known.
    pub provider: Option<&'a str>,
    /// How it came.
    pub channel: Channel,
    /// Why, in words.
    pub reason: &'a str,
}

impl Event for LogoutTokenRefused<'_> {
    fn kind(&self) -> Kind {
        Kind::LogoutTokenRefused
    }

    fn is_a_strangers(&self) -> bool {
        true
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        line.text_if(Field::Provider, self.provider);
        line.text(Field::Channel, self.channel.as_str());
        line.text(Field::Reason, self.reason);
    }
}
