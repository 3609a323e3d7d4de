//! Many events in one row: an interval says from when to when, how often, and how much.
//!
//! What a session is let through to on one route with one status is one interval; of all but the first nobody reads the
//! line. What anybody can bring about as often as they like is an interval from the eleventh in a minute on, so that no
//! stranger pushes the record out (invariant 28).

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::net::IpAddr;

use portcullis_events::{EventHead, Flags, Kind, Outcome};

use super::draft::{Draft, Tally};

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
/// An interval is over when nothing has come for so long,
const IDLE: u64 = 5 * MINUTE;
/// or when it is so long.
pub(super) const LONGEST: u64 = 15 * MINUTE;
/// How often what goes on is written.
const WRITTEN: u64 = MINUTE;
/// So many of a kind have a row each, each minute.
const ROWS: u32 = 10;
/// So many altogether have one, of those that strangers bring about.
const ALL_ROWS: u32 = 600;
/// Intervals that go on at most; beyond them the oldest are over.
const MOST: usize = 32_768;
/// Bursts that are told apart.
const BURSTS: usize = 8_192;

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Rows.
    pub(super) events: Vec<Draft>,
    /// Intervals that go on, each at its place.
    pub(super) going: Vec<(i64, Draft)>,
    /// Places of intervals that are over.
    pub(super) over: Vec<i64>,
}

impl Work {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.going.is_empty() && self.over.is_empty()
    }
}

#[derive(Debug)]
struct Interval {
    draft: Draft,
    /// Its place among those that go on, once it is written there.
    place: Option<i64>,
    changed: bool,
}

impl Interval {
    const fn new(draft: Draft) -> Self {
        Self { draft, place: None, changed: true }
    }

    fn is_over(&self, now: u64) -> bool {
        now >= self.draft.tally.until.saturating_add(IDLE) || self.is_full(now)
    }

    const fn is_full(&self, now: u64) -> bool {
        now >= self.draft.time.saturating_add(LONGEST)
    }

    fn add(&mut self, more: &Tally) {
        self.draft.add(more);
        self.changed = true;
    }

    fn end(self, work: &mut Work) {
        work.over.extend(mutant!(self.place, "store-interval-counts-twice" => None));
        work.events.push(self.draft);
    }
}

/// Whose use of a route it is: a session's, or a token's; and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    is_token: bool,
    who: u64,
    route: u32,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Burst {
    kind: Kind,
    route: u32,
    status: Option<u64>,
    outcome: Option<Outcome>,
    /// Where from, whose and why; none: whoever, for whatever reason.
    fine: Option<u64>,
}

#[derive(Debug, Default)]
struct Count {
    minute: u64,
    rows: u32,
}

impl Count {
    /// Whether one more may have a row in this minute.
    fn takes(&mut self, minute: u64, most: u32) -> bool {
        if self.minute != minute {
            *self = Self { minute, rows: 0 };
        }
        self.rows += 1;
        self.rows <= most
    }
}

#[derive(Debug, Default)]
struct Bursting {
    count: Count,
    interval: Option<Interval>,
}

/// The intervals that go on.
#[derive(Debug, Default)]
pub(super) struct Fold {
    uses: BTreeMap<Use, Interval>,
    bursts: HashMap<Burst, Bursting>,
    strangers: Count,
    next_place: i64,
    written: u64,
}

impl Fold {
    /// Takes an event.
    pub(super) fn take(&mut self, head: &EventHead, lane: u16, line: &[u8], work: &mut Work) {
        if matches!(head.kind, Kind::SessionEnded | Kind::SignedOut) {
            self.end_session(head.session, work);
        }
        if is_use(head) && head.session != 0 {
            let key = Use { is_token: false, who: head.session, route: head.route, status: head.status };
            return self.take_use(key, &Tally::of(head), || Draft::read(head, lane, line), work);
        }
        let draft = Draft::read(head, lane, line);
        if is_use(head) && draft.who.is_some() {
            let who = digest(&(&draft.who, &draft.rest));
            let key = Use { is_token: true, who, route: head.route, status: head.status };
            let tally = draft.tally;
            self.take_use(key, &tally, || draft, work);
        } else if may_flood(head, &draft) {
            self.take_burst(head, draft, work);
        } else {
            work.events.push(draft);
        }
    }

    fn take_use(&mut self, key: Use, more: &Tally, draft: impl FnOnce() -> Draft, work: &mut Work) {
        let now = more.until;
        match self.uses.get_mut(&key) {
            Some(interval) if !interval.is_over(now) => interval.add(more),
            _ => {
                self.make_room(work);
                if let Some(over) = self.uses.insert(key, Interval::new(draft())) {
                    over.end(work);
                }
            }
        }
    }

