//! Sessions under a clock, a store and callers that the tests own.

mod bindings;
mod cookies;
mod ending;
mod left_behind;
mod living;
mod matching;
mod per_person;
mod replicas;
mod sealing;
mod shared_rows;
mod signalled;
mod stores;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::identity::{Issuer, Principal, Subject};
use crate::secret::Secret;
use crate::storage::Database;

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
const HOST: &str = "wiki.corp.example";

fn alice() -> Arc<Principal> {
    let (groups, auth_time) = (vec!["staff".into()], Some(START));
    Arc::new(Principal {
        subject: Subject::new("subject-of-alice"),
        groups,
        auth_time,
        ..crate::identity::fixtures::alice()
    })
}

fn tokens(access: &str) -> Tokens {
    Tokens { access: Some(Secret::new(access)), refresh: Some(Secret::new("refresh")), ..Tokens::default() }
}

fn sign_in() -> NewSession {
    NewSession::Root {
        host: "login.corp.example".into(),
        principal: alice(),
        tokens: tokens("access"),
        sid: Some("provider-session".into()),
        origin: SignInOrigin::new(Some("Firefox"), [10, 0, 0, 1].into()),
        began: START,
    }
}

fn app_session(of: &Arc<Session>) -> NewSession {
    NewSession::child(of, HOST)
}

/// A store that counts what it is asked and answers when the test lets it.
#[derive(Debug)]
struct Watched {
    inner: EmbeddedStore,
    loads: AtomicUsize,
    touches: AtomicUsize,
    purges: AtomicUsize,
    /// The most families that were removed in one step.
    most_removed: AtomicUsize,
    away: AtomicBool,
    gate: Semaphore,
}

impl Watched {
    fn over(database: Database) -> Arc<Self> {
        Arc::new(Self {
            inner: EmbeddedStore::new(database),
            loads: AtomicUsize::new(0),
            touches: AtomicUsize::new(0),
            purges: AtomicUsize::new(0),
            most_removed: AtomicUsize::new(0),
            away: AtomicBool::new(false),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    /// Loads wait, once they have their answer, until `n` calls of [`Watched::open`].
    fn close(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    fn open(&self) {
        self.gate.add_permits(1);
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::Relaxed)
    }

    fn check(&self) -> Result<(), StoreUnavailable> {
        match self.away.load(Ordering::Relaxed) {
            true => Err(StoreUnavailable::new(std::io::Error::other("away"))),
            false => Ok(()),
        }
    }
}

impl SessionStore for Watched {
    fn insert_root(
        &self,
        family: StoredFamily,
        session: StoredSession,
        sign_in: SignInUnderWay,
    ) -> StoreFuture<'_, Inserted> {
        Box::pin(
            async move { self.check().map(|()| self.inner.insert_root(family, session, sign_in))?.await },
        )
    }

    fn insert_child(&self, session: StoredSession) -> StoreFuture<'_, ChildInserted> {
        Box::pin(async move { self.check().map(|()| self.inner.insert_child(session))?.await })
    }

    fn load(&self, id: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>> {
        Box::pin(async move {
            self.check()?;
            self.loads.fetch_add(1, Ordering::Relaxed);
            let answer = self.inner.load(id).await;
            if let Ok(permit) = self.gate.acquire().await {
                permit.forget();
            }
            answer
        })
    }

    fn update_record(&self, update: RecordUpdate) -> StoreFuture<'_, Updated> {
        Box::pin(async move { self.check().map(|()| self.inner.update_record(update))?.await })
    }

    fn mark(&self, marking: Marking) -> StoreFuture<'_, Vec<SessionId>> {
        Box::pin(async move { self.check().map(|()| self.inner.mark(marking))?.await })
    }

