//! Which events somebody asks for. Whatever is asked for has a bound.

use std::net::IpAddr;
use std::time::Duration;

use portcullis_events::{Kind, KindSet};

use super::draft::Who;
use super::outcomes::Outcomes;
use crate::clock::Moment;

/// The longest text that is asked for, in bytes.
const LONGEST: usize = 256;
/// The most values of one name.
const MOST: usize = 16;

/// Events that are asked for: those that fit everything that is said here. Of several values of one name, one must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub(super) since: Option<u64>,
    pub(super) until: Option<u64>,
    pub(super) kinds: Option<KindSet>,
    pub(super) outcomes: Option<Outcomes>,
    pub(super) users: Vec<String>,
    pub(super) providers: Vec<String>,
    pub(super) routes: Vec<String>,
    pub(super) client: Option<Client>,
    pub(super) request: Option<String>,
    pub(super) session: Option<u64>,
    pub(super) status: Option<(u64, u64)>,
}

/// Where requests come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// One address.
    Address(IpAddr),
    /// The network of an address: /24, or /48.
    Network(IpAddr),
}

/// Why something cannot be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// There is no such name.
    #[error("nothing is asked for by {0:?}")]
    Name(String),
    /// The value is none of that name.
    #[error("{value:?} is no {name}: expected {expected}")]
    Value {
        /// The name.
        name: &'static str,
        /// The value, its beginning.
        value: String,
        /// What it could be.
        expected: &'static str,
    },
    /// There are too many values.
    #[error("more than {MOST} of {0}")]
    TooMany(&'static str),
}

impl Filter {
    /// What can be asked for, and what each wants.
    pub const NAMES: [(&'static str, &'static str); 11] = [
        ("since", "a time such as 2026-11-30T19:05:13Z, or a span such as 1h, which is so long ago"),
        ("until", "a time such as 2026-11-30T19:05:13Z, or a span such as 1h, which is so long ago"),
        ("type", "a type of events such as access.refused, or access.* (docs/events.md)"),
        ("outcome", "an outcome such as forbidden, or one of granted, refused and failed"),
        ("user", "a name or a subject, at most 256 bytes"),
        ("provider", "a provider's name, at most 256 bytes"),
        ("route", "a route's name, or host and path, at most 256 bytes"),
        ("client", "an address such as 192.0.2.7, or a network: an IPv4 one /24, an IPv6 one /48"),
        ("id", "a request's id, at most 256 bytes"),
        ("session", "the sixteen digits of a session"),
        ("status", "a status such as 404, or 4xx"),
    ];

    /// Asks for a value of a name, as commands, addresses and forms write both. Several of one name widen it, where it is
    /// no bound; `-type` and `-outcome` leave out.
    ///
    /// # Errors
    /// Where there is no such name, or the value is none of it.
    pub fn set(&mut self, name: &str, value: &str, now: Moment) -> Result<(), FilterError> {
        let (name, leave_out) = match name.strip_prefix('-') {
            Some(rest @ ("type" | "outcome")) => (rest, true),
            _ => (name, false),
        };
        let Some((name, expected)) = Self::NAMES.into_iter().find(|(known, _)| *known == name) else {
            return Err(FilterError::Name(beginning(name)));
        };
        let taken = match name {
            "since" => time(value, now).map(|time| self.since = Some(time)),
            "until" => time(value, now).map(|time| self.until = Some(time)),
            "type" => KindSet::matching(value).map(|kinds| self.choose_kinds(kinds, leave_out)),
            "outcome" => Outcomes::matching(value).map(|outcomes| self.choose_outcomes(outcomes, leave_out)),
            "client" => client(value).map(|client| self.client = Some(client)),
            "session" => session(value).map(|session| self.session = Some(session)),
            "status" => status(value).map(|range| self.status = Some(range)),
            "id" => text(value).map(|id| self.request = Some(id)),
            _ => match text(value) {
                Some(text) => return self.add(name, text),
                None => None,
            },
        };
        taken.ok_or_else(|| FilterError::Value { name, value: beginning(value), expected })
    }

    fn add(&mut self, name: &'static str, text: String) -> Result<(), FilterError> {
        let values = match name {
            "user" => &mut self.users,
            "provider" => &mut self.providers,
            _ => &mut self.routes,
        };
        if mutant!(values.len() >= MOST, "filter-without-bound" => false) {
            return Err(FilterError::TooMany(name));
        }
        values.push(text);
        Ok(())
    }

