//! What a session store does. Engines hold sealed records and learn nothing of what is in them.

use std::fmt;
use std::pin::Pin;

use super::{SessionId, StoreUnavailable};
use crate::clock::Timestamp;

/// A store's answer to come.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreUnavailable>> + Send + 'a>>;

/// SHA-256 of what a row is found by.
pub type Digest = [u8; 32];

/// One sign-in as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredFamily {
    /// The identifier of its root session.
    pub root: SessionId,
    /// The provider's configured name.
    pub provider: String,
    /// The digest of issuer and subject, by which a person's sign-ins can be found.
    pub subject: Digest,
    /// The digest of issuer and `sid`, by which the provider's own session can be found.
    pub provider_session: Option<Digest>,
    /// When the person signed in.
    pub created: Timestamp,
    /// When any of its sessions was last used, as far as written.
    pub last_seen: Timestamp,
    /// When it may be purged whatever happens.
    pub expires: Timestamp,
    /// Principal and tokens, sealed under the family's key.
    pub record: Vec<u8>,
}

/// One session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredSession {
    /// Its identifier.
    pub id: SessionId,
    /// The family it belongs to; its own identifier for a root.
    pub root: SessionId,
    /// The host whose cookie carries its key.
    pub host: String,
    /// When it was made.
    pub created: Timestamp,
    /// The family's key, sealed under this session's key.
    pub family_key: Vec<u8>,
}

/// What became of an insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Inserted {
    /// It is kept.
    Done,
    /// The root it should hang on is gone; nothing was written.
    RootGone,
}

/// A family that was removed, and the sessions that went with it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RemovedFamily {
    /// The identifier of its root session.
    pub root: SessionId,
    /// All its sessions, the root among them.
    pub sessions: Vec<SessionId>,
}

/// A use of a family that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Touch {
    /// The identifier of its root session.
    pub root: SessionId,
    /// When it was last used.
    pub at: Timestamp,
}

/// Which families a purge removes: those that are over by any of these three times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurgeCriteria {
    /// Families whose `expires` is not later than this.
    pub now: Timestamp,
    /// Families last seen not later than this.
    pub idle_since: Timestamp,
    /// Families signed in not later than this.
    pub created_before: Timestamp,
    /// At most so many, so that one purge does not hold the store up.
    pub limit: u32,
}

/// Where sessions outlive the process. Every operation is atomic.
///
/// # Errors
/// Each operation fails where the store is away, and has then changed nothing.
pub trait SessionStore: fmt::Debug + Send + Sync {
    /// Keeps a new family with its root session.
    fn insert_root(&self, family: StoredFamily, session: StoredSession) -> StoreFuture<'_, ()>;

    /// Keeps a further session of a family, unless that has ended meanwhile.
    fn insert_child(&self, session: StoredSession) -> StoreFuture<'_, Inserted>;

    /// The session `id` and its family.
    fn load(&self, id: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>>;

    /// Puts `record` in place of the family's; answers its sessions, none where it is gone.
    fn update_record(&self, root: SessionId, record: Vec<u8>) -> StoreFuture<'_, Vec<SessionId>>;

    /// Writes when families were used; never moves a time back, skips families that are gone.
    fn touch(&self, touches: Vec<Touch>) -> StoreFuture<'_, ()>;

    /// Removes the family that session `id` belongs to; `None` where there is none.
    fn remove_family(&self, id: SessionId) -> StoreFuture<'_, Option<RemovedFamily>>;

    /// Puts on record, in a way that works where [`SessionStore::remove_family`] does not, that the family of
    /// session `id` has ended.
    fn record_ending(&self, id: SessionId) -> StoreFuture<'_, ()>;

    /// What keeps the store in order, where that is this process's to do.
    fn upkeep(&self) -> Option<&dyn StoreUpkeep>;
}

/// What keeps a store in order: one process does it, and others that use the store leave it to that one.
pub trait StoreUpkeep: fmt::Debug + Send + Sync {
    /// The family of an ending on record ([`SessionStore::record_ending`]) is removed.
    fn forget_ending(&self, id: SessionId) -> StoreFuture<'_, ()>;

    /// Endings on record whose families an earlier process did not get removed.
    fn recorded_endings(&self) -> Vec<SessionId>;

    /// Removes families that are over, some at a time; answers which, none where none is left.
    fn purge(&self, expiry: PurgeCriteria) -> StoreFuture<'_, Vec<RemovedFamily>>;

    /// Gives a little of the room that removed families leave back to the disk; true while there is more.
    fn shrink(&self) -> StoreFuture<'_, bool>;
}
