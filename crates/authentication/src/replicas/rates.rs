//! Counts of requests that all replicas share.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use aws_lc_rs::hmac;

use super::RateError;
use crate::limit::{RateAnswer, RateQuestion};
use crate::secret::KeyRing;

const RATES: &[u8] = b"portcullis state 1: rates";

/// A store's answers to come.
pub type RateFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<RateAnswer>, RateError>> + Send + 'a>>;

/// One count: whose, and by which rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RateKey {
    /// Under the gateway's key: the store learns no address and no name (invariant 15).
    pub digest: [u8; 32],
    /// The time between two requests of the rate.
    pub interval: Duration,
    /// The requests that may come at once.
    pub burst: u32,
}

/// Counts of requests by the generic cell rate algorithm, for all replicas.
///
/// Time is the store's own. A count whose key is at rest is forgotten.
pub trait RateStore: fmt::Debug + Send + Sync {
    /// Counts a request by each of `keys` in turn, up to the first that refuses it, which does not count it; in one
    /// round trip. `of_one` is the same for all requests that are counted by several keys together: where the store is
    /// spread over servers, it names the one that has them.
    ///
    /// # Errors
    /// Where it has not answered, or answers what is no count. Whether it has counted is then unknown.
    fn count(&self, of_one: [u8; 32], keys: Vec<RateKey>) -> RateFuture<'_>;
}

/// Makes what counts are kept under.
#[derive(Clone)]
pub struct RateDigests(hmac::Key);

impl RateDigests {
    /// Those that follow from the first of `secrets`: where that one changes, counts begin anew. `None` as of
    /// [`KeyRing::derive`].
    #[must_use]
    pub fn derive<S: AsRef<[u8]>>(secrets: &[S]) -> Option<Self> {
        let ring = KeyRing::derive(secrets, RATES)?;
        let key = ring.keys().next().map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
        key.map(Self)
    }

    /// What the count of `question` on the route called `scope` is kept under.
    pub(super) fn key(&self, scope: &str, question: &RateQuestion) -> RateKey {
        let digest = self.digest(scope, question.counted());
        RateKey { digest, interval: question.interval(), burst: question.burst() }
    }

    /// What all counts of `scope` have in common.
    pub(super) fn scope(&self, scope: &str) -> [u8; 32] {
        self.digest(scope, b"")
    }

    fn digest(&self, scope: &str, counted: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(scope.len() as u64).to_be_bytes());
        context.update(scope.as_bytes());
        context.update(counted);
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}

impl fmt::Debug for RateDigests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RateDigests(…)")
    }
}
