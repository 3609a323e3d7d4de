//! The store of the process that has taken over, as the one that drains uses it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::frame;
use super::protocol::{FromSuccessor, Numbered, StoreAnswer, StoreCall};
use crate::runtime::Event;
use crate::session::{
    Bound, ChildInserted, Inserted, LateCard, Marking, NewBinding, RecordUpdate, RememberedEnd,
    RemovedFamily, SessionEnd, SessionId, SessionStore, Sessions, SignInUnderWay, StoreFuture,
    StoreUnavailable, StoreUpkeep, StoredFamily, StoredOverview, StoredSelector, StoredSession, Touch,
    Updated,
};

/// Calls that may wait to be written.
const QUEUE: usize = 256;

/// Who waits for which answer, by the number of the call; `None` once the other process is lost. A call is entered
/// before it is written and taken out when its answer is read, each once; those that wait when the process is lost are
/// dropped with the table, which tells them so.
type PendingCalls = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<StoreAnswer>>>>>;

/// A store whose operations are calls on the control socket. One task writes them and one reads the answers,
/// which may come in any order.
#[derive(Debug)]
pub(super) struct RemoteStore(mpsc::Sender<(StoreCall, oneshot::Sender<StoreAnswer>)>);

#[derive(Debug, thiserror::Error)]
enum RemoteStoreError {
    #[error("the process that has taken over is lost")]
    Lost,
    #[error("the process that has taken over says: {0}")]
    Told(String),
    #[error("the process that has taken over gave an answer to another question")]
    Confused,
}

impl RemoteStore {
    /// The store at the other end of `stream`. `sessions` hears of each ending there; `events` gets
    /// [`Event::Stop`] where the other end is lost.
    pub(super) fn over(stream: UnixStream, sessions: Sessions, events: mpsc::Sender<Event>) -> Self {
        let (read, write) = stream.into_split();
        let (calls, queue) = mpsc::channel(QUEUE);
        let waiting: PendingCalls = Arc::new(Mutex::new(Some(HashMap::new())));
        tokio::spawn(send(write, queue, Arc::clone(&waiting)));
        tokio::spawn(async move {
            let error = receive(read, &sessions, &waiting).await;
            *lock(&waiting) = None;
            tracing::warn!(?error, "the process that has taken over is lost; this one ends its streams");
            let _ = mutant!(events.send(Event::Stop).await, "lost-process-streams-on" => Ok(()));
        });
        Self(calls)
    }

    async fn call(&self, call: StoreCall) -> Result<StoreAnswer, StoreUnavailable> {
        let (answer, answered) = oneshot::channel();
        let lost = || StoreUnavailable::new(RemoteStoreError::Lost);
        self.0.send((call, answer)).await.map_err(|_| lost())?;
        match answered.await.map_err(|_| lost())? {
            StoreAnswer::Failed(why) => Err(StoreUnavailable::new(RemoteStoreError::Told(why))),
            answer @ (StoreAnswer::Done
            | StoreAnswer::Inserted(_)
            | StoreAnswer::ChildInserted(_)
            | StoreAnswer::Loaded(_)
            | StoreAnswer::Updated(_)
            | StoreAnswer::Bound(_)
            | StoreAnswer::Counted(_)
            | StoreAnswer::RemovedFamilies(_)
            | StoreAnswer::Found(_)
            | StoreAnswer::Sessions(_)
            | StoreAnswer::Removed(_)) => Ok(answer),
        }
    }

    fn ask<T: Send + 'static>(
        &self,
        call: StoreCall,
        read: fn(StoreAnswer) -> Option<T>,
    ) -> StoreFuture<'_, T> {
        Box::pin(async move {
            read(self.call(call).await?).ok_or_else(|| StoreUnavailable::new(RemoteStoreError::Confused))
        })
    }
}

async fn send(
    mut write: OwnedWriteHalf,
    mut queue: mpsc::Receiver<(StoreCall, oneshot::Sender<StoreAnswer>)>,
    waiting: PendingCalls,
) {
    let mut number = 0;
    while let Some((call, answer)) = queue.recv().await {
        number += 1;
        match &mut *lock(&waiting) {
            Some(waiting) => drop(waiting.insert(number, answer)),
            None => return,
        }
        if frame::write(&mut write, &Numbered { number, message: call }).await.is_err() {
            return; // the reading task ends for the same reason, and tells whoever waits
        }
    }
}

