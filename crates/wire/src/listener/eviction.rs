//! The connections of one worker, as far as one of them may have to give way to a newcomer.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::AbortHandle;

use super::ConnectionLimits;
use super::activity::Activity;

/// Connections that are looked at for one newcomer, so that it costs little where all of them are busy.
const LOOKED_AT: usize = 1024;

/// Ended ones that are kept beside as many living, before they are forgotten.
const ENDED: usize = 64;

/// A connection and the task that serves it.
#[derive(Debug)]
struct Candidate {
    task: AbortHandle,
    activity: Arc<Activity>,
}

/// The connections of one worker; those that were not looked at for longest stand first.
#[derive(Debug, Default)]
pub(super) struct Candidates(VecDeque<Candidate>);

impl Candidates {
    pub(super) fn add(&mut self, task: AbortHandle, activity: Arc<Activity>, living: usize) {
        // Now and then only, for this looks at all of them.
        if self.0.len() > 2 * living + ENDED {
            self.0.retain(|candidate| !candidate.task.is_finished());
        }
        self.0.push_back(Candidate { task, activity });
    }

    /// Closes a connection that nobody would miss (invariant 26); `false` where none of those looked at is one.
    pub(super) fn evict(&mut self, limits: &ConnectionLimits) -> bool {
        for _ in 0..self.0.len().min(LOOKED_AT) {
            let Some(candidate) = self.0.pop_front() else { break };
            if candidate.task.is_finished() {
                continue;
            }
            if candidate.activity.is_evictable(limits) {
                candidate.task.abort();
                return true;
            }
            self.0.push_back(candidate);
        }
        false
    }
}
