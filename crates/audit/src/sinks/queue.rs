//! What waits for a sink, up to a bound in bytes. Whoever brings something never waits: what does not fit is lost for this
//! sink, and counted by lane and numbers, so that the record can say exactly what is missing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portcullis_events::{Block, KindSet};

use super::settings::SinkKind;
use super::sink::Batch;

/// Gaps that are kept apart; further ones are told as one.
const GAPS: usize = 256;

/// What a sink is given.
#[derive(Debug)]
pub(super) enum Item {
    /// Events, of which it takes these kinds.
    Events(Arc<Block>, KindSet),
    /// A line that is no event.
    Text(Box<[u8]>),
    /// Lines that are no events were lost here.
    Missed(u64),
}

impl Item {
    fn cost(&self) -> usize {
        match self {
            Self::Events(block, _) => block.cost(),
            Self::Text(text) => text.len(),
            Self::Missed(_) => 0,
        }
    }

    fn events(&self) -> u64 {
        self.as_loss().map_or(0, |loss| loss.count)
    }

    /// What is lost where it is not written.
    fn as_loss(&self) -> Option<Loss> {
        match self {
            Self::Events(block, chosen) => Loss::of(&Batch { block, chosen: *chosen }),
            Self::Text(_) | Self::Missed(_) => None,
        }
    }
}

/// Numbers of a lane that a sink has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) lane: u16,
    pub(super) from: u64,
    pub(super) to: u64,
    /// How many of them it would have taken.
    pub(super) count: u64,
}

impl Loss {
    /// All of a batch; none where it is empty.
    pub(super) fn of(batch: &Batch<'_>) -> Option<Self> {
        let mut heads = batch.heads();
        let first = heads.next()?;
        let (to, rest) = heads.fold((first.seq, 0), |(_, count), head| (head.seq, count + 1));
        Some(Self { lane: batch.block.lane(), from: first.seq, to, count: rest + 1 })
    }
}

/// What comes next for a sink.
#[derive(Debug)]
pub(super) enum Next {
    /// To be written; it waits no longer once [`Queue::done`] says so.
    Item(Arc<Item>),
    /// Other settings.
    Change(SinkKind),
    /// Nothing, for so long as was asked.
    Nothing,
    /// Nothing more; whatever is left to do ends by this moment.
    Closed(Instant),
}

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    bound: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Arc<Item>, Instant)>,
    writing: Option<(Arc<Item>, Instant)>,
    bytes: usize,
    losses: Vec<Loss>,
    lost: u64,
    missed: u64,
    change: Option<SinkKind>,
    closed: Option<Instant>,
    ended: bool,
}

