//! Where sessions, and what is shared beside them, are kept: on this machine, or in the Redis that gateways share.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::config::Settings;
use crate::events::Recorder;
use crate::replicas::{RateDigests, SharedHeads, SharedState};
use crate::session::{EmbeddedStore, RedisSessions, Replica, SessionStore};
use crate::storage::redis::{RedisClient, RedisError};
use crate::storage::{Database, ServerKeys, StorageError};

/// How long a start waits for Redis: long enough for machines that begin together.
const PATIENCE: Duration = Duration::from_secs(15);

/// How a session store is made over the state file of this process.
#[derive(Clone, Debug)]
pub(super) enum SessionEngine {
    Embedded,
    Redis(RedisSessions),
}

impl SessionEngine {
    /// Tells `recorder` from now on when the store is lost, and when it is back.
    pub(super) fn record_to(&self, recorder: &Recorder) {
        if let Self::Redis(sessions) = self {
            sessions.client().health().record_to(recorder);
        }
    }

    /// The one that the settings name, once it answers; with a place among those that share it, where it is shared.
    pub(super) async fn start(settings: &Settings) -> Result<(Self, Option<Replica>), RedisError> {
        let Some(redis) = &settings.redis else { return Ok((Self::Embedded, None)) };
        let client = RedisClient::start(redis.clone(), &Handle::current())?;
        client.ready(PATIENCE).await?;
        let sessions = RedisSessions::new(client);
        let replica = sessions.join().await?;
        sessions.client().health().start();
        tracing::info!(store = %sessions.client().name(), "sessions are shared with other gateways");
        Ok((Self::Redis(sessions), Some(replica)))
    }

    pub(super) fn store(&self, own: Database) -> Arc<dyn SessionStore> {
        match self {
            Self::Embedded => Arc::new(EmbeddedStore::new(own)),
            Self::Redis(sessions) => Arc::new(sessions.store(own)),
        }
    }

    /// What is shared beside sessions. `None` where no key can be derived from `secrets`.
    pub(super) fn replicas<S: AsRef<[u8]>>(&self, secrets: &[S], clock: &Clock) -> Option<SharedState> {
        match self {
            Self::Embedded => Some(SharedState::local(clock.clone())),
            Self::Redis(sessions) => {
                let digests = RateDigests::derive(secrets)?;
                Some(SharedState::in_redis(sessions.client().clone(), digests, clock.clone()))
            }
        }
    }

    /// What gateways tell one another of their records; none where this one is alone.
    pub(super) fn heads<S: AsRef<[u8]>>(&self, secrets: &[S]) -> Option<SharedHeads> {
        match self {
            Self::Embedded => None,
            Self::Redis(sessions) => SharedHeads::derive(sessions.client().clone(), secrets),
        }
    }

    /// The gateway's own keys: shared where sessions are, for what one gateway has sealed another opens.
    pub(super) fn keys<S: AsRef<[u8]>>(
        &self,
        own: &Database,
        secrets: &[S],
    ) -> Result<ServerKeys, StorageError> {
        match self {
            Self::Embedded => Ok(ServerKeys::new(own.clone(), secrets)),
            Self::Redis(sessions) => ServerKeys::shared(sessions.client().clone(), secrets),
        }
    }
}
