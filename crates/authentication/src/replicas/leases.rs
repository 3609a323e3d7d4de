//! Leases: one replica at a time is at work on something, for as long as it says that it still is.
//!
//! A name is *free*, *held* by one holder, or *at rest*. It is held until its holder releases it, or has not renewed it
//! for [`SPAN`]: a process that dies holds nobody up for longer. A holder whose work has failed may have it rest, so
//! that the others do not try at once what has just failed. Nobody queues for a lease: who finds it held looks whether
//! what they wanted has been done meanwhile.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::secret::random_bytes;
use crate::session::{SessionId, StoreFuture, StoreUnavailable};

/// How long a lease lasts that is not renewed.
const SPAN: Duration = Duration::from_secs(10);

/// Random bits of who holds a lease: nobody releases or renews another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(pub [u8; 16]);

/// What became of [`LeaseStore::acquire`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The caller holds it now.
    Held,
    /// Somebody else does.
    Busy,
    /// Nobody may have it yet.
    Resting,
}

/// Where leases are kept. Every operation is atomic.
///
/// # Errors
/// Each operation fails where the store is away. Whether it has changed anything is then unknown.
pub trait LeaseStore: fmt::Debug + Send + Sync {
    /// Gives the lease to `holder` for `span`, where it is free.
    fn acquire(&self, name: SessionId, holder: Holder, span: Duration) -> StoreFuture<'_, Acquired>;

    /// Has it last `span` from now on, where `holder` holds it; whether that is so.
    fn renew(&self, name: SessionId, holder: Holder, span: Duration) -> StoreFuture<'_, bool>;

    /// Gives it up where `holder` holds it; with `rest`, nobody has it for so long.
    fn release(&self, name: SessionId, holder: Holder, rest: Option<Duration>) -> StoreFuture<'_, ()>;
}

/// All leases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Leases(Arc<dyn LeaseStore>);

/// One that is held. Who drops it without [`Lease::release`] holds it until its span is over.
#[derive(Debug)]
pub struct Lease {
    store: Arc<dyn LeaseStore>,
    name: SessionId,
    holder: Holder,
}

impl Leases {
    /// Leases kept in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn LeaseStore>) -> Self {
        Self(store)
    }

    /// Asks for the lease of `name`; the lease itself where it was free.
    ///
    /// # Errors
    /// The store is away: nobody knows who holds it.
    pub async fn acquire(&self, name: SessionId) -> Result<(Acquired, Option<Lease>), StoreUnavailable> {
        let holder = Holder(random_bytes());
        let acquired = self.0.acquire(name, holder, SPAN).await?;
        let lease = || Lease { store: Arc::clone(&self.0), name, holder };
        Ok((acquired, (acquired == Acquired::Held).then(lease)))
    }
}

impl Lease {
    /// Does `work`, and renews the lease until that is done. The work is not broken off where the lease is lost: it may
    /// have done what cannot be done twice.
    pub async fn hold<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let mut renewing = pin!(self.renew());
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = &mut renewing => {}
        }
        work.await
    }

    /// Gives it up; with `rest`, nobody has it for so long. Where the store is away, its span ends it.
    pub async fn release(self, rest: Option<Duration>) {
        if let Err(error) = self.store.release(self.name, self.holder, rest).await {
            tracing::debug!(%error, "a lease could not be given up; it ends by itself");
        }
    }

    /// Renews it again and again, until it is lost.
    async fn renew(&self) {
        loop {
            tokio::time::sleep(mutant!(SPAN / 3, "lease-not-renewed" => SPAN * 1000)).await;
            match self.store.renew(self.name, self.holder, SPAN).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(session = %self.name, "the lease of a refresh was lost while it was under way");
                    return;
                }
                Err(error) => tracing::warn!(session = %self.name, %error, "a lease could not be renewed"),
            }
        }
    }
}
