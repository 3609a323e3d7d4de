//! All sessions: found, made, changed, ended.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::FutureExt;
use portcullis_events::{Part, PartWatch};

use super::activity::TouchQueue;
use super::cache::{CacheVersion, SessionCache};
use super::card::Card;
use super::elsewhere::OTHERS;
use super::end_cause::EndCause;
use super::end_notes::EndNotes;
use super::ended::{SessionEnd, SessionEnded, StreamUse};
use super::family::{Families, Terms};
use super::lifetimes::Lifetimes;
use super::per_person::PersonBound;
use super::seal::Record;
use super::state_keys::StateKeys;
use super::{
    NewSession, RecordUpdate, RemovedFamily, Session, SessionError, SessionId, SessionKey, SessionSettings,
    SessionStore, StoreUnavailable, StoreUpkeep, Tokens,
};
use crate::clock::{Clock, Timestamp};
use crate::identity::Principal;
use crate::single_flight::SingleFlight;

pub(super) type SessionLookup = Result<Option<Arc<Session>>, StoreUnavailable>;

/// A session that somebody holds apart from the cache, and since when.
#[derive(Clone, Debug)]
pub struct CachedSession {
    session: Arc<Session>,
    version: CacheVersion,
}

/// All sessions: a cache in front of a store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions(pub(super) Arc<SessionsInner>);

pub(super) struct SessionsInner {
    pub(super) lifetimes: Arc<Lifetimes>,
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) clock: Clock,
    pub(super) cache: SessionCache,
    pub(super) families: Families,
    flights: SingleFlight<SessionId, SessionLookup>,
    pub(super) activity: Arc<TouchQueue>,
    pub(super) keys: StateKeys,
    pub(super) bound: PersonBound,
    pub(super) notes: EndNotes,
    /// Whoever ends many sign-ins does so a step at a time, in turns with others who do.
    pub(super) bulk: tokio::sync::Mutex<()>,
    /// Whether too long has passed since what other gateways end was heard.
    pub(super) unconfirmed: AtomicBool,
    /// Whether what other gateways end is heard.
    pub(super) others: PartWatch,
}

impl Sessions {
    /// Sessions kept in `store`, with cards under `keys`, without those whose end is on record there. Somebody must
    /// run [`Sessions::maintain`].
    #[must_use]
    pub fn new(
        settings: SessionSettings,
        store: Arc<dyn SessionStore>,
        keys: StateKeys,
        clock: Clock,
    ) -> Self {
        let ended = store.upkeep().map_or_else(Vec::new, StoreUpkeep::recorded_endings);
        let sessions = Self::without_endings(settings, store, keys, clock);
        ended.into_iter().for_each(|id| sessions.0.families.end_for_good(id, SessionEnd::SignedOut));
        sessions
    }

    fn without_endings(
        settings: SessionSettings,
        store: Arc<dyn SessionStore>,
        keys: StateKeys,
        clock: Clock,
    ) -> Self {
        let (lifetimes, activity) = (Arc::new(Lifetimes::new(&settings)), Arc::new(TouchQueue::new()));
        let terms = Terms {
            lifetimes: Arc::clone(&lifetimes),
            clock: clock.clone(),
            activity: Arc::clone(&activity),
        };
        Self(Arc::new(SessionsInner {
            lifetimes,
            bound: PersonBound::new(settings.max_per_person),
            notes: EndNotes::new(),
            bulk: tokio::sync::Mutex::default(),
            cache: SessionCache::new(settings.cache_capacity),
            families: Families::new(terms),
            flights: SingleFlight::new(),
            activity,
            keys,
            store,
            clock,
            unconfirmed: AtomicBool::new(false),
            others: PartWatch::new(Part::Store, OTHERS),
        }))
    }

    /// From now on all sessions live as `settings` say, those of before too: a reload that shortens their
    /// life ends the older ones at once, one that lengthens it lets those of before end when they were to. A person
    /// who holds more of them than `settings` allow keeps them until they sign in once more.
    pub fn set_lifetimes(&self, settings: &SessionSettings) {
        self.0.lifetimes.set(settings);
        self.0.bound.set(settings.max_per_person);
    }

    /// The living session of `key`, where it is in memory. The fast path: no wait, no allocation.
    #[must_use]
    pub fn cached(&self, key: &SessionKey) -> Option<Arc<Session>> {
        let session = self.0.cache.get(key.id())?;
        self.0.alive(session)
    }

    /// The same, for somebody who sees this key often.
    #[must_use]
    pub fn recalled(&self, key: &SessionKey) -> Option<CachedSession> {
        // Taken before the cache is asked: a change in between makes what is found void, and never passes unnoticed.
        let version = self.0.cache.version(key.id());
        Some(CachedSession { session: self.cached(key)?, version })
    }

