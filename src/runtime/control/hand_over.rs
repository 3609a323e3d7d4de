//! What the old process does when another one takes over: it lets go of its state, and takes it back where the
//! other fails.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::old::SuccessorServing;
use super::remote::RemoteStore;
use super::{OfferedSockets, Successor};
use crate::runtime::session_engine::SessionEngine;
use crate::runtime::{Event, systemd};
use crate::session::{MovableStore, Sessions};
use crate::storage::{Database, StateHealth, StorageError};

/// How often the state file is asked back for, and the wait between: a minute in all.
const ATTEMPTS: u32 = 300;
const BETWEEN: Duration = Duration::from_millis(200);

/// The state of this process, on its way to another.
///
/// - Here: `store` works on the state file.
/// - Suspended, by [`HandOver::to`]: operations on `store` wait; once those under way have ended the file is
///   closed.
/// - There: the successor answers requests, and `store` goes on with its store, over the control socket.
///
/// Where a step fails before the last, `take_back` opens the file again and the state is here. Operations
/// wait for that, a minute at most ([`MovableStore`]). Where the state is neither there nor to be had back,
/// this process ends.
pub(in crate::runtime) struct HandOver {
    state: PathBuf,
    health: StateHealth,
    engine: SessionEngine,
    store: MovableStore,
    sessions: Sessions,
    events: mpsc::Sender<Event>,
    closed: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl HandOver {
    /// For what `database` holds; `store` is the only one that uses it.
    pub(in crate::runtime) fn new(
        database: &Database,
        engine: SessionEngine,
        store: MovableStore,
        sessions: Sessions,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (state, health) = (database.file().to_owned(), database.health().clone());
        Self { state, health, engine, store, sessions, events, closed: Box::pin(database.closed()) }
    }

    /// Goes through all steps with `successor`; true where it answers requests now, and this process is to
    /// drain. Where it fails, everything goes on here.
    pub(in crate::runtime) async fn to(&mut self, successor: Successor, sockets: OfferedSockets) -> bool {
        match self.steps(successor, sockets).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "a new process did not take over; this one goes on");
                false
            }
        }
    }

    async fn steps(&mut self, successor: Successor, sockets: OfferedSockets) -> io::Result<()> {
        let waiting = successor.offer(sockets).await?;
        if let Err(error) = self.sessions.flush().await {
            tracing::warn!(%error, "when sessions were last used could not be written before the take-over");
        }
        self.store.suspend();
        self.closed.as_mut().await;
        match waiting.release().await {
            Ok(serving) => self.follow(serving).await,
            Err(error) => {
                self.take_back().await;
                Err(error)
            }
        }
    }

    /// The state is the new process's from now on. Where that is lost, this one ends: its streams would not
    /// be told of sessions that end (invariant 8).
    async fn follow(&mut self, serving: SuccessorServing) -> io::Result<()> {
        if let Some(process) = serving.process() {
            systemd::handed_over_to(process);
        }
        match serving.drain().await {
            Ok(stream) => {
                let store = RemoteStore::over(stream, self.sessions.clone(), self.events.clone());
                self.store.resume_at(Arc::new(store));
            }
            Err(error) => {
                tracing::error!(%error, "the new process was lost; this one ends");
                let _ = self.events.send(Event::Stop).await;
            }
        }
        Ok(())
    }

    /// Opens the state file again, which a process that failed may hold for a moment longer.
    async fn take_back(&mut self) {
        for _ in 0..ATTEMPTS {
            match self.reopened().await {
                Ok(database) => {
                    self.closed = Box::pin(database.closed());
                    tokio::spawn(database.tend());
                    return self.store.resume_at(self.engine.store(database));
                }
                Err(error) => tracing::debug!(%error, "the state file is not free yet"),
            }
            tokio::time::sleep(BETWEEN).await;
        }
        tracing::error!(file = %self.state.display(), "the state file could not be had back; this process ends");
        let _ = self.events.send(Event::Stop).await;
    }

    async fn reopened(&self) -> Result<Database, StorageError> {
        let (state, health) = (self.state.clone(), self.health.clone());
        let opened = tokio::task::spawn_blocking(move || Database::reopen(&state, health)).await;
        opened.unwrap_or_else(|_| Err(StorageError::Interrupted { file: self.state.clone() }))
    }
}

impl std::fmt::Debug for HandOver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandOver").field("state", &self.state).finish_non_exhaustive()
    }
}