impl Queue {
    pub(super) fn new(bound: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: Condvar::new(), bound: AtomicUsize::new(bound) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_bound(&self, bound: usize) {
        self.bound.store(bound, Relaxed);
    }

    /// Brings what the sink takes of a block.
    pub(super) fn push(&self, block: &Arc<Block>, chosen: KindSet) {
        let Some(loss) = Loss::of(&Batch { block, chosen }) else { return };
        let mut state = mutant!(self.state(), "record-waits-for-a-sink" => self.wait(Duration::from_secs(3), |state| {
            self.fits(state, block.cost())
        }));
        if self.fits(&state, block.cost()) {
            self.add(&mut state, Item::Events(Arc::clone(block), chosen));
        } else {
            state.lose(loss);
        }
    }

    /// Brings a line that is no event.
    pub(super) fn push_text(&self, text: &[u8]) {
        let mut state = self.state();
        if !self.fits(&state, text.len()) {
            state.missed += 1;
            return;
        }
        let missed = std::mem::take(&mut state.missed);
        if missed > 0 {
            self.add(&mut state, Item::Missed(missed));
        }
        self.add(&mut state, Item::Text(text.into()));
    }

    /// Whether there is room; for whatever comes where nothing waits.
    fn fits(&self, state: &State, cost: usize) -> bool {
        state.closed.is_none() && (state.bytes == 0 || state.bytes + cost <= self.bound.load(Relaxed))
    }

    fn add(&self, state: &mut State, item: Item) {
        state.bytes += item.cost();
        state.waiting.push_back((Arc::new(item), Instant::now()));
        self.changed.notify_all();
    }

    /// Goes on by other settings from what is written next.
    pub(super) fn change(&self, kind: SinkKind) {
        self.state().change = Some(kind);
        self.changed.notify_all();
    }

    /// What comes next, waited for until `until`.
    pub(super) fn next(&self, until: Instant) -> Next {
        let mut state = self.state();
        loop {
            if let Some(kind) = state.change.take() {
                return Next::Change(kind);
            }
            if let Some(next) = state.waiting.pop_front() {
                let item = Arc::clone(&next.0);
                state.writing = Some(next);
                return Next::Item(item);
            }
            if let Some(until) = state.closed {
                return Next::Closed(until);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Nothing;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What was being written is.
    pub(super) fn done(&self) {
        let mut state = self.state();
        if let Some((item, _)) = state.writing.take() {
            state.bytes -= item.cost();
        }
        self.changed.notify_all();
    }

    /// Waits for so long, or until it is closed; gives when all must have ended, where it is.
    pub(super) fn pause(&self, span: Duration) -> Option<Instant> {
        self.wait(span, |state| state.closed.is_some()).closed
    }

    fn wait(&self, span: Duration, mut until: impl FnMut(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.state();
        let waited = self.changed.wait_timeout_while(state, span, |state| !until(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Nothing comes any more, and what is left to do ends by this moment.
    pub(super) fn close(&self, until: Instant) {
        self.state().closed = Some(until);
        self.changed.notify_all();
    }

    /// Says that its sink has ended.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }

    /// Waits until all is written; whether it is.
    pub(super) fn wait_idle(&self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        self.wait(left, State::is_idle).is_idle()
    }

    /// Waits until its sink has ended; gives how many events are left.
    pub(super) fn wait_end(&self, until: Instant) -> u64 {
        let left = until.saturating_duration_since(Instant::now());
        let state = self.wait(left, |state| state.ended);
        state.writing.iter().chain(&state.waiting).map(|(item, _)| item.events()).sum()
    }

    /// What was lost and is to be told, once there is room for telling it; `at_once`: at the end.
    pub(super) fn take_losses(&self, at_once: bool) -> Vec<Loss> {
        let mut state = self.state();
        let room = at_once || state.bytes <= self.bound.load(Relaxed) / 2;
        if room { std::mem::take(&mut state.losses) } else { Vec::new() }
    }

    /// What could not be told, before everything that was lost since.
    pub(super) fn untold(&self, losses: impl IntoIterator<Item = Loss>) {
        self.state().losses.splice(0..0, losses);
    }

    /// Gives up what waits, and what is being written: its sink has had its time.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        let left: Vec<_> = state.writing.take().into_iter().chain(state.waiting.drain(..)).collect();
        state.bytes = 0;
        left.iter().filter_map(|(item, _)| item.as_loss()).for_each(|loss| state.lose(loss));
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// Whether there is no more room than what is under way may need.
    pub(super) fn is_short_of_room(&self) -> bool {
        self.state().bytes > self.bound.load(Relaxed) / 2
    }

    /// Events that it has lost since the start.
    pub(super) fn lost(&self) -> u64 {
        self.state().lost
    }

    /// Since when the oldest of what waits does.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let state = self.state();
        state.writing.iter().chain(state.waiting.front()).map(|(_, since)| *since).next()
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.writing.is_none()
    }

    fn lose(&mut self, loss: Loss) {
        self.lost += loss.count;
        let full = self.losses.len() >= GAPS;
        let last = self.losses.iter_mut().rev().find(|last| last.lane == loss.lane);
        match last {
            Some(last) if full || last.to + 1 == loss.from => {
                (last.to, last.count) = (loss.to, last.count + loss.count);
            }
            Some(_) | None => self.losses.push(loss),
        }
    }
}
