//! The keys that sign assertions take turns. The next one is published for an hour before it signs, so that every app and
//! every gateway with the same state knows it by then; the last one stays published for a day after its turn.
//!
//! They are kept with the gateway's other keys, under one name, and changed by compare and set: of several gateways that
//! find a rotation due at once one adds a key, and the others find it at their next look, a minute later at most.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use zeroize::{Zeroize, Zeroizing};

use crate::clock::{Clock, Timestamp};
use crate::events::{KeyPublished, KeyRotated, Recorder};
use crate::forward::{
    ASSERTION_LIFETIME, Asserter, AssertionKey, AssertionKeyError, JWKS_MAX_AGE, ScheduledKey,
};
use crate::operate::{NextAssertionKey, RotationRequest};
use crate::storage::{ServerKeys, StorageError, WeakServerKeys};

/// What they are kept under. Versions before kept one key, for ever, under the second name.
const KEPT: &str = "assertion-keys";
const ONLY: &str = "assertion";

/// How long a key is published before it signs.
const LEAD: Duration = Duration::from_secs(3600);
/// How long a key stays published after its turn: a gateway that another one has taken over from, and that drains, may
/// still sign with it.
const KEPT_PUBLISHED: Duration = Duration::from_secs(24 * 3600);
/// How often a gateway looks whether another one has added a key.
const LOOK_EVERY: Duration = Duration::from_secs(60);

// An app that fetched the keys just before a gateway learned of a new one fetches them again before that one signs, by
// any clock that is half an hour off.
const _: () = assert!(LEAD.as_secs() >= JWKS_MAX_AGE.as_secs() + 2 * LOOK_EVERY.as_secs() + 1800);
const _: () = assert!(KEPT_PUBLISHED.as_secs() >= ASSERTION_LIFETIME.as_secs() + 1800);

/// Why the keys cannot be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum AssertionKeysError {
    /// The state file cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What is kept is no key.
    #[error(transparent)]
    Key(#[from] AssertionKeyError),
    /// What is kept is no document.
    #[error("what is kept as the assertion keys cannot be read: {0}")]
    Document(#[from] serde_json::Error),
    /// What is kept of a key is no base64.
    #[error("what is kept as an assertion key is no base64: {0}")]
    Encoding(#[from] base64::DecodeError),
}

/// The keys in the order of their turns, as they are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Schedule {
    keys: Vec<KeptKey>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptKey {
    /// PKCS #8 in base64.
    key: String,
    signs_from: Timestamp,
}

impl std::fmt::Debug for KeptKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptKey").field("signs_from", &self.signs_from).finish_non_exhaustive()
    }
}

impl Drop for KeptKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl KeptKey {
    fn new(pkcs8: &[u8], signs_from: Timestamp) -> Self {
        Self { key: STANDARD.encode(pkcs8), signs_from }
    }

    fn read(&self) -> Result<ScheduledKey, AssertionKeysError> {
        let pkcs8 = Zeroizing::new(STANDARD.decode(self.key.as_bytes())?);
        Ok(ScheduledKey { key: AssertionKey::from_pkcs8(&pkcs8)?, signs_from: self.signs_from })
    }
}

impl Schedule {
    fn read(kept: &[u8]) -> Result<Self, AssertionKeysError> {
        Ok(serde_json::from_slice(kept)?)
    }

    fn written(&self) -> Result<Zeroizing<Vec<u8>>, AssertionKeysError> {
        Ok(Zeroizing::new(serde_json::to_vec(self)?))
    }

    /// The key whose turn is still to come.
    fn next(&self, now: Timestamp) -> Option<&KeptKey> {
        self.keys.last().filter(|key| key.signs_from > now)
    }

    /// Whether the next key is to be added, so that each signs for `every`.
    fn is_due(&self, now: Timestamp, every: Duration) -> bool {
        self.keys.last().is_none_or(|key| now + LEAD >= key.signs_from + every)
    }

    /// Without those whose turn has been over for long enough.
    fn pruned(mut self, now: Timestamp) -> Self {
        let over = |successor: &KeptKey| successor.signs_from + KEPT_PUBLISHED <= now;
        let gone = self.keys.iter().skip(1).take_while(|key| over(key)).count();
        self.keys.drain(..gone);
        self
    }
}

/// A key that is published and does not sign yet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NextKey {
    kid: String,
    signs_from: Timestamp,
}

/// Keeps the keys of one gateway's assertions.
#[derive(Debug)]
pub(super) struct AssertionKeys {
    keys: WeakServerKeys,
    asserter: Arc<Asserter>,
    clock: Clock,
    turns: watch::Sender<KeyTurns>,
    recorder: Recorder,
    /// The key that signs, as it was last seen.
    signs: Mutex<Option<String>>,
}

/// The name of each published key, and from when on it signs.
pub(super) type KeyTurns = Vec<(String, Timestamp)>;

impl AssertionKeys {
    /// With the keys that are kept, or a first one. An asserter that signs as `issuer` follows them.
    ///
    /// # Errors
    /// Where they cannot be read, or none can be kept.
    pub(super) async fn open(
        keys: &ServerKeys,
        issuer: &str,
        clock: &Clock,
    ) -> Result<Self, AssertionKeysError> {
        let first = AssertionKey::from_pkcs8(&keys.load_or_create_with(ONLY, generate).await?)?;
        let asserter = Arc::new(Asserter::new(issuer, first, clock.clone()));
        let turns = watch::Sender::default();
        let (recorder, signs) = (Recorder::nowhere(), Mutex::default());
        let this = Self { keys: keys.downgrade(), asserter, clock: clock.clone(), turns, recorder, signs };
        this.look(keys, |_| false, None).await?;
        Ok(this)
    }

