//! What a session store does. Engines hold sealed records and learn nothing of what is in them.

use std::fmt;
use std::pin::Pin;

use super::{SessionEnd, SessionId, StoreUnavailable};
use crate::clock::Timestamp;

/// A store's answer to come.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreUnavailable>> + Send + 'a>>;

/// What a row is found by: HMAC-SHA-256 under the gateway's key, or, in rows of versions before, SHA-256.
pub type Digest = [u8; 32];

/// What a family is found by.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FamilyDigests {
    /// Of issuer and subject.
    pub subject: Digest,
    /// Of the user name; `None` in rows of a version before that have not been used since.
    pub user: Option<Digest>,
    /// Of issuer and the provider's `sid`, where it gave one.
    pub provider_session: Option<Digest>,
    /// Of issuer and e-mail address; `None` where there is no address, and in rows of a version before that have not been
    /// used since.
    pub email: Option<Digest>,
}

/// What is asked of a family before anybody is let through by it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Marks {
    /// The person has to sign in anew, later than this.
    pub step_up_since: Option<Timestamp>,
    /// How often its claims were said to have changed since they were last renewed.
    pub stale_claims: u32,
}

/// What is noted of families.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Marking {
    /// Their roots.
    pub roots: Vec<SessionId>,
    /// What is asked of them from now on.
    pub mark: Mark,
}

/// What may be asked of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Mark {
    /// A sign-in later than this.
    StepUp(Timestamp),
    /// New claims.
    StaleClaims,
}

/// One sign-in as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredFamily {
    /// The identifier of its root session.
    pub root: SessionId,
    /// The provider's configured name.
    pub provider: String,
    /// What it is found by.
    pub digests: FamilyDigests,
    /// When the person signed in.
    pub created: Timestamp,
    /// When any of its sessions was last used, as far as written.
    pub last_seen: Timestamp,
    /// When it may be purged whatever happens.
    pub expires: Timestamp,
    /// How often its record has been replaced.
    pub version: u32,
    /// What is asked of it.
    pub marks: Marks,
    /// Principal and tokens, sealed under the family's key.
    pub record: Vec<u8>,
    /// Its [`Card`](super::Card), sealed under the gateway's key; `None` in rows of a version before that have not been
    /// used since.
    pub card: Option<Vec<u8>>,
    /// That of its root session. Not looked at where a family is inserted.
    #[serde(default)]
    pub binding: Option<StoredBinding>,
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
    /// The key of a device that it is bound to, where it is. Not looked at where a session is inserted.
    #[serde(default)]
    pub binding: Option<StoredBinding>,
}

/// A session's binding to a key of a device, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredBinding {
    /// How many proofs of the key have been accepted: what was made before the last one counts no more.
    pub version: u32,
    /// The key and what else counts of it, sealed under the gateway's key.
    pub record: Vec<u8>,
}

/// A binding for a session that has none.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewBinding {
    /// The session.
    pub session: SessionId,
    /// What hosts are counted by whose bindings a browser counts together.
    pub site: String,
    /// At most so many hosts of a site are bound in one family, that of the session among them.
    pub most: u32,
    /// As in [`StoredBinding`].
    pub record: Vec<u8>,
}

/// What became of a new binding.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Bound {
    /// It is kept; these are the sessions of the family.
    Done(Vec<SessionId>),
    /// The session has a binding, which stays.
    Already,
    /// As many hosts of the site are bound as may be; nothing was written.
    TooMany,
    /// There is no such session; nothing was written.
    Gone,
}

/// What became of an insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Inserted {
    /// It is kept.
    Done,
    /// Its subject, or its provider's session, has been ended since the sign-in began; nothing was written.
    EndedBefore,
}

/// Sessions of one family beside its root: so many on one host, and so many altogether. A browser keeps one of each host;
/// whoever asks for more (by a stolen cookie, or because it drops cookies) gets them in place of the oldest.
pub const CHILDREN_OF_A_HOST: u32 = 4;
/// See [`CHILDREN_OF_A_HOST`].
pub const CHILDREN: u32 = 256;

/// What became of a further session.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ChildInserted {
    /// It is kept; these sessions of its family gave way to it.
    Done(Vec<SessionId>),
    /// The root it should hang on is gone; nothing was written.
    RootGone,
}

/// A record in place of another.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecordUpdate {
    /// The family.
    pub root: SessionId,
    /// The version that was read before the record was made.
    pub version: u32,
    /// Principal and tokens, sealed.
    pub record: Vec<u8>,
    /// The card, sealed.
    pub card: Vec<u8>,
    /// What the family is found by.
    pub digests: FamilyDigests,
    /// The `stale_claims` that new claims answer; 0 where there are none. What was noted since stays noted.
    pub renewed: u32,
}

/// A card for a family that a version before had kept without.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LateCard {
    /// The family.
    pub root: SessionId,
    /// The card, sealed.
    pub card: Vec<u8>,
    /// What the family is found by.
    pub digests: FamilyDigests,
}

/// A sign-in that comes to its end, to be compared with the ends that are remembered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SignInUnderWay {
    /// When it began.
    pub began: Timestamp,
    /// Of its subject and its provider's session, under every key.
    pub digests: Vec<Digest>,
}