    /// Ends the interval that nothing was added to for the longest time, where there are too many.
    fn make_room(&mut self, work: &mut Work) {
        if self.uses.len() < MOST {
            return;
        }
        let mut times: Vec<_> = self.uses.values().map(|interval| interval.draft.tally.until).collect();
        // A sixteenth at a time: looking for them is as much work as all of them are.
        let (_, before, _) = times.select_nth_unstable(MOST / 16);
        let before = *before;
        self.end_uses(work, |interval| interval.draft.tally.until <= before);
    }

    fn take_burst(&mut self, head: &EventHead, mut draft: Draft, work: &mut Work) {
        let fine = Some(digest(&(draft.client.map(network), &draft.who, draft.session, draft.cause)));
        let (kind, route, status, outcome) = (draft.kind, head.route, draft.status, draft.outcome);
        let mut key = Burst { kind, route, status, outcome, fine };
        let (minute, known) = (head.time / MINUTE, draft.who.is_some());
        if self.bursts.len() >= BURSTS && !self.bursts.contains_key(&key) {
            key.fine = None;
        }
        let most = if key.fine.is_some() { ROWS } else { 0 };
        let alone = self.bursts.entry(key.clone()).or_default().count.takes(minute, most);
        let alone = mutant!(alone, "store-burst-unbounded" => true);
        if alone && (known || self.strangers.takes(minute, ALL_ROWS)) {
            return work.events.push(draft);
        }
        // Beyond all bounds nothing is told apart but what our own configuration has names for.
        if alone {
            key.fine = None;
        }
        if key.fine.is_none() {
            draft.blur();
        }
        self.bursts.entry(key).or_default().fold(draft, work);
    }

    fn end_session(&mut self, session: u64, work: &mut Work) {
        let first = Use { is_token: false, who: session, route: 0, status: 0 };
        let last = Use { route: u32::MAX, status: u16::MAX, ..first };
        let over: Vec<_> = self.uses.range(first..=last).map(|(key, _)| *key).collect();
        self.end_these(&over, work);
    }

    fn end_uses(&mut self, work: &mut Work, is_over: impl Fn(&Interval) -> bool) {
        let over: Vec<_> =
            self.uses.iter().filter(|(_, interval)| is_over(interval)).map(|(key, _)| *key).collect();
        self.end_these(&over, work);
    }

    fn end_these(&mut self, over: &[Use], work: &mut Work) {
        for interval in over.iter().filter_map(|key| self.uses.remove(key)).collect::<Vec<_>>() {
            interval.end(work);
        }
    }

    /// Ends what is over, and writes what goes on where that is due.
    pub(super) fn tend(&mut self, now: u64, work: &mut Work) {
        self.end_uses(work, |interval| interval.is_over(now));
        self.bursts.retain(|_, burst| {
            if let Some(over) = burst.interval.take_if(|interval| interval.is_over(now)) {
                over.end(work);
            }
            burst.interval.is_some() || burst.count.minute == now / MINUTE
        });
        if now >= self.written.saturating_add(WRITTEN) || now < self.written {
            self.written = now;
            self.write(work);
        }
    }

    fn write(&mut self, work: &mut Work) {
        let bursts = self.bursts.values_mut().filter_map(|burst| burst.interval.as_mut());
        for interval in self.uses.values_mut().chain(bursts).filter(|interval| interval.changed) {
            let next = || {
                self.next_place += 1;
                self.next_place
            };
            let place = *interval.place.get_or_insert_with(next);
            interval.changed = false;
            work.going.push((place, interval.draft.clone()));
        }
    }

    /// Ends everything: the segment closes, or the process.
    pub(super) fn end(&mut self, work: &mut Work) {
        self.end_uses(work, |_| true);
        self.bursts.drain().filter_map(|(_, burst)| burst.interval).for_each(|interval| interval.end(work));
    }

    /// What goes on is nowhere any more: its segment is lost.
    pub(super) fn is_unwritten(&mut self) {
        let bursts = self.bursts.values_mut().filter_map(|burst| burst.interval.as_mut());
        for interval in self.uses.values_mut().chain(bursts) {
            (interval.place, interval.changed) = (None, true);
        }
        self.written = 0;
    }
}

impl Bursting {
    fn fold(&mut self, draft: Draft, work: &mut Work) {
        match &mut self.interval {
            Some(interval) if !interval.is_over(draft.time) => interval.add(&draft.tally),
            _ => {
                if let Some(over) = self.interval.replace(Interval::new(draft)) {
                    over.end(work);
                }
            }
        }
    }
}

fn is_use(head: &EventHead) -> bool {
    head.kind == Kind::AccessGranted && head.outcome == Some(Outcome::Allowed)
}

/// Whether anybody can bring it about as often as they like.
fn may_flood(head: &EventHead, draft: &Draft) -> bool {
    let access = matches!(draft.kind, Kind::AccessGranted | Kind::AccessRefused);
    access || head.flags.has(Flags::STRANGER) || (draft.who.is_none() && draft.client.is_some())
}

fn digest(text: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The network of an address: /24, or /48.
fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(four) => u128::from(four.to_bits() >> 8),
        IpAddr::V6(six) => six.to_bits() >> 80,
    }
}
