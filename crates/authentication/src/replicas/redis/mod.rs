//! The engine of replicas that share a Redis or Valkey. Each operation is one script on one key, or on keys of one slot.
//!
//! The client tries again where an answer was lost, so that a script may run twice: each says the second time what it
//! said the first, for it knows the caller by random bits. Only a count may count twice, which is stricter.

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{
    Acquired, Holder, LeaseStore, OneTimeName, OneTimeStore, Put, RateError, RateFuture, RateKey, RateStore,
};
use crate::limit::RateAnswer;
use crate::secret::random_bytes;
use crate::session::{SessionId, StoreFuture, StoreUnavailable};
use crate::storage::redis::{COMMAND, RedisClient, RedisError, Script};

static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("put.lua")));
static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));
static ACQUIRE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("acquire.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renew.lua")));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("release.lua")));
pub(super) static COUNT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("count.lua")));

/// How long whoever has taken something is answered the same: the client's own attempts, and some.
const TAKEN: Duration = Duration::from_secs(2 * COMMAND.as_secs());

/// What becomes of a value where another one is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occupied {
    Stays,
    Goes,
}

/// What replicas share, in Redis. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RedisShared(RedisClient);

impl RedisShared {
    /// What is shared by all that use the same namespace of the same Redis.
    #[must_use]
    pub const fn new(client: RedisClient) -> Self {
        Self(client)
    }

    fn one_time(&self, name: OneTimeName) -> String {
        self.0.key(&format!("{}:{}", name.kind.as_str(), URL_SAFE_NO_PAD.encode(name.digest)))
    }

    /// What is there and stays.
    async fn keep(
        &self,
        name: OneTimeName,
        value: &[u8],
        span: Duration,
        occupied: Occupied,
    ) -> Result<Option<Vec<u8>>, RedisError> {
        let index = self.0.key(&format!("{}s", name.kind.as_str()));
        let mut put = PUT.key(self.one_time(name));
        put.key(index).arg(&random_bytes::<16>()[..]).arg(value).arg(millis(span)).arg(name.kind.most());
        self.0.run(put.arg(u8::from(occupied == Occupied::Goes))).await
    }

    fn lease(&self, name: SessionId) -> String {
        self.0.key(&format!("lease:{}", URL_SAFE_NO_PAD.encode(name.as_bytes())))
    }

    /// The keys of counts that one script asks. Those of a single limit are spread over all servers of a Cluster; where
    /// a route has several, their counts stand together.
    fn counts(&self, of_one: [u8; 32], keys: &[RateKey]) -> Vec<String> {
        let settings = self.0.settings();
        match keys {
            [key] => vec![settings.rate_key(&short(&key.digest))],
            several => {
                let tag = settings.rate_key(&short(&of_one));
                several.iter().map(|key| format!("{tag}:{}", short(&key.digest))).collect()
            }
        }
    }

    async fn count_now(&self, of_one: [u8; 32], keys: Vec<RateKey>) -> Result<Vec<RateAnswer>, RateError> {
        let mut script = COUNT.prepare_invoke();
        self.counts(of_one, &keys).into_iter().for_each(|key| _ = script.key(key));
        keys.iter().for_each(|key| _ = script.arg(micros(key.interval)).arg(key.burst));
        let answers: Vec<i64> = self.0.run(&script).await?;
        Ok(answers.into_iter().map(answer).collect())
    }
}

/// 128 bits of a digest under a secret key: nobody can search for two that are alike.
fn short(digest: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(&digest[..16])
}

/// Whole microseconds, rounded up: a rate becomes stricter by it, never laxer. At most 146 years, as limits have it.
fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

pub(super) fn answer(told: i64) -> RateAnswer {
    match u32::try_from(told) {
        Ok(left) => RateAnswer::Admitted { left },
        Err(_) if told < 0 => RateAnswer::Refused { wait: Duration::from_micros(told.unsigned_abs()) },
        Err(_) => RateAnswer::Admitted { left: u32::MAX },
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1)
}

impl From<RedisError> for StoreUnavailable {
    fn from(error: RedisError) -> Self {
        Self::new(error)
    }
}

impl From<RedisError> for RateError {
    fn from(error: RedisError) -> Self {
        match error {
            RedisError::Unreadable { cause, .. } => Self::Nonsense(cause.to_string()),
            RedisError::Away { .. }
            | RedisError::Late { .. }
            | RedisError::Login { .. }
            | RedisError::Refused { .. }
            | RedisError::Full { .. }
            | RedisError::Failed { .. } => Self::Away(error.into()),
        }
    }
}

impl OneTimeStore for RedisShared {
    fn put(&self, name: OneTimeName, value: Vec<u8>, span: Duration) -> StoreFuture<'_, Put> {
        Box::pin(async move {
            let kept = self.keep(name, &value, span, Occupied::Stays).await?;
            Ok(kept.map_or(Put::Kept, Put::Occupied))
        })
    }

    fn replace(&self, name: OneTimeName, value: Vec<u8>, span: Duration) -> StoreFuture<'_, ()> {
        Box::pin(async move { Ok(self.keep(name, &value, span, Occupied::Goes).await.map(drop)?) })
    }

    fn take(&self, name: OneTimeName) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let (key, who) = (self.one_time(name), random_bytes::<16>());
            Ok(self.0.run(TAKE.key(key).arg(&who[..]).arg(millis(TAKEN))).await?)
        })
    }
}

impl LeaseStore for RedisShared {
    fn acquire(&self, name: SessionId, holder: Holder, span: Duration) -> StoreFuture<'_, Acquired> {
        Box::pin(async move {
            let script = &mut ACQUIRE.key(self.lease(name));
            Ok(match self.0.run(script.arg(&holder.0[..]).arg(millis(span))).await? {
                1_u8 => Acquired::Held,
                2 => Acquired::Resting,
                _ => Acquired::Busy,
            })
        })
    }

    fn renew(&self, name: SessionId, holder: Holder, span: Duration) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let script = &mut RENEW.key(self.lease(name));
            Ok(self.0.run(script.arg(&holder.0[..]).arg(millis(span))).await?)
        })
    }

    fn release(&self, name: SessionId, holder: Holder, rest: Option<Duration>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let script = &mut RELEASE.key(self.lease(name));
            let script = script.arg(&holder.0[..]).arg(rest.map_or(0, millis));
            Ok(self.0.run::<u8>(script).await.map(drop)?)
        })
    }
}

impl RateStore for RedisShared {
    fn count(&self, of_one: [u8; 32], keys: Vec<RateKey>) -> RateFuture<'_> {
        Box::pin(self.count_now(of_one, keys))
    }
}
