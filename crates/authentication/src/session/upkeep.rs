//! What is done beside requests: uses are written, what is over is removed, endings that the store missed
//! are made good.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use super::ended::SessionEnd;
use super::pace::SweepPace;
use super::sessions::{SessionsInner, completed};
use super::{PurgeCriteria, RemovedFamily, Sessions, StoreUnavailable};
use crate::clock::Timestamp;

/// How often what requests noted is written.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// Flushes between two purges.
const FLUSHES_A_PURGE: u32 = 12;

impl Sessions {
    /// Writes what requests noted, then removes sessions that are over; answers how many families.
    ///
    /// # Errors
    /// The store is away; the next purge makes up for it.
    pub async fn purge(&self) -> Result<usize, StoreUnavailable> {
        let inner = Arc::clone(&self.0);
        completed(async move { inner.purge().await }).await
    }

    /// Writes when sessions were last used. To be called once more before the process ends.
    ///
    /// # Errors
    /// The store is away; idle times then count from an earlier use.
    pub async fn flush(&self) -> Result<(), StoreUnavailable> {
        self.0.flush().await
    }

    /// Flushes and purges for ever; one task of the process runs it.
    pub async fn maintain(self) {
        let mut ticks = tokio::time::interval(FLUSH_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for tick in (0..FLUSHES_A_PURGE).cycle() {
            ticks.tick().await;
            let result = if tick == 0 { self.purge().await.map(drop) } else { self.flush().await };
            if let Err(error) = result {
                tracing::warn!(%error, "sessions could not be maintained; it is tried again");
            }
        }
    }
}

impl SessionsInner {
    pub(super) async fn purge(&self) -> Result<usize, StoreUnavailable> {
        self.flush().await?;
        let Some(upkeep) = self.store.upkeep() else { return Ok(0) };
        let criteria = self.purge_criteria(self.clock.now());
        let (mut total, mut pace) = (0, SweepPace::new());
        loop {
            // A few at a time, so that sign-ins and sign-outs run in between.
            let limit = mutant!(pace.limit(), "purge-in-one-go" => u32::MAX);
            let begun = Instant::now();
            let removed = upkeep.purge(PurgeCriteria { limit, ..criteria }).await?;
            pace = pace.after(begun.elapsed());
            if removed.is_empty() {
                break;
            }
            removed.iter().for_each(|family| self.forget_family(family, SessionEnd::Expired));
            self.notes.count(SessionEnd::Expired, removed.len());
            let expired = SessionEnd::Expired.into();
            removed.iter().for_each(|family| self.notes.record(family.root, None, &expired, None));
            total += removed.len();
        }
        while mutant!(upkeep.forget_ends(self.clock.now()).await?, "ends-remembered-for-ever" => false) {}
        while mutant!(upkeep.shrink().await?, "state-file-never-shrinks" => false) {}
        Ok(total)
    }

    /// The idle time is counted from what is written, which may lag behind what happened.
    fn purge_criteria(&self, now: Timestamp) -> PurgeCriteria {
        let before = |span: Duration| Timestamp::from_seconds(now.seconds().saturating_sub(span.as_secs()));
        PurgeCriteria {
            now,
            idle_since: before(self.lifetimes.idle() + 2 * self.lifetimes.interval()),
            created_before: before(self.lifetimes.max_age()),
            limit: SweepPace::new().limit(),
        }
    }

    pub(super) async fn flush(&self) -> Result<(), StoreUnavailable> {
        let mut flushed = Ok(());
        for (root, why) in self.families.awaiting_removal() {
            // One that the store cannot read keeps no other one waiting.
            flushed = flushed.and(self.remove_ended(root, why).await.map(drop));
        }
        match self.activity.drain() {
            noted if noted.is_empty() => flushed,
            noted => flushed.and(self.store.touch(noted).await),
        }
    }

    /// First from the cache, then for those who hold it: nobody can join the family in between.
    pub(super) fn forget_family(&self, family: &RemovedFamily, why: SessionEnd) {
        family.sessions.iter().for_each(|id| self.cache.forget(id));
        self.families.end(family.root, why);
    }
}
