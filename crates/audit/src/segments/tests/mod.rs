//! Tests of the store: what is written is found.

mod damage;
mod erased;
mod folding;
mod found;
mod lives;
mod pages;
mod record;
mod retention;
mod tampered;

use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use portcullis_events::{Access, AccessEvent, AuthKind, KindSet, Outcome, Recorder, RouteWords, Shown};
use portcullis_events::{Kind, samples};

use super::*;
use crate::chain::Ties;
use crate::clock::{Clock, Moment, Timestamp};

/// Half past some hour, so that a test may go on for a while within a day.
const START: u64 = 1_800_000_000 + 1_800;

/// Asks until it is so.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "never: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// A store that is written, and what happens.
struct Rig {
    folder: tempfile::TempDir,
    clock: Clock,
    recorder: Recorder,
    writer: Option<Writer>,
    settings: StoreSettings,
    limits: Limits,
    ties: Ties,
}

impl Rig {
    fn new() -> Self {
        Self::with(Limits::WHOLE)
    }

    fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let settings = StoreSettings { path, keep: StoreSettings::KEEP, size: StoreSettings::SIZE };
        let clock = Clock::manual(Timestamp::from_seconds(START));
        let recorder = Recorder::new(1, clock.clone(), 64 << 20);
        recorder.want(KindSet::ALL, true);
        let mut rig = Self { folder, clock, recorder, writer: None, settings, limits, ties: Ties::default() };
        rig.begin();
        rig
    }

    /// Begins to write.
    fn begin(&mut self) {
        self.writer = None;
        let process = Arc::from(self.recorder.process());
        let links = Links::new("store", &process, &self.ties);
        self.writer = Some(Writer::open(&self.settings, &process, &self.clock, self.limits, links).unwrap());
    }

    /// Another process, in the same folder.
    fn beside(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::new(1, self.clock.clone(), 64 << 20);
        recorder.want(KindSet::ALL, true);
        let (settings, clock) = (self.settings.clone(), self.clock.clone());
        let (limits, ties) = (self.limits, Ties::default());
        let mut rig = Self { folder, clock, recorder, writer: None, settings, limits, ties };
        rig.begin();
        rig
    }

    fn path(&self) -> &Path {
        &self.settings.path
    }

    fn now(&self) -> u64 {
        self.clock.moment().micros()
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().unwrap()
    }

    fn emit(&mut self, event: &dyn portcullis_events::Event) {
        self.happens(event);
    }

    /// It happens now, or a second later where strangers have had their share of this one.
    fn happens(&self, event: &dyn portcullis_events::Event) {
        if self.recorder.emit(event).is_none() {
            self.clock.advance(Duration::from_secs(1));
            assert!(self.recorder.emit(event).is_some());
        }
    }

    /// One of each kind happens.
    fn bare(&self) {
        samples::bare(&mut |event| self.happens(event));
    }

    /// Has what happened written.
    fn write(&mut self) {
        self.try_write().unwrap();
    }

    fn try_write(&mut self) -> Result<(), StoreError> {
        let mut blocks = Vec::new();
        self.recorder.sweep(|block| blocks.push(block));
        for block in blocks {
            let events = block.heads().iter().map(|head| (head, block.line(head)));
            self.writer.as_mut().unwrap().write(block.lane(), events)?;
        }
        Ok(())
    }

    fn beat(&mut self) -> Vec<Finding> {
        self.writer().beat().unwrap()
    }

    /// Beats until there is nothing left to do in the folder.
    fn settle(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        until("all is settled", || {
            findings.extend(self.writer().beat().unwrap());
            self.writer().is_idle().then_some(())
        });
        findings
    }

    /// Ends the process as it should.
    fn end(&mut self) {
        self.writer.take().unwrap().close().unwrap();
    }

    fn reader(&self) -> Reader {
        Reader::open(self.path()).unwrap()
    }

    fn reader_or_error(&self) -> Result<Reader, StoreError> {
        Reader::open(self.path())
    }

    fn files(&self, end: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> = names.filter(|name| name.ends_with(end)).collect();
        files.sort();
        files
    }

    fn all(&self) -> Vec<Event> {
        every(&self.reader(), &Filter::default())
    }
}

/// A filter, as it is written.
fn filter(now: u64, parts: &[(&str, &str)]) -> Filter {
    let mut filter = Filter::default();
    for (name, value) in parts {
        filter.set(name, value, Moment::from_micros(now)).unwrap();
    }
    filter
}

/// All that fit, segment by segment.
fn every(reader: &Reader, filter: &Filter) -> Vec<Event> {
    let mut all = Vec::new();
    let take = &mut |event| {
        all.push(event);
        ControlFlow::Continue(())
    };
    let walked = reader.each(filter, true, &Patience::endless(), take).unwrap();
    assert!(walked.is_whole && walked.damaged.is_empty(), "{walked:?}");
    all
}

/// All that fit, page by page.
fn pages(reader: &Reader, filter: &Filter, limit: usize) -> Vec<Event> {
    let (mut all, mut behind) = (Vec::new(), None);
    loop {
        let question = Question { filter, behind: behind.as_ref(), limit, personal: true };
        let page = reader.page(question, &Patience::endless()).unwrap();
        assert!(page.events.len() <= limit && page.damaged.is_empty());
        all.extend(page.events);
        match page.next {
            Some(next) => behind = Some(next.to_string().parse().unwrap()),
            None => return all,
        }
    }
}

fn client(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

const fn shown(session: u64) -> Option<Shown> {
    Some(Shown { kind: AuthKind::Session, credential: 7, session, bound: None })
}

/// A request that is let through.
fn granted(route: &RouteWords) -> AccessEvent<'_> {
    AccessEvent {
        route: Some(route),
        outcome: Outcome::Allowed,
        status: 200,
        bytes: 100,
        ..samples::bare_access(Access::Granted)
    }
}