    /// The session, if it lives and nothing of it has changed since: the end of a session, new tokens and new
    /// groups are seen at once, as in the cache (invariants 4 and 8).
    #[must_use]
    pub fn recall(&self, recalled: &CachedSession) -> Option<Arc<Session>> {
        let CachedSession { session, version } = recalled;
        let unchanged =
            mutant!(self.0.cache.version(&session.id) == *version, "recalled-in-spite-of-changes" => true);
        self.0.alive(unchanged.then(|| Arc::clone(session))?)
    }

    /// The living session of `key`; `None` where there is none, for whatever reason.
    ///
    /// Requests that ask for one session at once cost one question to the store. That a key opens nothing
    /// is not remembered: strangers fill no cache (invariant 14).
    ///
    /// # Errors
    /// The store is away; the answer is then 503, never a pass.
    pub async fn find(&self, key: &SessionKey) -> SessionLookup {
        if let Some(session) = self.cached(key) {
            return Ok(Some(session));
        }
        Ok(self.load(key).await?.and_then(|session| self.0.alive(session)))
    }

    /// What [`Sessions::find`] finds, for an exchange that goes on: to look is no use of the session, which else would
    /// never idle out while a stream of it is open.
    ///
    /// # Errors
    /// The store is away: nothing is known then.
    pub async fn present(&self, key: &SessionKey) -> SessionLookup {
        match self.0.cache.get(key.id()) {
            Some(session) => Ok(mutant!(self.0.living(session), "look-is-use" => self.0.alive(session))),
            None => self.load(key).await,
        }
    }

    async fn load(&self, key: &SessionKey) -> SessionLookup {
        let load = || {
            let (inner, key) = (Arc::clone(&self.0), key.clone());
            async move { inner.load(&key).await }.boxed()
        };
        self.0.flights.join(*key.id(), load).wait().await
    }

    /// The living session of `key` as the store has it now, whatever memory says: another replica may have renewed it.
    /// Where the store is away, memory keeps what it has.
    ///
    /// # Errors
    /// As [`Sessions::find`].
    pub async fn read_anew(&self, key: &SessionKey) -> SessionLookup {
        let before = self.0.cache.get(key.id());
        let now = self.0.load(key).await?;
        let same = now.as_ref().zip(before.as_ref()).is_some_and(|(now, before)| !now.is_newer_than(before));
        if !same {
            // Whoever holds the older one apart from the cache is told.
            self.0.cache.forget(key.id());
        }
        Ok(now)
    }

    /// Makes a session and the key for its cookie. After a sign-in the oldest ones of its person end, where there are
    /// more than one may hold.
    ///
    /// # Errors
    /// The store is away, or the family of a child has ended.
    pub async fn create(&self, new: NewSession) -> Result<(SessionKey, Arc<Session>), SessionError> {
        let made = self.make(new).await?;
        self.keep_to_bound(&made).await?;
        Ok(made)
    }

    async fn make(&self, new: NewSession) -> Result<(SessionKey, Arc<Session>), SessionError> {
        let key = SessionKey::random();
        let version = self.0.cache.version(key.id());
        let session = self.0.insert(&key, new).await?;
        match self.0.cache.keep(key.id(), version, || session) {
            Some(session) => Ok((key, session)),
            // Something changed meanwhile; the store knows whether it was this session.
            None => self.0.load(&key).await?.map(|session| (key, session)).ok_or(SessionError::Ended),
        }
    }

    /// Makes a session in place of the one of `old`, whose family ends unless the new one belongs to it:
    /// a key from before a sign-in opens nothing after it (session fixation).
    ///
    /// # Errors
    /// As [`Sessions::create`]; the new session is then taken back.
    pub async fn rotate(
        &self,
        old: &SessionKey,
        new: NewSession,
    ) -> Result<(SessionKey, Arc<Session>), SessionError> {
        let previous = self.find(old).await?;
        let (key, session) = self.make(new).await?;
        if previous.is_some_and(|previous| previous.family() == session.family()) {
            return Ok((key, session));
        }
        if let Err(error) = self.end(old.id()).await {
            drop(self.end(key.id()).await);
            return Err(error.into());
        }
        // Only now: what it replaces in its browser does not count beside it.
        let made = (key, session);
        self.keep_to_bound(&made).await?;
        Ok(made)
    }

    /// Puts new tokens, and a new principal where a refresh brought one (of the same subject), in place of
    /// those of the whole family, unless somebody else did so since `session` was read: then theirs stay. Answers
    /// the session as it is afterwards. Completes even where the caller goes away.
    ///
    /// # Errors
    /// The store is away, or the session has ended; nothing is changed then.
    pub async fn replace_tokens(
        &self,
        key: &SessionKey,
        session: &Session,
        tokens: Tokens,
        principal: Option<Arc<Principal>>,
    ) -> Result<Arc<Session>, SessionError> {
        if *key.id() != session.id {
            return Err(SessionError::Ended);
        }
        let renewed = if principal.is_some() { session.marks.stale_claims } else { 0 };
        let card = Card {
            principal: principal.unwrap_or_else(|| Arc::clone(&session.principal)),
            sid: session.sid.clone(),
            origin: session.origin.clone(),
            created: session.created,
            expires: session.expires,
            number: session.number,
        };
        let (read, record) = ((session.family(), session.version), Record { card, tokens });
        let update = self.0.update(read, &session.key, &record).ok_or_else(StoreUnavailable::unsealed)?;
        let update = RecordUpdate { renewed, ..update };
        let (inner, key) = (Arc::clone(&self.0), key.clone());
        completed(async move { inner.replace(&key, update).await }).await
    }

