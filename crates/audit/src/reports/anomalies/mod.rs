//! What looks odd. Each finding says what was seen, by which events, and what else could explain it; none decides anything.
//!
//! Finders are functions of what was seen, in the order of time: they know no store and no clock.

mod bursts;
mod first_seen;
mod spraying;
#[cfg(test)]
mod tests;
mod travel;
mod two_places;

use std::collections::HashMap;
use std::net::IpAddr;

use portcullis_events::{Field, Kind, KindSet, Seen};

use super::frame::{Cell, Frame, Lead, Type};
use super::geo::Place;
use super::persons::Persons;
use super::question::Question;
use super::sums::{requests, times};
use super::{Known, Tally};
use crate::segments::{Event, Pseudonym};

pub use bursts::bursts;
pub use first_seen::first_seen;
pub use spraying::spraying;
pub use travel::travel;
pub use two_places::two_places;

/// Events that a finding names at most.
const EVIDENCE: usize = 5;

/// Refusals and sightings that are looked at, at most: what strangers bring about has a bound.
const MOST: usize = 1_000_000;

/// How somebody was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// They signed in.
    SignIn,
    /// A credential of theirs was used for the first time.
    Credential,
    /// They asked for something.
    Request,
}

/// Somebody, somewhere.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// When, in microseconds since 1970.
    pub time: u64,
    /// The event.
    pub event: String,
    /// How.
    pub how: How,
    /// Whom.
    pub person: Pseudonym,
    /// From where.
    pub client: IpAddr,
    /// With what, where that is told.
    pub device: Option<String>,
    /// In which session.
    pub session: Option<u64>,
    /// Where that address is, where somebody knows it.
    pub place: Option<Place>,
}

/// Somebody was refused, or several times.
#[derive(Clone, Debug)]
pub struct Strike {
    /// When first, in microseconds since 1970.
    pub time: u64,
    /// When last.
    pub until: u64,
    /// The event.
    pub event: String,
    /// How often.
    pub times: u64,
    /// From where, where that is told.
    pub client: Option<IpAddr>,
    /// Whom, where that is known.
    pub person: Option<Pseudonym>,
    /// Why, where that is told.
    pub reason: Option<String>,
}

/// Something that looks odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// When, in microseconds since 1970.
    pub time: u64,
    /// The word for what it is.
    pub kind: &'static str,
    /// Whom it is about.
    pub person: Option<Pseudonym>,
    /// What was seen.
    pub sentence: String,
    /// What else could explain it.
    pub doubt: String,
    /// The events that it was seen by, the first ones.
    pub evidence: Vec<String>,
}

/// The network of an address: /24, or /48.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(four) => {
            let [a, b, c, _] = four.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(six) => {
            let [a, b, c, ..] = six.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// How long that is, in words.
fn span(micros: u64) -> String {
    let minutes = micros / 60_000_000;
    match (minutes / 60, minutes) {
        (0, 0) => "less than a minute".into(),
        (0, 1) => "a minute".into(),
        (0, minutes) => format!("{minutes} minutes"),
        (1, _) => "an hour".into(),
        (hours, _) => format!("{hours} hours"),
    }
}

/// Gathers what finders look at.
pub(super) struct Anomalies<'a> {
    persons: Persons,
    geo: Option<&'a super::Geo>,
    sightings: Vec<Sighting>,
    strikes: Vec<Strike>,
    last: HashMap<Pseudonym, usize>,
    left_out: u64,
}

impl<'a> Anomalies<'a> {
    pub(super) fn new(question: &Question, known: &Known<'a>) -> Self {
        Self {
            persons: Persons::new(question.names),
            geo: known.geo,
            sightings: Vec::new(),
            strikes: Vec::new(),
            last: HashMap::new(),
            left_out: 0,
        }
    }

