//! All sessions: found, made, changed, ended.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::MissedTickBehavior;

use super::activity::{Activity, interval};
use super::cache::SessionCache;
use super::error::Fault;
use super::family::{Families, SessionEnded};
use super::flight::Flights;
use super::seal::{FamilyKey, Record, digest_at};
use super::{
    Expiry, Inserted, NewSession, RemovedFamily, Session, SessionError, SessionId, SessionKey,
    SessionSettings, SessionStore, StoreUnavailable, StoredFamily, StoredSession, Tokens, Touch,
};
use crate::clock::{Clock, Timestamp};
use crate::identity::Principal;

/// How often what requests noted is written.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// Flushes between two purges.
const FLUSHES_A_PURGE: u32 = 12;
/// Families removed in one transaction.
const PURGED_AT_ONCE: u32 = 500;
/// How often a session is read again because it changed meanwhile.
const ATTEMPTS: usize = 8;

type Found = Result<Option<Arc<Session>>, StoreUnavailable>;

/// All sessions: a cache in front of a store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    settings: SessionSettings,
    interval: Duration,
    store: Arc<dyn SessionStore>,
    clock: Clock,
    cache: SessionCache,
    families: Families,
    flights: Flights<SessionId, Found>,
    activity: Activity,
}

impl Sessions {
    /// Sessions kept in `store`. Somebody must run [`Sessions::maintain`].
    #[must_use]
    pub fn new(settings: SessionSettings, store: Arc<dyn SessionStore>, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            interval: interval(settings.idle_timeout),
            cache: SessionCache::new(settings.cache_capacity),
            families: Families::default(),
            flights: Flights::new(),
            activity: Activity::new(),
            settings,
            store,
            clock,
        }))
    }

    /// The living session of `key`, where it is in memory. The fast path: no wait, no allocation.
    #[must_use]
    pub fn cached(&self, key: &SessionKey) -> Option<Arc<Session>> {
        let session = self.0.cache.get(key.id())?;
        self.0.alive(session)
    }

    /// The living session of `key`; `None` where there is none, for whatever reason.
    ///
    /// Requests that ask for one session at once cost one question to the store. That a key opens nothing
    /// is not remembered: strangers fill no cache (invariant 14).
    ///
    /// # Errors
    /// The store is away; the answer is then 503, never a pass.
    pub async fn find(&self, key: &SessionKey) -> Found {
        if let Some(session) = self.cached(key) {
            return Ok(Some(session));
        }
        let load = || {
            let (inner, key) = (Arc::clone(&self.0), key.clone());
            async move { inner.load(&key).await }.boxed()
        };
        self.0.flights.join(*key.id(), load).await
    }

    /// Makes a session and the key for its cookie.
    ///
    /// # Errors
    /// The store is away, or the family of a child has ended.
    pub async fn create(&self, new: NewSession) -> Result<(SessionKey, Arc<Session>), SessionError> {
        let key = SessionKey::random();
        let mark = self.0.cache.mark(key.id());
        let session = self.0.insert(&key, new).await?;
        match self.0.cache.keep(key.id(), mark, || session) {
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
        let (key, session) = self.create(new).await?;
        if previous.is_some_and(|previous| previous.family() == session.family()) {
            return Ok((key, session));
        }
        if let Err(error) = self.end(old.id()).await {
            drop(self.end(key.id()).await);
            return Err(error.into());
        }
        Ok((key, session))
    }

    /// Puts new tokens, and a new principal where a refresh brought one (of the same subject), in place of
    /// those of the whole family. Completes even where the caller goes away.
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
        let root = session.family();
        let record = Record {
            principal: principal.unwrap_or_else(|| Arc::clone(&session.principal)),
            tokens,
            sid: session.sid.clone(),
            created: session.created,
            expires: session.expires,
        };
        let sealed = record.seal(&session.key, root).ok_or_else(sealing)?;
        let (inner, key) = (Arc::clone(&self.0), key.clone());
        completed(async move { inner.replace(&key, root, sealed).await }).await
    }

    /// Ends the family that session `id` belongs to: removed from the store, gone from memory, its streams
    /// cut. Completes even where the caller goes away. No such session is no error.
    ///
    /// # Errors
    /// The store is away: the session may come back with it, and the person must be told.
    pub async fn end(&self, id: &SessionId) -> Result<(), StoreUnavailable> {
        let (inner, id) = (Arc::clone(&self.0), *id);
        completed(async move { inner.end(id).await }).await
    }

    /// Resolves when `session`, or the root it hangs on, has ended (also by [`Sessions::purge`]).
    #[must_use]
    pub fn ended(&self, session: &Session) -> SessionEnded {
        SessionEnded::of(Arc::clone(&session.family))
    }

    /// Writes what requests noted, then removes sessions that are over; answers how many families.
    ///
    /// # Errors
    /// The store is away; the next purge makes up for it.
    pub async fn purge(&self) -> Result<usize, StoreUnavailable> {
        let inner = Arc::clone(&self.0);
        completed(async move { inner.purge().await }).await
    }

    /// Writes when sessions were last used. To be called once more before the process ends.
    ///
    /// # Errors
    /// The store is away; idle times then count from an earlier use.
    pub async fn flush(&self) -> Result<(), StoreUnavailable> {
        self.0.flush().await
    }

    /// Flushes and purges for ever; one task of the process runs it.
    pub async fn maintain(self) {
        let mut ticks = tokio::time::interval(FLUSH_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for tick in (0..FLUSHES_A_PURGE).cycle() {
            ticks.tick().await;
            let result = if tick == 0 { self.purge().await.map(drop) } else { self.flush().await };
            if let Err(error) = result {
                tracing::warn!(%error, "sessions could not be maintained; it is tried again");
            }
        }
    }

    #[cfg(test)]
    pub(super) fn questions_under_way(&self) -> usize {
        self.0.flights.len()
    }
}

