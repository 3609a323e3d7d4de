//! What the sessions of one sign-in share in memory: when they were used, and that they have ended.
//!
//! A family *lives*, or *has ended* for one reason; the first reason stays, and an ended family never lives again.
//!
//! - It ends by [`Families::end`] (the store has removed it, or another process has ended it) or by
//!   [`Families::end_for_good`] (somebody signed out, and the store does not know yet). Either wakes every stream that
//!   waits for its end.
//! - After `end_for_good` its root *awaits its removal*: whatever the store still says of it, who joins it finds it
//!   ended. That is so until [`Families::removed`], when the store no longer has it.
//! - Everybody who joins one root shares one family, for as long as anybody holds it; so one end reaches all.
//! - When it was last used only goes up. One caller an interval is told to have that written; where the queue is
//!   full, the next caller is told so again.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};

use super::activity::TouchQueue;
use super::ended::SessionEnd;
use super::lifetimes::Lifetimes;
use super::route_uses::RouteUses;
use super::{SessionId, Touch};
use crate::clock::{Clock, Timestamp};

/// What every family goes by.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) lifetimes: Arc<Lifetimes>,
    pub(super) clock: Clock,
    pub(super) activity: Arc<TouchQueue>,
}

/// One sign-in, shared by its sessions.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) root: SessionId,
    pub(super) terms: Arc<Terms>,
    /// Seconds since the epoch.
    last_seen: AtomicU64,
    /// Which of these was last given to be written; 0 where that has failed.
    written: AtomicU64,
    /// A [`SessionEnd`] as it is coded there; 0 while it lives.
    ended: AtomicU8,
    /// Wakes streams when it ends.
    pub(super) cut: Notify,
    /// How many wait for that.
    waiting: AtomicU64,
    /// When it was last used on routes that ask.
    pub(super) routes: RouteUses,
    /// Those of its sessions that were used: no more than it has.
    used: Mutex<BTreeSet<SessionId>>,
}

impl Family {
    fn new(root: SessionId, last_seen: Timestamp, terms: Arc<Terms>) -> Self {
        let (seen, written) = (AtomicU64::new(last_seen.seconds()), AtomicU64::new(last_seen.seconds()));
        Self {
            root,
            terms,
            last_seen: seen,
            written,
            ended: AtomicU8::new(0),
            cut: Notify::new(),
            waiting: AtomicU64::new(0),
            routes: RouteUses::default(),
            used: Mutex::default(),
        }
    }

    /// Whether session `id` of it is used for the first time.
    pub(super) fn first_use_of(&self, id: SessionId) -> bool {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(id)
    }

    pub(super) fn last_seen(&self) -> Timestamp {
        Timestamp::from_seconds(self.last_seen.load(Ordering::Relaxed))
    }

    /// Why it has ended, where it has.
    pub(super) fn end_reason(&self) -> Option<SessionEnd> {
        SessionEnd::from_code(self.ended.load(Ordering::Acquire))
    }

    /// Whether sessions of it, signed in at `created` and good until `expires`, may still be used at `now`.
    pub(super) fn lives(&self, created: Timestamp, expires: Timestamp, now: Timestamp) -> bool {
        let lifetimes = &self.terms.lifetimes;
        mutant!(self.end_reason().is_none(), "ended-session-lives" => true)
            && now < expires
            && mutant!(now.since(created) < lifetimes.max_age(), "shorter-max-age-ignored" => true)
            && mutant!(now.since(self.last_seen()) < lifetimes.idle(), "idle-session-lives" => true)
    }

    /// Notes a use at `now`, and has it written where that is due.
    pub(super) fn used(&self, now: Timestamp) {
        // Read first: a store by every request would pass the cache line around all processors.
        if self.last_seen() < now {
            self.note(now);
        }
    }

    fn note(&self, now: Timestamp) {
        let touch = Touch { root: self.root, at: now };
        if self.seen(now, self.terms.lifetimes.interval()) && !self.terms.activity.note(touch) {
            // The queue is full: whoever uses it next is told again to have it written.
            self.written.store(0, Ordering::Relaxed);
        }
    }

