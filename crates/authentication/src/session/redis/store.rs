//! The operations, a script each.

use std::sync::Arc;

use super::calls::{Told, digests, hex, index, mark, nonce, remember};
use super::ends::{RecentEnd, RecentEnds};
use super::follow::Replica;
use super::replicas::Replicas;
use super::row::{self, Fields, OverviewFields, Row};
use super::scripts;
use crate::clock::Timestamp;
use crate::session::{
    Bound, CHILDREN, CHILDREN_OF_A_HOST, ChildInserted, Inserted, LateCard, Marking, NewBinding,
    PurgeCriteria, RecordUpdate, RememberedEnd, RemovedFamily, SessionEnd, SessionId, SessionStore,
    SignInUnderWay, StoreFuture, StoreUnavailable, StoreUpkeep, StoredFamily, StoredOverview, StoredSelector,
    StoredSession, Touch, Updated,
};
use crate::storage::Database;
use crate::storage::redis::{FromRedisValue, RedisClient, RedisError, Script, ScriptInvocation};

/// Uses that one script writes.
const TOUCHED_AT_ONCE: usize = 500;

/// Ends that one script forgets.
const FORGOTTEN_AT_ONCE: u32 = 500;

/// Steps in which a purge skips what has gone by itself.
const SKIPPED: usize = 1000;

/// What this process has of the Redis that it shares with others, whichever state file it uses beside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RedisSessions(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    client: RedisClient,
    /// Which process wrote an entry of the log.
    origin: String,
    log: String,
    replicas: Replicas,
    recent: RecentEnds,
}

/// Sessions in Redis, shared by every gateway with the same namespace and `[state] key`. What must be on record where
/// Redis is away lies in this process's own state file.
#[derive(Debug)]
pub struct RedisStore {
    shared: Arc<Shared>,
    own: Database,
}

/// Parts of one script's answer.
type Lists = Vec<Vec<Vec<u8>>>;

impl RedisSessions {
    /// Those behind `client`.
    #[must_use]
    pub fn new(client: RedisClient) -> Self {
        let origin = nonce();
        let log = client.key("log");
        let (replicas, recent) = (Replicas::default(), RecentEnds::default());
        Self(Arc::new(Shared { client, origin, log, replicas, recent }))
    }

    /// Begins to follow what other gateways end and change: before anything is read from a store.
    ///
    /// # Errors
    /// The store is away.
    pub async fn join(&self) -> Result<Replica, RedisError> {
        let Shared { client, origin, recent, .. } = &*self.0;
        Replica::join(client.clone(), origin.clone(), recent.clone()).await
    }

    /// The client that they are reached by.
    #[must_use]
    pub fn client(&self) -> &RedisClient {
        &self.0.client
    }

    /// The store, which puts endings on record in `own` where Redis does not take them.
    #[must_use]
    pub fn store(&self, own: Database) -> RedisStore {
        RedisStore { shared: Arc::clone(&self.0), own }
    }
}

impl RedisStore {
    fn key(&self, kind: &str, id: &SessionId) -> String {
        self.shared.client.key(&format!("{kind}:{}", id.to_hex()))
    }

    fn call<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        script.key(&self.shared.log)
    }

    async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreUnavailable> {
        self.shared.client.run(script).await.map_err(unavailable)
    }

    /// Ends somebody: where there are replicas, one of them is to have it as well.
    async fn end<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreUnavailable> {
        let Some(wait) = self.shared.replicas.wait(&self.shared.client, &self.shared.log).await else {
            return self.run(script).await;
        };
        let ended = self.shared.client.run_and_wait(script, &self.shared.log, &wait).await;
        let (answer, reached) = ended.map_err(unavailable)?;
        if reached == 0 {
            tracing::warn!(
                "an end is on no replica of the session store yet: were the master lost now, it would be written again \
                 from here"
            );
        }
        Ok(answer)
    }

    async fn remove(
        &self,
        ids: &[SessionId],
        why: SessionEnd,
    ) -> Result<Vec<RemovedFamily>, StoreUnavailable> {
        let mut call = self.call(&scripts::REMOVE);
        call.arg(why.code()).arg(&self.shared.origin);
        call.arg(ids.iter().map(SessionId::to_hex).collect::<Vec<_>>());
        // Noted first: where the answer is lost, it may have been done all the same.
        ids.iter().for_each(|id| self.shared.recent.note(RecentEnd::Family(*id, why)));
        let listed: Lists = self.end(&call).await?;
        row::removed(self.shared.client.name(), &self.shared.log, listed).map_err(unavailable)
    }

    async fn purge_step(
        &self,
        criteria: PurgeCriteria,
    ) -> Result<(u32, Vec<RemovedFamily>), StoreUnavailable> {
        let PurgeCriteria { now, idle_since, created_before, limit } = criteria;
        let mut call = self.call(&scripts::PURGE);
        call.arg(now.seconds()).arg(idle_since.seconds()).arg(created_before.seconds()).arg(limit);
        call.arg(SessionEnd::Expired.code()).arg(&self.shared.origin);
        let (seen, listed): (u32, Lists) = self.run(&call).await?;
        let removed =
            row::removed(self.shared.client.name(), &self.shared.log, listed).map_err(unavailable)?;
        Ok((seen, removed))
    }
}