impl Inner {
    fn alive(&self, session: Arc<Session>) -> Option<Arc<Session>> {
        let now = self.clock.now();
        if !session.lives(now, &self.settings) {
            self.cache.forget(&session.id);
            return None;
        }
        if session.family.seen(now, self.interval)
            && !self.activity.note(Touch { root: session.family.root, at: now })
        {
            session.family.unwritten();
        }
        Some(session)
    }

    async fn load(&self, key: &SessionKey) -> Found {
        for _ in 0..ATTEMPTS {
            let mark = self.cache.mark(key.id());
            let Some((family, stored)) = self.store.load(*key.id()).await? else { return Ok(None) };
            let Some((opened, record)) = open(key, &family, &stored) else {
                tracing::warn!(session = %key.id(), "a session record does not open and is ignored");
                return Ok(None);
            };
            let make = || Arc::new(self.assemble(family.last_seen, stored, opened, record));
            if let Some(session) = self.cache.keep(key.id(), mark, make) {
                return Ok(self.alive(session));
            }
        }
        Err(StoreUnavailable::new(Fault::Contended))
    }

    async fn insert(&self, key: &SessionKey, new: NewSession) -> Result<Arc<Session>, SessionError> {
        let now = self.clock.now();
        match new {
            NewSession::Root { host, principal, tokens, sid } => {
                let expires = now + self.settings.max_age;
                let record = Record { principal, tokens, sid, created: now, expires };
                self.insert_root(key, host, record).await
            }
            NewSession::Child { host, of } => self.insert_child(key, host, &of, now).await,
        }
    }

    async fn insert_root(
        &self,
        key: &SessionKey,
        host: String,
        record: Record,
    ) -> Result<Arc<Session>, SessionError> {
        let (root, opened, now) = (*key.id(), FamilyKey::random(), record.created);
        let sealed = record.seal(&opened, root).ok_or_else(sealing)?;
        let stored = store_session(key, root, host, now, &opened)?;
        self.store.insert_root(store_family(root, &record, sealed), stored.clone()).await?;
        Ok(Arc::new(self.assemble(now, stored, opened, record)))
    }

    async fn insert_child(
        &self,
        key: &SessionKey,
        host: String,
        of: &Session,
        now: Timestamp,
    ) -> Result<Arc<Session>, SessionError> {
        if !of.lives(now, &self.settings) {
            return Err(SessionError::Ended);
        }
        let stored = store_session(key, of.family(), host, now, &of.key)?;
        match self.store.insert_child(stored).await? {
            // What the family holds now may be newer than what `of` holds.
            Inserted::Done => self.load(key).await?.ok_or(SessionError::Ended),
            Inserted::RootGone => Err(SessionError::Ended),
        }
    }

