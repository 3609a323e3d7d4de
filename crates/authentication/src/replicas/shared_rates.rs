//! The rates of all replicas together, as long as the store of their counts answers.
//!
//! Who asks gets a decision, or the reason why there is none ([`CountedHere`]), and then counts in this process: no
//! request waits for the store longer than [`PATIENCE`], and after a failure nobody asks it for [`REST`], but one request
//! each time that is over. Whoever has been refused is refused until then without the store being asked again: until
//! then nobody can be let pass by that count, so that a flood costs the store one question an interval.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_events::{Part, PartWatch, Recorder};
use quick_cache::sync::Cache;
use tokio::time::timeout;

use super::{RateDigests, RateError, RateKey, RateStore};
use crate::clock::Clock;
use crate::limit::{Exceeded, RateAnswer, RateLimitState, RateQuestion};

/// How long a request waits for the store.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long the store is not asked after it has failed.
const REST: Duration = Duration::from_secs(1);
/// Refusals that are remembered at most.
const REFUSALS: usize = 10_000;
/// How often it is told at most that counts in the store make no sense.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Why a request is counted in this process alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedHere {
    /// The store has not answered in time.
    Slow,
    /// It does not answer, or has not a moment ago.
    Away,
    /// What it keeps under that name is no count.
    Nonsense,
}

impl CountedHere {
    /// The word for it in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Away => "away",
            Self::Nonsense => "nonsense",
        }
    }
}

/// Rates that a store counts for all replicas.
#[derive(Debug)]
pub struct SharedRates {
    store: Arc<dyn RateStore>,
    digests: RateDigests,
    clock: Clock,
    /// When the store is asked again, in nanoseconds of the monotonic clock; 0 where it answers.
    rests_until: AtomicU64,
    told_at: AtomicU64,
    /// Until when whoever is counted so is refused.
    refused: Cache<[u8; 32], Duration>,
    watch: PartWatch,
}

impl SharedRates {
    /// Rates counted in `store`, under names that `digests` makes.
    #[must_use]
    pub fn new(store: Arc<dyn RateStore>, digests: RateDigests, clock: Clock) -> Self {
        let (rests_until, told_at, refused) = (AtomicU64::new(0), AtomicU64::new(0), Cache::new(REFUSALS));
        let watch = PartWatch::new(Part::SharedCounts, "rates");
        Self { store, digests, clock, rests_until, told_at, refused, watch }
    }

    /// Tells `recorder` from now on when the store fails and when it answers again.
    pub fn record_to(&self, recorder: &Recorder) {
        self.watch.tell(recorder);
    }

    /// Counts a request by `questions`, which are those of one route (`scope`), and is the decision of all replicas.
    ///
    /// # Errors
    /// Where the store has not decided.
    pub async fn count(
        &self,
        scope: &str,
        questions: &[RateQuestion],
    ) -> Result<Result<RateLimitState, Exceeded>, CountedHere> {
        let keys: Vec<_> = questions.iter().map(|question| self.digests.key(scope, question)).collect();
        let asked = self.clock.monotonic();
        let Some((first, question)) = keys.first().zip(questions.first()) else {
            return Ok(Ok(RateLimitState::default()));
        };
        if let Some(wait) = self.refused_for(first, asked) {
            return Ok(question.tell(RateAnswer::Refused { wait }));
        }
        let digest = first.digest;
        let answers = self.ask(scope, keys).await?;
        let decision = decide(questions, &answers);
        let decision = decision.ok_or_else(|| self.nonsense("not an answer for each limit"))?;
        if let Some(RateAnswer::Refused { wait }) = answers.first() {
            // From before the question on: the store has refused later than that, so that nobody waits too long.
            self.refused.insert(digest, asked.saturating_add(*wait));
        }
        Ok(decision)
    }

    /// How much longer whoever is counted by `first` is refused without being counted. Not where another limit is asked
    /// before: that one counts a request whatever comes after it.
    fn refused_for(&self, first: &RateKey, now: Duration) -> Option<Duration> {
        let left = self.refused.get(&first.digest)?.checked_sub(now)?;
        (!left.is_zero()).then_some(left)
    }

    async fn ask(&self, scope: &str, keys: Vec<RateKey>) -> Result<Vec<RateAnswer>, CountedHere> {
        if mutant!(!self.may_ask(), "store-asked-though-it-rests" => false) {
            return Err(CountedHere::Away);
        }
        let counting = self.store.count(self.digests.scope(scope), keys);
        match timeout(PATIENCE, counting).await {
            Ok(Ok(answers)) => {
                self.answers();
                Ok(answers)
            }
            Ok(Err(RateError::Nonsense(what))) => {
                self.answers();
                Err(self.nonsense(&what))
            }
            Ok(Err(RateError::Away(error))) => Err(self.rest(CountedHere::Away, &error.to_string())),
            Err(_) => Err(self.rest(CountedHere::Slow, &format!("no answer within {PATIENCE:?}"))),
        }
    }

    /// Whether the store is asked; while it rests, by one request each time that a rest is over.
    fn may_ask(&self) -> bool {
        let until = self.rests_until.load(Ordering::Relaxed);
        let now = self.now();
        until == 0
            || (now >= until
                && self
                    .rests_until
                    .compare_exchange(until, now + nanos(REST), Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok())
    }

    fn answers(&self) {
        if self.rests_until.load(Ordering::Relaxed) != 0 && self.rests_until.swap(0, Ordering::Relaxed) != 0 {
            self.watch.back();
        }
    }

    fn rest(&self, why: CountedHere, error: &str) -> CountedHere {
        if self.rests_until.swap(self.now() + nanos(REST), Ordering::Relaxed) == 0 {
            self.watch.lost(format!("this gateway counts requests for itself: {error}"));
        }
        why
    }

    fn nonsense(&self, what: &str) -> CountedHere {
        let (now, told) = (self.now(), self.told_at.load(Ordering::Relaxed));
        let due = told == 0 || now >= told + nanos(TELL_EVERY);
        if due && self.told_at.compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            tracing::error!(
                what,
                "a shared count makes no sense: something else has written there; this gateway counts such requests \
                 for itself until that row is gone"
            );
        }
        CountedHere::Nonsense
    }

    /// At least 1, which is no rest.
    fn now(&self) -> u64 {
        nanos(self.clock.monotonic()).max(1)
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX / 2).min(u64::MAX / 2)
}

/// The decision of all limits: an answer for each of them, up to the first that refuses.
fn decide(questions: &[RateQuestion], answers: &[RateAnswer]) -> Option<Result<RateLimitState, Exceeded>> {
    let refused = answers.iter().position(|answer| matches!(answer, RateAnswer::Refused { .. }));
    let expected = refused.map_or(questions.len(), |at| at + 1);
    if answers.len() != expected || expected > questions.len() {
        return None;
    }
    let mut told = questions.iter().zip(answers).map(|(question, answer)| question.tell(*answer));
    Some(told.try_fold(RateLimitState::default(), |tightest, state| Ok(tightest.tighter(state?))))
}