impl SessionStore for RedisStore {
    fn insert_root(
        &self,
        family: StoredFamily,
        session: StoredSession,
        sign_in: SignInUnderWay,
    ) -> StoreFuture<'_, Inserted> {
        Box::pin(async move {
            let mut call = self.call(&scripts::INSERT_ROOT);
            call.key(self.key("f", &family.root)).key(self.key("s", &session.id));
            call.arg(family.root.to_hex()).arg(&session.host).arg(&session.family_key).arg(nonce());
            call.arg(&family.provider);
            digests(&mut call, &family.digests);
            call.arg(family.created.seconds()).arg(family.last_seen.seconds()).arg(family.expires.seconds());
            call.arg(family.version).arg(&family.record).arg(family.card.as_deref().unwrap_or_default());
            call.arg(sign_in.began.seconds());
            call.arg(sign_in.digests.iter().map(hex).collect::<Vec<_>>());
            inserted(self, &session.id, &self.run::<String>(&call).await?)
        })
    }

    fn insert_child(&self, session: StoredSession) -> StoreFuture<'_, ChildInserted> {
        Box::pin(async move {
            let StoredSession { id, root, host, created, family_key, .. } = session;
            let mut call = self.call(&scripts::INSERT_CHILD);
            call.key(self.key("f", &root)).key(self.key("s", &id));
            call.arg(id.to_hex())
                .arg(root.to_hex())
                .arg(host)
                .arg(created.seconds())
                .arg(family_key)
                .arg(nonce());
            call.arg(CHILDREN_OF_A_HOST).arg(CHILDREN).arg(&self.shared.origin);
            let key = self.key("s", &id);
            match self.run::<Told>(&call).await? {
                Told::Members(gave_way) => row::ids(self.shared.client.name(), &key, &gave_way)
                    .map(ChildInserted::Done)
                    .map_err(unavailable),
                Told::Word(word) if word == "gone" => Ok(ChildInserted::RootGone),
                Told::Word(_) => Err(StoreUnavailable::new(Taken(key))),
            }
        })
    }

    fn load(&self, id: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>> {
        Box::pin(async move {
            let key = self.key("s", &id);
            let mut call = self.call(&scripts::LOAD);
            let Some(fields) = self.run::<Option<Fields>>(call.key(&key)).await? else { return Ok(None) };
            Row::new(self.shared.client.name(), key, fields).session(id).map(Some).map_err(unavailable)
        })
    }

    fn update_record(&self, update: RecordUpdate) -> StoreFuture<'_, Updated> {
        Box::pin(async move {
            let RecordUpdate { root, version, record, card, digests: names, renewed } = update;
            let key = self.key("f", &root);
            let mut call = self.call(&scripts::UPDATE);
            call.key(&key).arg(root.to_hex()).arg(version).arg(record).arg(card);
            digests(&mut call, &names);
            match self.run::<Told>(call.arg(renewed).arg(&self.shared.origin).arg(nonce())).await? {
                Told::Word(word) if word == "gone" => Ok(Updated::Gone),
                Told::Word(_) => Ok(Updated::Stale),
                Told::Members(members) => row::ids(self.shared.client.name(), &key, &members)
                    .map(Updated::Done)
                    .map_err(unavailable),
            }
        })
    }

    fn add_card(&self, LateCard { root, card, digests: names }: LateCard) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut call = self.call(&scripts::ADD_CARD);
            call.key(self.key("f", &root)).arg(root.to_hex()).arg(card);
            digests(&mut call, &names);
            self.run::<u32>(&call).await.map(drop)
        })
    }

    fn mark(&self, marking: Marking) -> StoreFuture<'_, Vec<SessionId>> {
        Box::pin(async move {
            if marking.roots.is_empty() {
                return Ok(Vec::new());
            }
            let nonce = nonce();
            self.shared.recent.note(RecentEnd::Marked(marking.clone(), nonce.clone()));
            let call = mark(self.call(&scripts::MARK), (&marking, &nonce), &self.shared.origin);
            let marked: Vec<Vec<u8>> = self.end(&call).await?;
            row::ids(self.shared.client.name(), &self.shared.log, &marked).map_err(unavailable)
        })
    }

    fn bind(&self, NewBinding { session, site, most, record }: NewBinding) -> StoreFuture<'_, Bound> {
        Box::pin(async move {
            let key = self.key("s", &session);
            let mut call = self.call(&scripts::BIND);
            call.key(&key).arg(site).arg(most).arg(record).arg(&self.shared.origin).arg(nonce());
            match self.run::<Told>(&call).await? {
                Told::Word(word) if word == "gone" => Ok(Bound::Gone),
                Told::Word(word) if word == "many" => Ok(Bound::TooMany),
                Told::Word(_) => Ok(Bound::Already),
                Told::Members(members) => {
                    row::ids(self.shared.client.name(), &key, &members).map(Bound::Done).map_err(unavailable)
                }
            }
        })
    }

    fn count_proof(&self, session: SessionId, version: u32) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let mut call = self.call(&scripts::COUNT_PROOF);
            call.key(self.key("s", &session)).arg(version).arg(nonce());
            Ok(self.run::<u32>(&call).await? == 1)
        })
    }

    fn touch(&self, touches: Vec<Touch>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            for some in touches.chunks(TOUCHED_AT_ONCE) {
                let mut call = self.call(&scripts::TOUCH);
                for touch in some {
                    call.arg(touch.root.to_hex()).arg(touch.at.seconds());
                }
                self.run::<u32>(&call).await?;
            }
            Ok(())
        })
    }

    fn remove_family(&self, id: SessionId, why: SessionEnd) -> StoreFuture<'_, Option<RemovedFamily>> {
        Box::pin(async move { Ok(self.remove(&[id], why).await?.pop()) })
    }

    fn remove_families(&self, roots: Vec<SessionId>, why: SessionEnd) -> StoreFuture<'_, Vec<RemovedFamily>> {
        Box::pin(
            async move { if roots.is_empty() { Ok(Vec::new()) } else { self.remove(&roots, why).await } },
        )
    }

    fn find(
        &self,
        selector: StoredSelector,
        after: Option<SessionId>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<StoredOverview>> {
        Box::pin(async move {
            let (kind, names) = index(selector);
            let mut call = self.call(&scripts::FIND);
            call.arg(kind).arg(after.map_or_else(String::new, |id| id.to_hex())).arg(limit);
            call.arg(names);
            let found: Vec<OverviewFields> = self.run(&call).await?;
            let (server, key) = (self.shared.client.name(), self.shared.client.key("f"));
            let read = found.into_iter().map(|family| Row::overview(server, &key, family));
            read.collect::<Result<_, _>>().map_err(unavailable)
        })
    }

    fn remember_end(&self, end: RememberedEnd) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.shared.recent.note(RecentEnd::Remembered(end.clone()));
            self.end::<u32>(&remember(self.call(&scripts::REMEMBER_END), &end)).await.map(drop)
        })
    }

    fn record_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.own.record_ending(*id.as_bytes()).await.map_err(StoreUnavailable::new) })
    }

    fn upkeep(&self) -> Option<&dyn StoreUpkeep> {
        Some(self)
    }
}