    fn add_card(&self, card: LateCard) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.check().map(|()| self.inner.add_card(card))?.await })
    }

    fn bind(&self, binding: NewBinding) -> StoreFuture<'_, Bound> {
        Box::pin(async move { self.check().map(|()| self.inner.bind(binding))?.await })
    }

    fn count_proof(&self, session: SessionId, version: u32) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.check().map(|()| self.inner.count_proof(session, version))?.await })
    }

    fn touch(&self, touches: Vec<Touch>) -> StoreFuture<'_, ()> {
        self.touches.fetch_add(touches.len(), Ordering::Relaxed);
        Box::pin(async move { self.check().map(|()| self.inner.touch(touches))?.await })
    }

    fn remove_family(&self, id: SessionId, why: SessionEnd) -> StoreFuture<'_, Option<RemovedFamily>> {
        Box::pin(async move { self.check().map(|()| self.inner.remove_family(id, why))?.await })
    }

    fn remove_families(&self, roots: Vec<SessionId>, why: SessionEnd) -> StoreFuture<'_, Vec<RemovedFamily>> {
        self.most_removed.fetch_max(roots.len(), Ordering::Relaxed);
        Box::pin(async move { self.check().map(|()| self.inner.remove_families(roots, why))?.await })
    }

    fn find(
        &self,
        selector: StoredSelector,
        after: Option<SessionId>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<StoredOverview>> {
        Box::pin(async move { self.check().map(|()| self.inner.find(selector, after, limit))?.await })
    }

    fn remember_end(&self, end: RememberedEnd) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.check().map(|()| self.inner.remember_end(end))?.await })
    }

    fn record_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.check().map(|()| self.inner.record_ending(id))?.await })
    }

    fn upkeep(&self) -> Option<&dyn StoreUpkeep> {
        Some(self)
    }
}

impl StoreUpkeep for Watched {
    fn forget_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        self.inner.forget_ending(id)
    }

    fn recorded_endings(&self) -> Vec<SessionId> {
        self.inner.recorded_endings()
    }

    fn purge(&self, expiry: PurgeCriteria) -> StoreFuture<'_, Vec<RemovedFamily>> {
        self.purges.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { self.check().map(|()| self.inner.purge(expiry))?.await })
    }

    fn forget_ends(&self, now: Timestamp) -> StoreFuture<'_, bool> {
        self.inner.forget_ends(now)
    }

    fn shrink(&self) -> StoreFuture<'_, bool> {
        self.inner.shrink()
    }
}

struct World {
    clock: Clock,
    database: Database,
    store: Arc<Watched>,
    sessions: Sessions,
}

impl World {
    /// Somebody who looks for the session of `key`: the database has answered, and the store holds the answer back until
    /// it is let through.
    async fn reading(
        &self,
        key: &SessionKey,
    ) -> tokio::task::JoinHandle<Result<Option<Arc<Session>>, StoreUnavailable>> {
        self.store.close();
        let (sessions, key) = (self.sessions.clone(), key.clone());
        let finding = tokio::spawn(async move { sessions.find(&key).await });
        until(|| self.store.loads() == 1).await;
        // A full round trip behind it in the database's queue: its answer has been read.
        self.database.write(|_| Ok(())).await.unwrap();
        finding
    }

    fn new() -> Self {
        Self::on(Database::in_memory().unwrap(), Clock::manual(START))
    }

    fn on(database: Database, clock: Clock) -> Self {
        let store = Watched::over(database.clone());
        let sessions =
            Sessions::new(SessionSettings::default(), store.clone(), testing::keys(), clock.clone());
        Self { clock, database, store, sessions }
    }

    /// The same store seen by a gateway that has nothing in memory.
    fn restarted(&self) -> Self {
        Self::on(self.database.clone(), self.clock.clone())
    }

    fn pass(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }

    async fn finds(&self, key: &SessionKey) -> bool {
        self.sessions.find(key).await.unwrap().is_some()
    }
}

/// Polls once; true where it is done.
async fn done_now<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_ready()))
        .await
}

/// Lets other tasks go on until `holds`.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}
