//! How many replicas the server has, for ends that are to be on one of them before they count as kept.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::storage::redis::{Cmd, RedisClient, Value, cmd, replicas};

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(5);

/// How long an end waits for a replica, in milliseconds.
const PATIENCE_MS: u64 = 250;

#[derive(Debug, Default)]
pub(super) struct Replicas(Mutex<Option<(Instant, usize)>>);

impl Replicas {
    /// The command that waits for one replica; `None` where there is none.
    pub(super) async fn wait(&self, client: &RedisClient, key: &str) -> Option<Cmd> {
        let any = self.count(client, key).await > 0;
        any.then(|| cmd("WAIT").arg(1).arg(PATIENCE_MS).take())
    }

    async fn count(&self, client: &RedisClient, key: &str) -> usize {
        if let Some(count) = self.believed() {
            return count;
        }
        // Where it cannot be asked, nothing is waited for: the end itself says whether the server is there.
        let role: Result<Vec<Value>, _> = client.command_at(key, &cmd("ROLE")).await;
        let count = role.map_or(0, |role| replicas(&role));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), count));
        count
    }

    fn believed(&self) -> Option<usize> {
        let asked = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.filter(|(at, _)| at.elapsed() < BELIEVED).map(|(_, count)| count)
    }
}
