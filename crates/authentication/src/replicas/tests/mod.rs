mod leases;
mod one_time;
mod redis;
mod shared_rates;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::session::SessionId;
use crate::storage::redis::testing::TestRedis;

/// An engine under test, and how time passes for it.
pub(super) struct Engine {
    pub(super) one_time: Arc<dyn OneTimeStore>,
    pub(super) leases: Arc<dyn LeaseStore>,
    clock: Option<Clock>,
    _redis: Option<TestRedis>,
}

impl Engine {
    /// Every engine: the suites hold for each of them.
    pub(super) async fn all() -> Vec<Self> {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let local = Arc::new(LocalStore::new(clock.clone()));
        let redis = TestRedis::start();
        let client = RedisClient::start(redis.settings(), &Handle::current()).unwrap();
        let shared = Arc::new(RedisShared::new(client));
        vec![
            Self { one_time: Arc::clone(&local) as _, leases: local, clock: Some(clock), _redis: None },
            Self { one_time: Arc::clone(&shared) as _, leases: shared, clock: None, _redis: Some(redis) },
        ]
    }

    /// Has time pass: by the clock of the tests, or by waiting where the engine's own tells it.
    pub(super) async fn pass(&self, span: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(span),
            None => tokio::time::sleep(span).await,
        }
    }
}