    fn strike(&mut self, event: &Event, seen: &Seen<'_>) {
        if self.strikes.len() >= MOST {
            self.left_out += 1;
            return;
        }
        self.strikes.push(Strike {
            time: event.time,
            until: event.until,
            event: event.id.clone(),
            times: times(event),
            client: seen.text(Field::Client).and_then(|client| client.parse().ok()),
            person: event.person,
            reason: seen.text(Field::Reason).map(str::to_owned),
        });
    }

    fn sight(&mut self, event: &Event, seen: &Seen<'_>, how: How) {
        let client = seen.text(Field::Client).and_then(|client| client.parse::<IpAddr>().ok());
        let Some((person, client)) = event.person.zip(client) else { return };
        let before = self.last.get(&person).and_then(|index| self.sightings.get(*index));
        let same = |before: &Sighting| before.client == client && before.session == event.session;
        if how == How::Request && before.is_some_and(same) {
            return;
        }
        if self.sightings.len() >= MOST {
            self.left_out += 1;
            return;
        }
        self.last.insert(person, self.sightings.len());
        self.sightings.push(Sighting {
            time: event.time,
            event: event.id.clone(),
            how,
            person,
            client,
            device: seen.text(Field::Device).map(str::to_owned),
            session: event.session,
            place: self.geo.and_then(|geo| geo.place(client)),
        });
    }

    fn findings(&mut self) -> Vec<Finding> {
        self.sightings.sort_by_key(|sighting| sighting.time);
        self.strikes.sort_by_key(|strike| strike.time);
        let (sightings, strikes) = (&self.sightings, &self.strikes);
        let mut findings = first_seen(sightings);
        findings.extend(bursts(strikes));
        findings.extend(spraying(strikes, sightings));
        findings.extend(travel(sightings));
        findings.extend(two_places(sightings));
        findings.sort_by(|one, other| one.time.cmp(&other.time).then_with(|| one.kind.cmp(other.kind)));
        findings
    }
}

impl Tally for Anomalies<'_> {
    fn kinds(&self) -> KindSet {
        let kinds =
            [Kind::SignInSucceeded, Kind::SignInFailed, Kind::CredentialFirstUsed, Kind::CredentialRefused];
        requests().and(KindSet::of(kinds))
    }

    fn take(&mut self, event: &Event) {
        self.persons.see(event);
        let text = event.to_json();
        let Ok(seen) = Seen::read(text.as_bytes()) else { return };
        match event.kind() {
            Some(Kind::SignInSucceeded) => self.sight(event, &seen, How::SignIn),
            Some(Kind::CredentialFirstUsed) => self.sight(event, &seen, How::Credential),
            Some(Kind::AccessGranted) => self.sight(event, &seen, How::Request),
            _ => self.strike(event, &seen),
        }
    }

    fn frame(mut self: Box<Self>, question: &Question, known: &Known<'_>) -> Frame {
        let mut frame = Frame::new(
            question,
            &[
                ("time", Type::Time),
                ("finding", Type::Text),
                ("person", Type::Text),
                ("what was seen", Type::Text),
                ("what else it could be", Type::Text),
                ("events", Type::Text),
            ],
        );
        for finding in self.findings() {
            let person = finding.person.map_or(Cell::None, |person| Cell::Text(self.persons.name(person)));
            let lead = finding.person.map_or_else(Lead::default, |person| self.persons.lead(person));
            let lead = lead.at(finding.time..finding.time + 1);
            let cells = [
                Cell::Time(finding.time),
                Cell::Text(finding.kind.into()),
                person,
                Cell::Text(finding.sentence),
                Cell::Text(finding.doubt),
                Cell::Text(finding.evidence.join(" ")),
            ];
            frame.push(cells, lead);
        }
        if known.geo.is_none() {
            let what = "countries, travel and continents were not looked at: no database of places was given";
            frame.notes.push(what.into());
        }
        if self.left_out > 0 {
            frame.notes.push(format!("{} events were more than is looked at", self.left_out));
        }
        frame.notes.push(
            "what came before the time that is asked about is not known here: new means new in it".into(),
        );
        frame
    }
}