    fn choose_kinds(&mut self, kinds: KindSet, leave_out: bool) {
        self.kinds = Some(match (self.kinds, leave_out) {
            (before, true) => before.unwrap_or(KindSet::ALL).without(kinds),
            (before, false) => before.unwrap_or_default().and(kinds),
        });
    }

    fn choose_outcomes(&mut self, outcomes: Outcomes, leave_out: bool) {
        self.outcomes = Some(match (self.outcomes, leave_out) {
            (before, true) => before.unwrap_or(Outcomes::ALL).without(outcomes),
            (before, false) => before.unwrap_or_default().and(outcomes),
        });
    }

    /// Events of this moment and after it, in microseconds since 1970; intervals that were not over then, too.
    #[must_use]
    pub fn since(self, micros: u64) -> Self {
        Self { since: Some(micros), ..self }
    }

    /// Events before this moment, in microseconds since 1970.
    #[must_use]
    pub fn until(self, micros: u64) -> Self {
        Self { until: Some(micros), ..self }
    }

    /// Events of these kinds alone.
    #[must_use]
    pub fn kinds(self, kinds: KindSet) -> Self {
        Self { kinds: Some(kinds), ..self }
    }

    /// Whether it is about somebody: by their name, their subject and their provider, where it says any.
    #[must_use]
    pub fn means(&self, who: &Who) -> bool {
        let is = |wanted: &Vec<String>, of: &[&String]| {
            wanted.is_empty() || of.iter().any(|known| wanted.contains(known))
        };
        is(&self.users, &[&who.user, &who.subject]) && is(&self.providers, &[&who.provider])
    }

    /// Whether it is about what happens on a route.
    #[must_use]
    pub fn means_route(&self, route: &str) -> bool {
        self.routes.is_empty() || self.routes.iter().any(|wanted| wanted == route)
    }

    /// The words of the kinds; none: every one, those too that this version does not know.
    pub(super) fn words(&self) -> Option<Vec<&'static str>> {
        let kinds = self.kinds?;
        Some(Kind::TABLE.iter().filter(|row| kinds.has(row.kind)).map(|row| row.word).collect())
    }

    /// What two pages of one question have in common: all but the time, which goes on.
    pub(super) fn digest(&self) -> u32 {
        let timeless = Self { since: None, until: None, ..self.clone() };
        let digest = crate::secret::fingerprint(format!("{timeless:?}").as_bytes());
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}

fn text(value: &str) -> Option<String> {
    (!value.is_empty() && value.len() <= LONGEST).then(|| value.to_owned())
}

/// A moment: as it is written, or so long ago.
fn time(value: &str, now: Moment) -> Option<u64> {
    let short = text(value)?;
    let of = |time: std::time::SystemTime| {
        let span = time.duration_since(std::time::UNIX_EPOCH).ok()?;
        u64::try_from(span.as_micros()).ok().filter(|micros| i64::try_from(*micros).is_ok())
    };
    let ago =
        |span: Duration| now.micros().saturating_sub(u64::try_from(span.as_micros()).unwrap_or(u64::MAX));
    let day = || humantime::parse_rfc3339(&format!("{short}T00:00:00Z"));
    let written = humantime::parse_rfc3339_weak(&short).or_else(|_| day()).ok().and_then(of);
    written.or_else(|| humantime::parse_duration(&short).ok().map(ago))
}

fn client(value: &str) -> Option<Client> {
    let Some((address, length)) = value.split_once('/') else {
        return value.parse().ok().map(Client::Address);
    };
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { "24" } else { "48" };
    (length == whole).then_some(Client::Network(address))
}

fn session(value: &str) -> Option<u64> {
    let digits = value.len() == 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(value, 16).ok().filter(|session| digits && *session != 0)
}

fn status(value: &str) -> Option<(u64, u64)> {
    if let Some(first) = value.strip_suffix("xx") {
        let first: u64 = first.parse().ok().filter(|first| (1..=9).contains(first))?;
        return (value.len() == 3).then_some((first * 100, first * 100 + 99));
    }
    let plain = value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_digit());
    let status = value.parse().ok().filter(|_| plain)?;
    Some((status, status))
}