    async fn replace(
        &self,
        key: &SessionKey,
        root: SessionId,
        sealed: Vec<u8>,
    ) -> Result<Arc<Session>, SessionError> {
        let members = self.store.update_record(root, sealed).await?;
        members.iter().for_each(|id| self.cache.forget(id));
        self.load(key).await?.ok_or(SessionError::Ended)
    }

    async fn end(&self, id: SessionId) -> Result<(), StoreUnavailable> {
        // At once, and even where the store is away.
        if let Some(session) = self.cache.get(&id) {
            self.families.end(session.family());
        }
        self.cache.forget(&id);
        if let Some(family) = self.store.remove_family(id).await? {
            self.forget_family(&family);
        }
        Ok(())
    }

    async fn purge(&self) -> Result<usize, StoreUnavailable> {
        self.flush().await?;
        let expiry = self.expiry(self.clock.now());
        let mut total = 0;
        loop {
            let removed = self.store.purge(expiry).await?;
            removed.iter().for_each(|family| self.forget_family(family));
            total += removed.len();
            if removed.len() < PURGED_AT_ONCE as usize {
                return Ok(total);
            }
        }
    }

    /// The idle time is counted from what is written, which may lag behind what happened.
    fn expiry(&self, now: Timestamp) -> Expiry {
        let before = |span: Duration| Timestamp::from_seconds(now.seconds().saturating_sub(span.as_secs()));
        Expiry {
            now,
            idle_since: before(self.settings.idle_timeout + 2 * self.interval),
            created_before: before(self.settings.max_age),
            limit: PURGED_AT_ONCE,
        }
    }

    async fn flush(&self) -> Result<(), StoreUnavailable> {
        match self.activity.drain() {
            noted if noted.is_empty() => Ok(()),
            noted => self.store.touch(noted).await,
        }
    }

    /// First from the cache, then for those who hold it: nobody can join the family in between.
    fn forget_family(&self, family: &RemovedFamily) {
        family.sessions.iter().for_each(|id| self.cache.forget(id));
        self.families.end(family.root);
    }

    fn assemble(
        &self,
        last_seen: Timestamp,
        stored: StoredSession,
        key: FamilyKey,
        record: Record,
    ) -> Session {
        Session {
            id: stored.id,
            root: (stored.root != stored.id).then_some(stored.root),
            host: stored.host,
            principal: record.principal,
            tokens: record.tokens,
            sid: record.sid,
            created: record.created,
            expires: record.expires,
            family: self.families.join(stored.root, last_seen),
            key,
        }
    }
}

fn open(key: &SessionKey, family: &StoredFamily, stored: &StoredSession) -> Option<(FamilyKey, Record)> {
    let opened = FamilyKey::unwrap(key, family.root, &stored.host, &stored.family_key)?;
    let record = Record::open(&opened, family.root, &family.record)?;
    Some((opened, record))
}

fn store_family(root: SessionId, record: &Record, sealed: Vec<u8>) -> StoredFamily {
    let Principal { provider, issuer, subject, .. } = &*record.principal;
    StoredFamily {
        root,
        provider: provider.as_str().to_owned(),
        subject: digest_at(issuer, subject.as_str()),
        provider_session: record.sid.as_deref().map(|sid| digest_at(issuer, sid)),
        created: record.created,
        last_seen: record.created,
        expires: record.expires,
        record: sealed,
    }
}

fn store_session(
    key: &SessionKey,
    root: SessionId,
    host: String,
    created: Timestamp,
    opened: &FamilyKey,
) -> Result<StoredSession, StoreUnavailable> {
    let host = host.to_ascii_lowercase();
    let family_key = opened.wrap(key, root, &host).ok_or_else(sealing)?;
    Ok(StoredSession { id: *key.id(), root, host, created, family_key })
}

fn sealing() -> StoreUnavailable {
    StoreUnavailable::new(Fault::Sealing)
}

/// Runs `work` as a task of its own: a client that hangs up between the store's change and the cache's
/// would leave an ended session alive in memory (invariant 8).
async fn completed<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreUnavailable> + Send + 'static,
{
    tokio::spawn(work).await.unwrap_or_else(|error| Err(StoreUnavailable::new(error).into()))
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("settings", &self.settings).field("store", &self.store).finish()
    }
}