/// What became of an update.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Updated {
    /// It is kept; these are the family's sessions.
    Done(Vec<SessionId>),
    /// Somebody else has replaced the record since it was read; nothing was written.
    Stale,
    /// There is no such family; nothing was written.
    Gone,
}

/// Which families are looked for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum StoredSelector {
    /// All of them.
    All,
    /// Whose root, or one of whose sessions, has an identifier from the first up to and including the last.
    Ids(SessionId, SessionId),
    /// Of this subject, by any of these digests.
    Subject(Vec<Digest>),
    /// Of this user name, by any of these digests.
    User(Vec<Digest>),
    /// Of this session of a provider, by any of these digests.
    ProviderSession(Vec<Digest>),
    /// Of this e-mail address at an issuer, by any of these digests.
    Email(Vec<Digest>),
    /// Of the provider of this name.
    Provider(String),
    /// With a session on this host.
    Host(String),
}

/// A family as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredOverview {
    /// Its root.
    pub root: SessionId,
    /// The provider's configured name.
    pub provider: String,
    /// When the person signed in.
    pub created: Timestamp,
    /// When any of its sessions was last used, as far as written.
    pub last_seen: Timestamp,
    /// When it ends whatever happens.
    pub expires: Timestamp,
    /// As in [`StoredFamily`].
    pub card: Option<Vec<u8>>,
    /// Its sessions and their hosts.
    pub sessions: Vec<(SessionId, String)>,
    /// Those of them that are bound to a device.
    #[serde(default)]
    pub bound: Vec<SessionId>,
}

/// That subjects or sessions of providers have been ended, for sign-ins that were under way.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RememberedEnd {
    /// Whose, by any of these digests.
    pub digests: Vec<Digest>,
    /// Sign-ins that began no later than this make no session.
    pub since: Timestamp,
    /// It may be forgotten then.
    pub until: Timestamp,
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
    /// Keeps a new family with its root session, unless an end is remembered ([`SessionStore::remember_end`]) by one of
    /// the digests of the sign-in that is not before it began.
    fn insert_root(
        &self,
        family: StoredFamily,
        session: StoredSession,
        sign_in: SignInUnderWay,
    ) -> StoreFuture<'_, Inserted>;

    /// Keeps a further session of a family, unless that has ended meanwhile; in place of the oldest ones where there are
    /// [`CHILDREN_OF_A_HOST`] of its host, or [`CHILDREN`].
    fn insert_child(&self, session: StoredSession) -> StoreFuture<'_, ChildInserted>;

    /// The session `id` and its family.
    fn load(&self, id: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>>;

    /// Puts a record in place of the family's, unless somebody else did so since that was read: a refresh that is late
    /// never overwrites a newer one.
    fn update_record(&self, update: RecordUpdate) -> StoreFuture<'_, Updated>;

    /// Asks something of families from now on: of two times to sign in after, the later one counts, and claims are stale once
    /// more. Answers all sessions of those that are there.
    fn mark(&self, marking: Marking) -> StoreFuture<'_, Vec<SessionId>>;

    /// Adds a card where there is none, and what the family is found by where its e-mail address is missing among that. It
    /// is no new version: whoever renews the tokens meanwhile is not late.
    fn add_card(&self, card: LateCard) -> StoreFuture<'_, ()>;

    /// Binds a session that is not bound to a key of a device, in a row of its own: who renews tokens meanwhile and who
    /// binds never overwrite one another.
    fn bind(&self, binding: NewBinding) -> StoreFuture<'_, Bound>;

    /// Counts a proof of the key that `session` is bound to, which was made for this version of its binding. False where
    /// another one was counted meanwhile, or the session is gone: nothing was written.
    fn count_proof(&self, session: SessionId, version: u32) -> StoreFuture<'_, bool>;

    /// Writes when families were used; never moves a time back, skips families that are gone.
    fn touch(&self, touches: Vec<Touch>) -> StoreFuture<'_, ()>;

    /// Removes the family that session `id` belongs to; `None` where there is none. Other gateways that share the store
    /// are told `why`.
    fn remove_family(&self, id: SessionId, why: SessionEnd) -> StoreFuture<'_, Option<RemovedFamily>>;

    /// Removes these families and answers those that were there, with all sessions that went; tells as
    /// [`SessionStore::remove_family`] does.
    fn remove_families(&self, roots: Vec<SessionId>, why: SessionEnd) -> StoreFuture<'_, Vec<RemovedFamily>>;

    /// Families, in the order of their roots, behind `after` where it is given; at most `limit`.
    fn find(
        &self,
        selector: StoredSelector,
        after: Option<SessionId>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<StoredOverview>>;

    /// Keeps in mind that somebody has been ended, for sign-ins that were under way.
    fn remember_end(&self, end: RememberedEnd) -> StoreFuture<'_, ()>;

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

    /// Forgets ends that need not be remembered at `now`, some at a time; true while there may be more.
    fn forget_ends(&self, now: Timestamp) -> StoreFuture<'_, bool>;

    /// Gives a little of the room that removed families leave back to the disk; true while there is more.
    fn shrink(&self) -> StoreFuture<'_, bool>;
}
