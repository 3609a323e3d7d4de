//! Signing in.

use std::time::Duration;

use portcullis_rules::identity::Principal;

use super::{Caller, Event, micros, write_person};
use crate::field::Field;
use crate::head::EventHead;
use crate::kind::Kind;
use crate::line::Line;

/// Who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Culprit {
    /// Whoever asked.
    Client,
    /// The provider.
    Provider,
    /// The upstream.
    Upstream,
    /// We.
    Gateway,
}

impl Culprit {
    /// The word in lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Provider => "provider",
            Self::Upstream => "upstream",
            Self::Gateway => "gateway",
        }
    }
}

/// A browser is sent to a provider to sign in.
#[derive(Clone, Copy, Debug)]
pub struct SignInBegun<'a> {
    /// The request.
    pub caller: Caller<'a>,
    /// The provider.
    pub provider: &'a str,
    /// The route.
    pub route: Option<&'a str>,
}

impl Event for SignInBegun<'_> {
    fn kind(&self) -> Kind {
        Kind::SignInBegun
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        line.text(Field::Provider, self.provider);
        line.text_if(Field::Route, self.route);
    }
}

/// Somebody has signed in.
#[derive(Clone, Copy, Debug)]
pub struct SignInSucceeded<'a> {
    /// The request.
    pub caller: Caller<'a>,
    /// Who it is.
    pub who: &'a Principal,
    /// The first bytes of the session's digest.
    pub session: u64,
    /// The methods of the sign-in.
    pub amr: &'a [String],
    /// The time since the browser was sent to sign in.
    pub took: Option<Duration>,
}

impl Event for SignInSucceeded<'_> {
    fn kind(&self) -> Kind {
        Kind::SignInSucceeded
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        write_person(Some(self.who), line);
        line.hex8(Field::Session, self.session);
        line.text_if(Field::Acr, self.who.acr.as_deref());
        line.texts(Field::Amr, self.amr);
        line.number_if(Field::Us, self.took.map(micros));
    }
}

/// A sign-in has failed.
#[derive(Clone, Copy, Debug)]
pub struct SignInFailed<'a> {
    /// The request.
    pub caller: Caller<'a>,
    /// The provider, where one is known.
    pub provider: Option<&'a str>,
    /// Who it was; their provider is told in place of `provider`.
    pub who: Option<&'a Principal>,
    /// Who is to blame.
    pub culprit: Culprit,
    /// Why, in words.
    pub reason: &'a str,
    /// How long it took, where its beginning is known.
    pub took: Option<Duration>,
}

impl Event for SignInFailed<'_> {
    fn kind(&self) -> Kind {
        Kind::SignInFailed
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        match self.who {
            Some(_) => write_person(self.who, line),
            None => line.text_if(Field::Provider, self.provider),
        };
        line.text(Field::Culprit, self.culprit.as_str());
        line.text(Field::Reason, self.reason);
        line.number_if(Field::Us, self.took.map(micros));
    }
}

/// Somebody is sent to sign in anew, for a route asks for more.
#[derive(Clone, Copy, Debug)]
pub struct StepUpAsked<'a> {
    /// The request.
    pub caller: Caller<'a>,
    /// Who it is.
    pub who: &'a Principal,
    /// The first bytes of the session's digest.
    pub session: u64,
    /// The route.
    pub route: Option<&'a str>,
    /// The conditions that are not met.
    pub missing: &'a [String],
}

impl Event for StepUpAsked<'_> {
    fn kind(&self) -> Kind {
        Kind::StepUpAsked
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        write_person(Some(self.who), line);
        line.hex8(Field::Session, self.session);
        line.text_if(Field::Acr, self.who.acr.as_deref());
        line.text_if(Field::Route, self.route);
        line.texts(Field::Missing, self.missing);
    }
}

/// Somebody has signed in anew, and it is still not what the route asks for.
#[derive(Clone, Copy, Debug)]
pub struct StepUpUnmet<'a> {
    /// The request.
    pub caller: Caller<'a>,
    /// The provider, where nobody is known.
    pub provider: &'a str,
    /// Who it is; their provider is told in place of `provider`.
    pub who: Option<&'a Principal>,
    /// The first bytes of the session's digest; 0: there is none.
    pub session: u64,
    /// The methods of the sign-in.
    pub amr: &'a [String],
    /// The route.
    pub route: Option<&'a str>,
    /// The conditions that are not met.
    pub missing: &'a [String],
}

impl Event for StepUpUnmet<'_> {
    fn kind(&self) -> Kind {
        Kind::StepUpUnmet
    }

    fn head(&self, head: &mut EventHead) {
        head.session = self.session;
    }

    fn write(&self, line: &mut Line<'_>) {
        self.caller.write(line);
        match self.who {
            Some(_) => write_person(self.who, line),
            None => line.text(Field::Provider, self.provider),
        };
        line.hex8(Field::Session, self.session);
        line.text_if(Field::Acr, self.who.and_then(|who| who.acr.as_deref()));
        line.texts(Field::Amr, self.amr);
        line.text_if(Field::Route, self.route);
        line.texts(Field::Missing, self.missing);
    }
}
