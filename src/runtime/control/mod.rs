//! The control socket beside the state file: how a new process takes over from the one that runs.

mod descriptors;
mod frame;
mod hand_over;
mod new;
mod old;
mod protocol;
mod remote;
mod server;

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::Event;
use super::session_engine::SessionEngine;
use crate::config::{Settings, beside};
use crate::session::{MovableStore, Sessions};
use crate::storage::Database;
use hand_over::HandOver;
use old::Successor;

pub use new::TakeOverError;
pub(super) use new::{Predecessors, Released, ask};
pub(super) use old::OfferedSockets;

/// The control socket of this process, and what it hands to a process that takes over.
#[derive(Debug)]
pub(super) struct Control {
    hand_over: HandOver,
    successors: mpsc::Receiver<Successor>,
    accepting: AbortHandle,
}

impl Control {
    /// Opens the socket beside the state file; `None` where there is no such file or the socket cannot be made.
    pub(super) fn open(
        settings: &Settings,
        database: &Database,
        engine: SessionEngine,
        store: MovableStore,
        sessions: &Sessions,
        events: &mpsc::Sender<Event>,
    ) -> Option<Self> {
        settings.state.as_ref()?;
        let (send, successors) = mpsc::channel(1);
        let accepting = match server::listen(database.file(), send, events.clone()) {
            Ok(accepting) => tokio::spawn(accepting).abort_handle(),
            Err(error) => {
                let path = socket_of(database.file());
                tracing::warn!(path = %path.display(), %error, "there is no control socket: nothing can take over");
                return None;
            }
        };
        let hand_over = HandOver::new(database, engine, store, sessions.clone(), events.clone());
        Some(Self { hand_over, successors, accepting })
    }

    /// Hands over to the process that has asked; true where this one is to drain.
    pub(super) async fn hand_over(&mut self, sockets: OfferedSockets) -> bool {
        let Ok(successor) = self.successors.try_recv() else { return false };
        let done = self.hand_over.to(successor, sockets).await;
        if done {
            self.accepting.abort(); // the path is the other process's now
        }
        done
    }

    /// Turns away the process that has asked, by closing its connection.
    pub(super) fn refuse(&mut self) {
        drop(self.successors.try_recv());
    }
}

/// Where the control socket of the gateway with this state file is.
fn socket_of(state: &Path) -> PathBuf {
    beside(state, "-control")
}