    /// Notes a use at `now`; true for the one caller that is to have it written: once per `interval`.
    fn seen(&self, now: Timestamp, interval: Duration) -> bool {
        self.last_seen.fetch_max(now.seconds(), Ordering::Relaxed);
        let written = self.written.load(Ordering::Relaxed);
        let due = now.since(Timestamp::from_seconds(written)) >= interval;
        due && self
            .written
            .compare_exchange(written, now.seconds(), Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// One more, or one fewer, waits for its end.
    pub(super) fn waits(&self, is_one_more: bool) {
        match is_one_more {
            true => self.waiting.fetch_add(1, Ordering::Relaxed),
            false => self.waiting.fetch_sub(1, Ordering::Relaxed),
        };
    }

    /// The first reason stays.
    fn end(&self, why: SessionEnd) {
        let _ = self.ended.compare_exchange(0, why.code(), Ordering::AcqRel, Ordering::Acquire);
        self.cut.notify_waiters();
    }
}

/// All families that some session in memory belongs to: as many as there are sessions in use.
#[derive(Debug)]
pub(super) struct Families {
    terms: Arc<Terms>,
    known: Mutex<KnownFamilies>,
    /// Families as they end, for a process that this one has taken over from.
    endings: broadcast::Sender<Ending>,
}

/// The root of a family that has ended, and why.
pub type Ending = (SessionId, SessionEnd);

/// Endings that such a process may lag behind; one that lags further is cut off.
const ENDINGS: usize = 4096;

#[derive(Debug, Default)]
struct KnownFamilies {
    families: HashMap<SessionId, Weak<Family>>,
    sweep_at: usize,
    /// Roots that have ended and that the store still holds: what it says of them does not count
    /// (invariant 23). No more than the store has sessions, since a store that fails takes no new ones.
    awaiting_removal: HashMap<SessionId, SessionEnd>,
}

impl Families {
    pub(super) fn new(terms: Terms) -> Self {
        let endings = broadcast::Sender::new(ENDINGS);
        Self { terms: Arc::new(terms), known: Mutex::default(), endings }
    }

    /// The family of `root`, shared with whoever holds it already; one that has ended where it, or its session
    /// `id`, has.
    pub(super) fn join(&self, root: SessionId, id: SessionId, last_seen: Timestamp) -> Arc<Family> {
        let mut known = self.known();
        let ended = known.awaiting_removal.contains_key(&root) || known.awaiting_removal.contains_key(&id);
        if mutant!(ended, "end-forgotten-while-loading" => false) {
            let family = Family::new(root, last_seen, Arc::clone(&self.terms));
            family.end(SessionEnd::SignedOut);
            return Arc::new(family);
        }
        if let Some(family) = known.families.get(&root).and_then(Weak::upgrade) {
            // Another gateway may have seen it used since.
            family.last_seen.fetch_max(last_seen.seconds(), Ordering::Relaxed);
            return family;
        }
        known.sweep();
        let family = Arc::new(Family::new(root, last_seen, Arc::clone(&self.terms)));
        known.families.insert(root, Arc::downgrade(&family));
        family
    }

    /// Ends the family of `root` for everybody who holds it, and for everybody who would join it until
    /// [`Families::removed`].
    pub(super) fn end_for_good(&self, root: SessionId, why: SessionEnd) {
        self.known().awaiting_removal.entry(root).or_insert(why);
        self.end(root, why);
    }

    /// Neither the store nor anybody in memory holds the family of `root` any longer.
    pub(super) fn removed(&self, root: SessionId) {
        self.known().awaiting_removal.remove(&root);
    }

    /// Whether `root` has ended and the store does not know it yet.
    pub(super) fn has_ended(&self, root: &SessionId) -> bool {
        self.known().awaiting_removal.contains_key(root)
    }

    /// Roots that have ended and that the store still holds, and why they have.
    pub(super) fn awaiting_removal(&self) -> Vec<Ending> {
        self.known().awaiting_removal.iter().map(|(root, why)| (*root, *why)).collect()
    }

    /// Roots of which some session in memory lives.
    pub(super) fn alive(&self) -> Vec<SessionId> {
        let known = self.known();
        known.families.iter().filter(|(_, family)| family.strong_count() > 0).map(|(root, _)| *root).collect()
    }

    /// How many exchanges of this process the end of `root` would cut.
    pub(super) fn open(&self, root: &SessionId) -> u64 {
        let family = self.known().families.get(root).and_then(Weak::upgrade);
        family.map_or(0, |family| family.waiting.load(Ordering::Relaxed))
    }

    /// Every family that ends from now on.
    pub(super) fn endings(&self) -> broadcast::Receiver<Ending> {
        self.endings.subscribe()
    }

    /// How many roots have ended that the store still holds.
    pub(super) fn count_awaiting_removal(&self) -> usize {
        self.known().awaiting_removal.len()
    }

    /// Ends the family of `root` for everybody who holds it.
    pub(super) fn end(&self, root: SessionId, why: SessionEnd) {
        let family = self.known().families.remove(&root);
        let _ = self.endings.send((root, why)); // an error: nobody listens
        if let Some(family) = family.and_then(|family| family.upgrade()) {
            family.end(why);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known().families.len()
    }

    fn known(&self) -> MutexGuard<'_, KnownFamilies> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KnownFamilies {
    /// Forgets families that nobody holds, whenever their number may have doubled.
    fn sweep(&mut self) {
        if self.families.len() >= self.sweep_at {
            self.families.retain(|_, family| family.strong_count() > 0);
            self.sweep_at = 2 * self.families.len() + 64;
        }
    }
}