    /// Tells `recorder` from now on of keys that are published and that begin to sign.
    pub(super) fn recorded_by(self, recorder: Recorder) -> Self {
        Self { recorder, ..self }
    }

    /// What signs.
    pub(super) fn asserter(&self) -> Arc<Asserter> {
        Arc::clone(&self.asserter)
    }

    /// Whose turn it is, was and will be.
    pub(super) fn turns(&self) -> watch::Receiver<KeyTurns> {
        self.turns.subscribe()
    }

    /// Adds a key whenever one has signed for `every`, and whenever an operator says so, until the state file is closed.
    pub(super) async fn run(
        self,
        every: watch::Receiver<Duration>,
        mut asked: mpsc::Receiver<RotationRequest>,
    ) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let answer = tokio::select! {
                _ = ticks.tick() => None,
                Some(answer) = asked.recv() => Some(answer),
            };
            let Some(keys) = self.keys.upgrade() else { return };
            let (now, period) = (self.clock.now(), *every.borrow());
            let asked = answer.is_some();
            let wanted = |schedule: &Schedule| match asked {
                true => schedule.next(now).is_none(),
                false => schedule.is_due(now, period),
            };
            let by = answer.as_ref().map(|asked| asked.by.as_str());
            let next = self.look(&keys, wanted, by).await;
            if let Err(error) = &next {
                tracing::warn!(%error, "the keys that sign assertions could not be looked after; it is tried again");
            }
            if let Some(RotationRequest { answer, .. }) = answer {
                let none = || "another gateway is changing the keys; try again".to_owned();
                let next = next.map_err(|error| error.to_string()).and_then(|next| next.ok_or_else(none));
                let next = next
                    .map(|next| NextAssertionKey { kid: next.kid, signs_from: next.signs_from.rfc3339() });
                let _ = answer.send(next); // an error: nobody waits any more
            }
        }
    }

    /// Follows what is kept, with one key more where that is `wanted`, `by` an operator where one asks for it. Answers the
    /// key whose turn is still to come.
    async fn look(
        &self,
        keys: &ServerKeys,
        wanted: impl FnOnce(&Schedule) -> bool,
        by: Option<&str>,
    ) -> Result<Option<NextKey>, AssertionKeysError> {
        let now = self.clock.now();
        let mut kept = keys.load(KEPT).await?;
        let before = match &kept {
            Some(kept) => Schedule::read(kept)?,
            None => Schedule::default(),
        };
        let mut after = before.clone().pruned(now);
        if before.keys.is_empty() {
            // The one of a version before goes on, and has its whole time.
            after.keys.push(KeptKey::new(&keys.load_or_create_with(ONLY, generate).await?, now));
        } else if wanted(&before) {
            let signs_from = mutant!(now + LEAD, "next-key-signs-at-once" => now);
            after.keys.push(KeptKey::new(AssertionKey::generate()?.pkcs8(), signs_from));
        }
        if after != before && !keys.replace(KEPT, kept, after.written()?).await? {
            // Somebody else was first: theirs are what all sign with.
            kept = keys.load(KEPT).await?;
            after = kept.map_or_else(|| Ok(Schedule::default()), |kept| Schedule::read(&kept))?;
        }
        let scheduled: Vec<_> = after.keys.iter().map(KeptKey::read).collect::<Result<_, _>>()?;
        let next = scheduled.last().filter(|key| key.signs_from > now);
        let next = next.map(|next| NextKey { kid: next.key.kid().to_owned(), signs_from: next.signs_from });
        if let Some(next) = next.as_ref().filter(|_| after.keys.len() > before.keys.len()) {
            let signs_from = Some(micros(next.signs_from));
            self.recorder.emit(&KeyPublished { key: &next.kid, signs_from, by });
        }
        self.tell_rotation(&scheduled, now);
        let turns = scheduled.iter().map(|key| (key.key.kid().to_owned(), key.signs_from)).collect();
        self.turns.send_replace(turns);
        self.asserter.follow(scheduled);
        Ok(next)
    }

    /// Tells of the key that signs where it was another one before.
    fn tell_rotation(&self, scheduled: &[ScheduledKey], now: Timestamp) {
        let Some(signs) = scheduled.iter().rfind(|key| key.signs_from <= now) else { return };
        let kid = signs.key.kid();
        let before = self.signs.lock().unwrap_or_else(PoisonError::into_inner).replace(kid.to_owned());
        if before.is_some_and(|before| before != kid) {
            let signs_from = Some(micros(signs.signs_from));
            self.recorder.emit(&KeyRotated { key: kid, signs_from, by: None });
        }
    }
}

/// Microseconds since 1970.
const fn micros(at: Timestamp) -> u64 {
    at.seconds().saturating_mul(1_000_000)
}

fn generate() -> Zeroizing<Vec<u8>> {
    // Without randomness there is no key: an empty one is refused when it is read, and the gateway does not start.
    Zeroizing::new(AssertionKey::generate().map(|key| key.pkcs8().to_vec()).unwrap_or_default())
}

#[cfg(test)]
mod tests;