/// Every gateway does it: what one has removed, the next does not find.
impl StoreUpkeep for RedisStore {
    fn forget_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.own.forget_ending(*id.as_bytes()).await;
            Ok(())
        })
    }

    fn recorded_endings(&self) -> Vec<SessionId> {
        self.own.recorded_endings().into_iter().map(SessionId::from_bytes).collect()
    }

    fn purge(&self, criteria: PurgeCriteria) -> StoreFuture<'_, Vec<RemovedFamily>> {
        Box::pin(async move {
            for _ in 0..SKIPPED {
                let (seen, removed) = self.purge_step(criteria).await?;
                if seen == 0 || !removed.is_empty() {
                    return Ok(removed);
                }
            }
            Ok(Vec::new())
        })
    }

    fn forget_ends(&self, now: Timestamp) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let mut call = self.call(&scripts::FORGET_ENDS);
            let forgotten: u32 = self.run(call.arg(now.seconds()).arg(FORGOTTEN_AT_ONCE)).await?;
            Ok(forgotten == FORGOTTEN_AT_ONCE)
        })
    }

    fn shrink(&self) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.own.shrink().await.map_err(StoreUnavailable::new) })
    }
}

/// A row that cannot be read is told with its key.
fn unavailable(error: RedisError) -> StoreUnavailable {
    if matches!(error, RedisError::Unreadable { .. }) {
        tracing::error!(%error, "the session store holds what this gateway cannot read; nothing is deleted");
    }
    StoreUnavailable::new(error)
}

#[derive(Debug, thiserror::Error)]
#[error("a session of this identifier is there already: {0}")]
struct Taken(String);

fn inserted(store: &RedisStore, id: &SessionId, word: &str) -> Result<Inserted, StoreUnavailable> {
    match word {
        "done" => Ok(Inserted::Done),
        "ended" => Ok(Inserted::EndedBefore),
        _ => Err(StoreUnavailable::new(Taken(store.key("s", id)))),
    }
}