async fn receive(mut read: OwnedReadHalf, sessions: &Sessions, waiting: &PendingCalls) -> io::Error {
    loop {
        match frame::read(&mut read).await {
            Ok(FromSuccessor::StoreAnswer(Numbered { number, message })) => {
                let asked = lock(waiting).as_mut().and_then(|waiting| waiting.remove(&number));
                if let Some(asked) = asked {
                    drop(asked.send(message));
                }
            }
            Ok(FromSuccessor::Ended(ending)) => {
                mutant!(sessions.cut(ending), "old-process-does-not-hear" => ())
            }
            Err(error) => return error,
        }
    }
}

fn lock(waiting: &PendingCalls) -> MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<StoreAnswer>>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn inserted(answer: StoreAnswer) -> Option<Inserted> {
    if let StoreAnswer::Inserted(inserted) = answer { Some(inserted) } else { None }
}

fn child_inserted(answer: StoreAnswer) -> Option<ChildInserted> {
    if let StoreAnswer::ChildInserted(inserted) = answer { Some(inserted) } else { None }
}

fn done(answer: StoreAnswer) -> Option<()> {
    matches!(answer, StoreAnswer::Done).then_some(())
}

impl SessionStore for RemoteStore {
    fn insert_root(
        &self,
        family: StoredFamily,
        session: StoredSession,
        sign_in: SignInUnderWay,
    ) -> StoreFuture<'_, Inserted> {
        self.ask(StoreCall::InsertRoot(family, session, sign_in), inserted)
    }

    fn insert_child(&self, session: StoredSession) -> StoreFuture<'_, ChildInserted> {
        self.ask(StoreCall::InsertChild(session), child_inserted)
    }

    fn load(&self, id: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>> {
        self.ask(
            StoreCall::Load(id),
            |answer| if let StoreAnswer::Loaded(row) = answer { Some(row) } else { None },
        )
    }

    fn update_record(&self, update: RecordUpdate) -> StoreFuture<'_, Updated> {
        self.ask(StoreCall::UpdateRecord(update), |answer| {
            if let StoreAnswer::Updated(updated) = answer { Some(updated) } else { None }
        })
    }

    fn mark(&self, marking: Marking) -> StoreFuture<'_, Vec<SessionId>> {
        self.ask(StoreCall::Mark(marking), |answer| {
            if let StoreAnswer::Sessions(sessions) = answer { Some(sessions) } else { None }
        })
    }

    fn add_card(&self, card: LateCard) -> StoreFuture<'_, ()> {
        self.ask(StoreCall::AddCard(card), done)
    }

    fn bind(&self, binding: NewBinding) -> StoreFuture<'_, Bound> {
        self.ask(StoreCall::Bind(binding), |answer| {
            if let StoreAnswer::Bound(bound) = answer { Some(bound) } else { None }
        })
    }

    fn count_proof(&self, session: SessionId, version: u32) -> StoreFuture<'_, bool> {
        self.ask(StoreCall::CountProof(session, version), |answer| {
            if let StoreAnswer::Counted(counted) = answer { Some(counted) } else { None }
        })
    }

    fn touch(&self, touches: Vec<Touch>) -> StoreFuture<'_, ()> {
        self.ask(StoreCall::Touch(touches), done)
    }

    fn remove_family(&self, id: SessionId, why: SessionEnd) -> StoreFuture<'_, Option<RemovedFamily>> {
        self.ask(StoreCall::RemoveFamily(id, why), |answer| {
            if let StoreAnswer::Removed(family) = answer { Some(family) } else { None }
        })
    }

    fn remove_families(&self, roots: Vec<SessionId>, why: SessionEnd) -> StoreFuture<'_, Vec<RemovedFamily>> {
        self.ask(StoreCall::RemoveFamilies(roots, why), |answer| {
            if let StoreAnswer::RemovedFamilies(families) = answer { Some(families) } else { None }
        })
    }

    fn find(
        &self,
        selector: StoredSelector,
        after: Option<SessionId>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<StoredOverview>> {
        self.ask(StoreCall::Find(selector, after, limit), |answer| {
            if let StoreAnswer::Found(found) = answer { Some(found) } else { None }
        })
    }

    fn remember_end(&self, end: RememberedEnd) -> StoreFuture<'_, ()> {
        self.ask(StoreCall::RememberEnd(end), done)
    }

    fn record_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        self.ask(StoreCall::RecordEnding(id), done)
    }

    /// Nothing: the process that holds the state file does the upkeep.
    fn upkeep(&self) -> Option<&dyn StoreUpkeep> {
        None
    }
}
