//! Reports of histories, held against a plain count of the lines that were written.

mod asked;
mod counted;
mod examples;
mod formats;
mod places;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use portcullis_events::{
    Access as Asked, AccessEvent, AccessReviewed, AuthKind, Caller, Event as Happening, KindSet, Mark,
    Outcome, Recorder, RouteWords, Shown, samples,
};
use portcullis_rules::identity::{Principal, ProviderName, Subject, fixtures};
use serde_json::Value as Json;

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::segments::{Limits, Links, StoreSettings, Writer};

/// 2026-11-30T10:00:00Z.
const START: u64 = 1_796_032_800;

/// A store that is written, and every line that went into it.
struct Rig {
    folder: tempfile::TempDir,
    clock: Clock,
    recorder: Recorder,
    writer: Option<Writer>,
    lines: Vec<Json>,
}

impl Rig {
    fn new() -> Self {
        Self::from(START)
    }

    fn from(start: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let settings = StoreSettings { path, keep: StoreSettings::KEEP, size: StoreSettings::SIZE };
        let clock = Clock::manual(Timestamp::from_seconds(start));
        let recorder = Recorder::new(0, clock.clone(), 64 << 20);
        recorder.want(KindSet::ALL, true);
        let process = Arc::from(recorder.process());
        let links = Links::alone(&process);
        let writer = Some(Writer::open(&settings, &process, &clock, Limits::WHOLE, links).unwrap());
        Self { folder, clock, recorder, writer, lines: Vec::new() }
    }

    fn emit(&mut self, event: &dyn Happening) {
        self.recorder.emit(event).unwrap();
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Has what happened written; what goes on is written as well.
    fn write(&mut self) {
        let mut blocks = Vec::new();
        self.recorder.sweep(|block| blocks.push(block));
        let writer = self.writer.as_mut().unwrap();
        for block in blocks {
            let lines = block.heads().iter().map(|head| block.line(head));
            self.lines.extend(lines.map(|line| serde_json::from_slice::<Json>(line).unwrap()));
            writer.write(block.lane(), block.heads().iter().map(|head| (head, block.line(head)))).unwrap();
        }
        writer.beat().unwrap();
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.folder.path().join("audit")).unwrap()
    }

    fn answer(&self, question: &Question, known: &Known<'_>) -> Frame {
        answer(question, &self.reader(), known, &Patience::endless()).unwrap()
    }

    /// The report of the last days up to a second from now.
    fn report(&self, report: Report) -> Frame {
        let frame = self.answer(&self.question(report), &Known::default());
        assert!(
            !frame.notes.iter().any(|note| note.contains("not all") || note.contains("cannot be read")),
            "{frame:?}"
        );
        frame
    }

    fn question(&self, report: Report) -> Question {
        let now = crate::clock::Moment::from_micros(self.clock.moment().micros() + 1_000_000);
        Question::new(report, "40d", None, "UTC", now).unwrap()
    }
}

fn person(name: &str) -> Principal {
    let mut who = fixtures::alice();
    who.provider = ProviderName::new("corp");
    (who.subject, who.user) = (Subject::new(format!("sub-{name}")), name.to_owned());
    who
}

/// What a reviewer said of an access.
fn reviewed<'a>(who: &'a Principal, route: &'a str, rule: &'a str, mark: Mark) -> AccessReviewed<'a> {
    AccessReviewed {
        operator: "anna (corp), in the console",
        id: None,
        client: None,
        provider: who.provider.as_str(),
        subject: who.subject.as_str(),
        user: &who.user,
        route,
        rule: Some(rule),
        mark,
        reason: Some("asked her team"),
        took: None,
    }
}

fn client(third: u8, last: u8) -> IpAddr {
    Ipv4Addr::new(198, 51, third, last).into()
}

fn caller(client: IpAddr) -> Caller<'static> {
    Caller { id: "9d754d00dceca87e", client, device: Some("Firefox on Linux") }
}

fn shown(session: u64) -> Shown {
    Shown { kind: AuthKind::Session, credential: 7, session, bound: None }
}

/// A request, by whom and with what end.
fn request<'a>(
    route: &'a RouteWords,
    who: Option<&'a Principal>,
    session: u64,
    outcome: Outcome,
) -> AccessEvent<'a> {
    let refused = ["unauthenticated", "forbidden", "limited", "bad-request", "not-found"];
    let access = if refused.contains(&outcome.as_str()) { Asked::Refused } else { Asked::Granted };
    AccessEvent {
        route: Some(route),
        who,
        shown: who.map(|_| shown(session)),
        client: client(100, 7),
        outcome,
        status: if access == Asked::Refused { 403 } else { 200 },
        bytes: 1000,
        ..samples::bare_access(access)
    }
}

/// The rows of a report by what their first cells say.
fn row<'f>(frame: &'f Frame, first: &[&str]) -> Option<&'f Vec<Cell>> {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::None | Cell::Unknown | Cell::Number(_) | Cell::Time(_) => String::new(),
    };
    frame.rows.iter().find(|row| row.iter().zip(first).all(|(cell, first)| text(cell) == **first))
}

fn number(frame: &Frame, row: &[Cell], column: &str) -> u64 {
    let index = frame.columns.iter().position(|known| known.name == column).unwrap();
    let Cell::Number(number) = row[index] else { panic!("{column}: {:?}", row[index]) };
    number
}

/// A plain sum over the lines: how many, and the bytes, of those that fit.
fn plain(lines: &[Json], fits: impl Fn(&Json) -> bool) -> (u64, u64) {
    let fitting = lines.iter().filter(|line| fits(line));
    fitting.fold((0, 0), |(count, bytes), line| (count + 1, bytes + line["bytes"].as_u64().unwrap_or(0)))
}
