//! What this process has ended lately. A failover may lose what a master had acknowledged: after each reconnect it is
//! written again, so that nobody comes back by it (invariant 23).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::session::{Marking, RememberedEnd, SessionEnd, SessionId};

/// Longer than a failover takes, with time for somebody to see to it.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// Ends that are kept; of more, the latest.
const KEPT: usize = 10_000;

/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentEnds(Arc<Mutex<VecDeque<(Instant, RecentEnd)>>>);

/// Something that is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RecentEnd {
    /// A family, by its root or one of its sessions.
    Family(SessionId, SessionEnd),
    /// Whoever had begun to sign in.
    Remembered(RememberedEnd),
    /// What families have been asked for short of their end.
    Marked(Marking),
}

impl RecentEnds {
    pub(super) fn note(&self, end: RecentEnd) {
        let mut ends = self.ends();
        if ends.len() >= KEPT {
            ends.pop_front();
        }
        ends.push_back((Instant::now(), end));
    }

    /// Those of the last ten minutes.
    pub(super) fn all(&self) -> Vec<RecentEnd> {
        let mut ends = self.ends();
        while ends.front().is_some_and(|(at, _)| at.elapsed() > KEPT_FOR) {
            ends.pop_front();
        }
        ends.iter().map(|(_, end)| end.clone()).collect()
    }

    fn ends(&self) -> MutexGuard<'_, VecDeque<(Instant, RecentEnd)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        (0..2 * KEPT).for_each(|_| ends.note(end(3)));
        assert_eq!(ends.all().len(), KEPT);
    }
}
