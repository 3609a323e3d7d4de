//! Requests.

use std::fmt::Display;
use std::net::IpAddr;
use std::time::Duration;

use portcullis_rules::identity::Principal;

use super::{Event, Shown, micros, write_person};
use crate::field::Field;
use crate::head::{EventHead, Flags};
use crate::kind::Kind;
use crate::line::{Line, Ready};
use crate::outcome::Outcome;

/// What is told of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It was let through, and has ended.
    Granted,
    /// It was not let through.
    Refused,
    /// It was let through, and goes on without an end that is known.
    Opened,
    /// It still goes on.
    Open,
}

/// A request. No query, no header, no cookie: secrets travel there (invariant 15).
#[derive(Clone, Copy)]
pub struct AccessEvent<'a> {
    /// What is told of it.
    pub access: Access,
    /// Its id.
    pub id: &'a str,
    /// The trace that it belongs to.
    pub trace: Option<&'a str>,
    /// The client's address.
    pub client: IpAddr,
    /// The field `User-Agent`, where a sink asks for it.
    pub agent: Option<&'a [u8]>,
    /// The version of HTTP, where a sink asks for the agent.
    pub http: Option<&'static str>,
    /// Its method, as it came.
    pub method: &'a str,
    /// The host asked for.
    pub host: &'a str,
    /// The path as it came, without its query.
    pub path: &'a str,
    /// Its route, where there is one.
    pub route: Option<&'a RouteWords>,
    /// Whose it is, where somebody is known.
    pub who: Option<&'a Principal>,
    /// How that was shown.
    pub shown: Option<Shown>,
    /// Browser and system of the session, in words of our own.
    pub device: Option<&'a str>,
    /// The methods of the session's sign-in.
    pub amr: &'a [String],
    /// Status of the response.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// The rule that decided.
    pub rule: Option<&'a dyn Display>,
    /// The conditions that were not met.
    pub missing: &'a [String],
    /// The exact cause of a failure; empty where there was none.
    pub reason: &'a str,
    /// Bytes of the response's body, up to now.
    pub bytes: u64,
    /// The time since its head was read.
    pub took: Duration,
    /// The time until the upstream began to answer.
    pub upstream: Option<Duration>,
}

impl std::fmt::Debug for AccessEvent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessEvent")
            .field("access", &self.access)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Event for AccessEvent<'_> {
    fn kind(&self) -> Kind {
        match self.access {
            Access::Granted => Kind::AccessGranted,
            Access::Refused => Kind::AccessRefused,
            Access::Opened => Kind::AccessOpened,
            Access::Open => Kind::AccessOpen,
        }
    }

    fn head(&self, head: &mut EventHead) {
        head.status = self.status;
        head.outcome = Some(self.outcome);
        head.route = self.route.map_or(0, |route| route.number);
        head.session = self.shown.map_or(0, |shown| shown.session);
        head.us = u32::try_from(micros(self.took)).unwrap_or(u32::MAX);
        head.bytes = self.bytes;
        if self.outcome == Outcome::Public {
            head.flags = head.flags | Flags::PUBLIC;
        }
    }

    fn is_a_strangers(&self) -> bool {
        self.who.is_none() && self.access == Access::Refused
    }

    fn write(&self, line: &mut Line<'_>) {
        self.write_request(line);
        write_person(self.who, line);
        if let Some(shown) = self.shown {
            shown.write(line);
        }
        line.text_if(Field::Acr, self.who.and_then(|who| who.acr.as_deref()));
        line.texts(Field::Amr, self.amr);
        line.text_if(Field::Device, self.device);
        line.number(Field::Status, self.status.into());
        line.text(Field::Outcome, self.outcome.as_str());
        self.write_reasons(line);
        line.number(Field::Bytes, self.bytes);
        line.number(Field::Us, micros(self.took));
        line.number_if(Field::UpstreamUs, self.upstream.map(micros));
    }
}

impl AccessEvent<'_> {
    fn write_request(&self, line: &mut Line<'_>) {
        line.text(Field::Id, self.id);
        line.text_if(Field::Trace, self.trace);
        line.address(Field::Client, self.client);
        if let Some(agent) = self.agent {
            line.bytes_text(Field::Agent, agent);
        }
        line.text_if(Field::Http, self.http);
        line.text(Field::Method, self.method);
        line.text(Field::Host, self.host);
        line.text(Field::Path, self.path);
        if let Some(route) = self.route {
            line.ready(&route.ready);
        }
    }

    fn write_reasons(&self, line: &mut Line<'_>) {
        if let Some(rule) = self.rule {
            line.display(Field::Rule, rule);
        }
        line.texts(Field::Missing, self.missing);
        line.text_if(Field::Reason, (!self.reason.is_empty()).then_some(self.reason));
    }
}

/// A route's words, ready to stand in a line, and its number in heads.
#[derive(Clone, Debug)]
pub struct RouteWords {
    number: u32,
    ready: Ready,
}

impl RouteWords {
    /// Those of the route of this number, which begin at 1.
    #[must_use]
    pub fn new(number: u32, name: &str) -> Self {
        Self { number, ready: Ready::text(Field::Route, name) }
    }
}

/// What came on a connection was no request that can be read.
#[derive(Clone, Copy, Debug)]
pub struct RequestUnreadable<'a> {
    /// The client's address.
    pub client: IpAddr,
    /// What is wrong with it.
    pub reason: &'a str,
    /// Status of the response, where there was one.
    pub status: Option<u16>,
}

impl Event for RequestUnreadable<'_> {
    fn kind(&self) -> Kind {
        Kind::RequestUnreadable
    }

    fn head(&self, head: &mut EventHead) {
        head.status = self.status.unwrap_or(0);
    }

    fn is_a_strangers(&self) -> bool {
        true
    }

    fn write(&self, line: &mut Line<'_>) {
        line.address(Field::Client, self.client);
        line.number_if(Field::Status, self.status.map(u64::from));
        line.text(Field::Reason, self.reason);
    }
}