    /// Ends the family that session `id` belongs to because its person signs out, whatever the
    /// disk says: gone from memory, its streams cut, on record, removed from the store, or from there as soon as
    /// that works again. Give the identifier of the family where it is at hand. Completes even where the caller goes
    /// away. No such session is no error.
    ///
    /// # Errors
    /// Not even the record could be written: the session may come back when the gateway starts anew, and the
    /// person must be told.
    pub async fn end(&self, id: &SessionId) -> Result<(), StoreUnavailable> {
        self.end_because(id, SessionEnd::SignedOut).await
    }

    /// The same for another reason, which is what the record of a stream says that is cut by it.
    ///
    /// # Errors
    /// As [`Sessions::end`].
    pub async fn end_because(
        &self,
        id: &SessionId,
        cause: impl Into<EndCause>,
    ) -> Result<(), StoreUnavailable> {
        let (inner, id, cause) = (Arc::clone(&self.0), *id, cause.into());
        completed(async move { inner.end(id, &cause).await }).await
    }

    /// How many sign-ins have ended whose removal the store has not taken yet.
    #[must_use]
    pub fn endings_waiting(&self) -> usize {
        self.0.families.count_awaiting_removal()
    }

    /// Resolves when `session`, or the root it hangs on, has ended (also by [`Sessions::purge`]).
    #[must_use]
    pub fn ended(&self, session: &Arc<Session>) -> SessionEnded {
        session.ended(StreamUse::Unused)
    }

    #[cfg(test)]
    pub(super) fn questions_under_way(&self) -> usize {
        self.0.flights.len()
    }
}

impl SessionsInner {
    pub(super) fn alive(&self, session: Arc<Session>) -> Option<Arc<Session>> {
        let now = self.clock.now();
        let session = self.living_at(now, session)?;
        session.family.used(now);
        Some(session)
    }

    /// The same without a use of it.
    pub(super) fn living(&self, session: Arc<Session>) -> Option<Arc<Session>> {
        self.living_at(self.clock.now(), session)
    }

    fn living_at(&self, now: Timestamp, session: Arc<Session>) -> Option<Arc<Session>> {
        if !session.lives(now) {
            self.cache.forget(&session.id);
            return None;
        }
        Some(session)
    }

    async fn end(&self, id: SessionId, cause: &EndCause) -> Result<(), StoreUnavailable> {
        let why = cause.why;
        let known = self.cache.get(&id);
        let cut = known.as_ref().map(|session| self.families.open(&session.family()));
        let root = self.end_in_memory(id, why);
        self.notes.count(why, 1);
        self.notes.record(root, known.as_ref().map(|session| &*session.principal), cause, cut);
        // On record before the store is asked to remove it: where that fails, or the process ends meanwhile, the
        // next start still knows of the end.
        let recorded = mutant!(self.store.record_ending(root).await, "sign-out-not-on-record" => Ok(()));
        let Err(error) = self.remove_ended(root, why).await else { return Ok(()) };
        match &recorded {
            Ok(()) => tracing::warn!(session = %id, %error, "a session has ended; the store takes it later"),
            Err(record) => {
                tracing::error!(session = %id, %error, %record, "a session has ended only until the next start");
            }
        }
        recorded
    }

    /// Ends the family in memory, at once and for good, whatever comes of the rest. Returns its root, or `id` where
    /// that is not known.
    pub(super) fn end_in_memory(&self, id: SessionId, why: SessionEnd) -> SessionId {
        let root = self.cache.get(&id).map_or(id, |session| session.family());
        self.families.end_for_good(root, why);
        self.cache.forget(&id);
        root
    }

    /// Removes an ended family from the store, and with that everything that remembers its end. In this order: what
    /// remembers it goes only when the store has nothing left to bring back.
    pub(super) async fn remove_ended(
        &self,
        root: SessionId,
        why: SessionEnd,
    ) -> Result<Option<RemovedFamily>, StoreUnavailable> {
        let removed = self.store.remove_family(root, why).await?;
        removed.iter().for_each(|family| self.forget_family(family, why));
        self.families.removed(root);
        if let Some(upkeep) = self.store.upkeep() {
            upkeep.forget_ending(root).await?;
        }
        Ok(removed)
    }
}

/// Runs `work` as a task of its own: a client that hangs up between the store's change and the cache's
/// would leave an ended session alive in memory (invariant 8).
pub(super) async fn completed<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreUnavailable> + Send + 'static,
{
    tokio::spawn(work).await.unwrap_or_else(|error| Err(StoreUnavailable::new(error).into()))
}

impl std::fmt::Debug for SessionsInner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions")
            .field("lifetimes", &self.lifetimes)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
