//! What is noted of ends: how many there were for which reason, and, for a browser that comes back without knowing, why
//! its session is over.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_events::{Kind, Recorder, SessionEnded};
use quick_cache::sync::Cache;

use super::end_cause::EndCause;
use super::ended::SessionEnd;
use super::store::StoredOverview;
use super::{SessionId, Sessions};
use crate::identity::Principal;

/// Sessions of which the reason is known at most; of others people are told nothing (invariant 14).
const KNOWN: usize = 10_000;

#[derive(Debug)]
pub(super) struct EndNotes {
    /// By [`SessionEnd::code`].
    counts: [AtomicU64; SessionEnd::ALL.len() + 1],
    reasons: Cache<SessionId, SessionEnd>,
    recorder: OnceLock<Recorder>,
}

impl EndNotes {
    pub(super) fn new() -> Self {
        let counts = std::array::from_fn(|_| AtomicU64::new(0));
        Self { counts, reasons: Cache::new(KNOWN), recorder: OnceLock::new() }
    }

    pub(super) fn count(&self, why: SessionEnd, families: usize) {
        let families = u64::try_from(families).unwrap_or(u64::MAX);
        self.counts[usize::from(why.code())].fetch_add(families, Ordering::Relaxed);
    }

    pub(super) fn recorder(&self) -> Option<&Recorder> {
        self.recorder.get()
    }

    /// Whether somebody keeps such events.
    pub(super) fn are_recorded(&self) -> bool {
        self.recorder.get().is_some_and(|recorder| recorder.wants(Kind::SessionEnded))
    }

    /// Records the end of a family: of whom, and how many exchanges it cuts, where that is known.
    pub(super) fn record(
        &self,
        root: SessionId,
        who: Option<&Principal>,
        cause: &EndCause,
        cut: Option<u64>,
    ) {
        let ended = SessionEnded {
            caller: cause.caller.as_ref(),
            who,
            session: root.first_bytes(),
            why: cause.why.word(),
            by: cause.by.as_deref(),
            cut,
        };
        self.recorder.get().map(|recorder| recorder.emit(&ended));
    }

    /// Notes the reason for the browsers of `family`: none of them asked for its end.
    pub(super) fn keep(&self, family: &StoredOverview, why: SessionEnd) {
        family.sessions.iter().for_each(|(id, _)| self.reasons.insert(*id, why));
    }
}

impl Sessions {
    /// Has the ends of this process recorded from now on; a second recorder changes nothing.
    pub fn record_to(&self, recorder: Recorder) {
        self.0.others.tell(&recorder);
        drop(self.0.notes.recorder.set(recorder));
    }

    /// Why the session `id` is over, where somebody else than its browser has ended it lately and in this process. Who
    /// asks holds the key of the session.
    #[must_use]
    pub fn why_ended(&self, id: &SessionId) -> Option<SessionEnd> {
        self.0.notes.reasons.get(id)
    }

    /// How many sign-ins have ended in this process, by reason.
    pub fn ends(&self) -> impl Iterator<Item = (SessionEnd, u64)> + '_ {
        let count = |why: SessionEnd| &self.0.notes.counts[usize::from(why.code())];
        SessionEnd::ALL.into_iter().map(move |why| (why, count(why).load(Ordering::Relaxed)))
    }
}
