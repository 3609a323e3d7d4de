//! What this process has ended lately. A failover may lose what a master had acknowledged: after each reconnect it is
//! written again, so that nobody comes back by it (invariant 23).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::calls::Nonce;
use crate::session::{Marking, RememberedEnd, SessionEnd, SessionId};

/// Longer than a failover takes, with time for somebody to see to it.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// Ends that are kept; of more, the latest.
const KEPT: usize = 10_000;

/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentEnds(Arc<Mutex<Ends>>);

#[derive(Debug, Default)]
struct Ends {
    /// By their numbers, in the order in which they were noted last.
    all: BTreeMap<u64, (Instant, RecentEnd)>,
    /// The numbers of those that end a family: where the store does not take one, it is tried and noted again and again.
    families: HashMap<SessionId, u64>,
    next: u64,
}

/// Something that is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RecentEnd {
    /// A family, by its root or one of its sessions.
    Family(SessionId, SessionEnd),
    /// Whoever had begun to sign in.
    Remembered(RememberedEnd),
    /// What families have been asked for short of their end, and what tells this apart from another time.
    Marked(Marking, Nonce),
}

impl RecentEnds {
    pub(super) fn note(&self, end: RecentEnd) {
        let mut ends = self.ends();
        let number = ends.next;
        ends.next += 1;
        if let RecentEnd::Family(id, _) = &end
            && let Some(before) = ends.families.insert(*id, number)
        {
            ends.all.remove(&before);
        }
        if ends.all.len() >= KEPT {
            ends.forget_first();
        }
        ends.all.insert(number, (Instant::now(), end));
    }

    /// Those of the last ten minutes.
    pub(super) fn all(&self) -> Vec<RecentEnd> {
        let mut ends = self.ends();
        while ends.all.values().next().is_some_and(|(at, _)| at.elapsed() > KEPT_FOR) {
            ends.forget_first();
        }
        ends.all.values().map(|(_, end)| end.clone()).collect()
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ends {
    fn forget_first(&mut self) {
        if let Some((_, (_, RecentEnd::Family(id, _)))) = self.all.pop_first() {
            self.families.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[tokio::test(start_paused = true)]
    async fn ends_are_kept_for_ten_minutes_and_not_too_many() {
        let ends = RecentEnds::default();
        let end = |n: u8| RecentEnd::Family(SessionId::from_bytes([n; 32]), SessionEnd::SignedOut);
        ends.note(end(1));
        tokio::time::advance(Duration::from_secs(599)).await;
        ends.note(end(2));
        assert_eq!(ends.all(), [end(1), end(2)]);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(ends.all(), [end(2)]);
        let remembered = |n: u64| {
            let at = Timestamp::from_seconds(n);
            RecentEnd::Remembered(RememberedEnd { digests: Vec::new(), since: at, until: at })
        };
        (0..2 * KEPT as u64).for_each(|n| ends.note(remembered(n)));
        assert_eq!((ends.all().len(), ends.ends().families.len()), (KEPT, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_tried_again_counts_once() {
        let ends = RecentEnds::default();
        let end = |n: u8| RecentEnd::Family(SessionId::from_bytes([n; 32]), SessionEnd::SignedOut);
        (0..2 * KEPT).for_each(|_| ends.note(end(1)));
        ends.note(end(2));
        tokio::time::advance(Duration::from_secs(500)).await;
        ends.note(end(1));
        assert_eq!(ends.all(), [end(2), end(1)]);
        tokio::time::advance(Duration::from_secs(500)).await;
        assert_eq!(ends.all(), [end(1)], "as of its last time");
    }
}
