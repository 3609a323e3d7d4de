//! The steps of a take-over as the new process goes through them, and what it is to the old one afterwards.
//!
//! [`ask`] gives an [`Offer`]: the sockets are here, and the old process serves on. [`Offer::release`] makes
//! it [`Released`]: the old process has closed the state file, and waits. [`Released::serving`] is the last
//! step: requests are answered here, and the old process uses this one's store until its last stream has
//! ended. Each step uses up the one before. Whatever is dropped on the way closes the socket, and the old
//! process goes on as if nothing had been.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::geteuid;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};

use super::protocol::{
    ControlRequest, FromSuccessor, Numbered, StoreAnswer, StoreCall, TakeOverReply, TakeOverStep, VERSION,
};
use super::{OfferedSockets, descriptors, frame, socket_of};
use crate::session::{Ending, SessionStore, Sessions, StoreUnavailable};

/// Sockets that are taken at most: no gateway offers more.
const SOCKETS: usize = 16_384;

/// Operations of the old process that may be under way.
const AT_ONCE: usize = 256;

/// Sign-ins told of at once: with all their claims they fit into a frame, where a larger one would end the old process.
const FOUND_AT_ONCE: u32 = 10;

/// Why this process cannot take over. The gateway that runs goes on then.
#[derive(Debug, thiserror::Error)]
pub enum TakeOverError {
    /// There is no state file to find the other process by.
    #[error("--take-over needs a state file: with `state = \"memory\"` sessions end with their process")]
    NoState,
    /// Another user's process listens there.
    #[error("the process at {} runs under another user", .0.display())]
    Stranger(PathBuf),
    /// It refused, with this reason.
    #[error("the gateway that runs does not let this one take over: {0}")]
    Refused(String),
    /// The connection to it broke, or it did not keep to the protocol.
    #[error("the take-over broke off, and the gateway that runs goes on: {0}")]
    Broken(#[from] io::Error),
}

/// The old process has given us its sockets, and goes on.
#[derive(Debug)]
pub(in crate::runtime) struct Offer {
    stream: UnixStream,
    sockets: OfferedSockets,
}

/// The old process has given up the state file.
#[derive(Debug)]
pub(in crate::runtime) struct Released(UnixStream);

/// Asks the gateway that holds `state`; `None` where none runs.
///
/// # Errors
/// It does not want to, or is not ours.
pub(in crate::runtime) async fn ask(state: &Path) -> Result<Option<Offer>, TakeOverError> {
    let state = state.canonicalize().unwrap_or_else(|_| state.to_owned());
    let path = socket_of(&state);
    let mut stream = match UnixStream::connect(&path).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    if stream.peer_cred()?.uid() != geteuid().as_raw() {
        return Err(TakeOverError::Stranger(path));
    }
    frame::write(&mut stream, &ControlRequest::TakeOver { version: VERSION }).await?;
    let sockets = match frame::read(&mut stream).await? {
        TakeOverReply::Offer { listeners, inherited, admin } => {
            receive(&stream, [listeners, inherited, admin]).await?
        }
        TakeOverReply::Refused { why } => return Err(TakeOverError::Refused(why)),
        TakeOverReply::Released | TakeOverReply::Draining => return Err(out_of_turn().into()),
    };
    Ok(Some(Offer { stream, sockets }))
}

async fn receive(
    stream: &UnixStream,
    [listeners, inherited, admin]: [usize; 3],
) -> io::Result<OfferedSockets> {
    let count = [inherited, admin].into_iter().try_fold(listeners, usize::checked_add);
    let count = count.filter(|count| *count <= SOCKETS).ok_or_else(out_of_turn)?;
    let mut all: Vec<TcpListener> = descriptors::receive(stream, count).await?;
    if all.len() != count {
        return Err(out_of_turn());
    }
    let admin = all.split_off(listeners + inherited);
    let inherited = all.split_off(listeners);
    Ok(OfferedSockets { listeners: all, inherited, admin })
}

fn out_of_turn() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the gateway that runs spoke out of turn")
}

impl Offer {
    /// Has the old process close the state file.
    pub(in crate::runtime) async fn release(mut self) -> Result<(Released, OfferedSockets), TakeOverError> {
        frame::write(&mut self.stream, &TakeOverStep::Release).await?;
        match frame::read(&mut self.stream).await? {
            TakeOverReply::Released => Ok((Released(self.stream), self.sockets)),
            TakeOverReply::Refused { why } => Err(TakeOverError::Refused(why)),
            TakeOverReply::Offer { .. } | TakeOverReply::Draining => Err(out_of_turn().into()),
        }
    }
}

impl Released {
    /// The number of the old process, where the system tells it.
    pub(in crate::runtime) fn process(&self) -> Option<u32> {
        self.0.peer_cred().ok()?.pid().and_then(|pid| u32::try_from(pid).ok())
    }

    /// Says that requests are answered here, waits until the old process takes no more, and lets it use
    /// `sessions` until its last stream has ended.
    pub(in crate::runtime) async fn serving(
        self,
        sessions: &Sessions,
        predecessors: &Predecessors,
    ) -> Result<(), TakeOverError> {
        let Self(mut stream) = self;
        // Subscribed before it is told: it would never hear of a session that ended in between.
        let endings = sessions.endings();
        frame::write(&mut stream, &TakeOverStep::Serving).await?;
        match frame::read(&mut stream).await? {
            TakeOverReply::Draining => {}
            TakeOverReply::Refused { .. } | TakeOverReply::Offer { .. } | TakeOverReply::Released => {
                return Err(out_of_turn().into());
            }
        }
        let (store, here) = (sessions.shared(), predecessors.enter());
        tokio::spawn(async move {
            let ended = attend(stream, store, endings).await;
            tracing::info!(reason = %ended, "the process before this one has ended");
            drop(here);
        });
        Ok(())
    }
}

/// How many processes drain that this one has taken over from. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::runtime) struct Predecessors(watch::Sender<usize>);

/// One predecessor, counted until this is dropped.
struct PredecessorGuard(watch::Sender<usize>);

impl Predecessors {
    pub(in crate::runtime) fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Resolves when there is none.
    pub(in crate::runtime) async fn gone(&self) {
        // An error is impossible: the sender is here.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }

    fn enter(&self) -> PredecessorGuard {
        self.0.send_modify(|count| *count += 1);
        PredecessorGuard(self.0.clone())
    }
}

impl Drop for PredecessorGuard {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Does what the old process asks, and tells it of endings, until it is gone.
async fn attend(
    stream: UnixStream,
    store: Arc<dyn SessionStore>,
    mut endings: broadcast::Receiver<Ending>,
) -> io::Error {
    let (read, mut write) = stream.into_split();
    let (answers, mut queue) = mpsc::channel(AT_ONCE);
    let reading = take_calls(read, store, answers);
    let writing = async {
        loop {
            let message = tokio::select! {
                Some(answer) = queue.recv() => FromSuccessor::StoreAnswer(answer),
                ended = endings.recv() => match ended {
                    Ok(ending) => FromSuccessor::Ended(ending),
                    // An ending was missed, so its streams may outlive their session: it must end, and does
                    // where the socket closes.
                    Err(error) => return io::Error::other(error),
                },
            };
            if let Err(error) = frame::write(&mut write, &message).await {
                return error;
            }
        }
    };
    tokio::select! {
        error = reading => error,
        error = writing => error,
    }
}

/// Carries out what the old process asks of the store, each call on a task of its own; returns where it is
/// gone.
async fn take_calls(
    mut read: OwnedReadHalf,
    store: Arc<dyn SessionStore>,
    answers: mpsc::Sender<Numbered<StoreAnswer>>,
) -> io::Error {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Numbered { number, message } = match frame::read::<Numbered<StoreCall>>(&mut read).await {
            Ok(call) => call,
            Err(error) => return error,
        };
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return out_of_turn() };
        let (store, answers) = (Arc::clone(&store), answers.clone());
        tokio::spawn(async move {
            let message =
                call(&*store, message).await.unwrap_or_else(|error| StoreAnswer::Failed(error.to_string()));
            let _ = answers.send(Numbered { number, message }).await;
            drop(place);
        });
    }
}

async fn call(store: &dyn SessionStore, call: StoreCall) -> Result<StoreAnswer, StoreUnavailable> {
    Ok(match call {
        StoreCall::InsertRoot(family, session, sign_in) => {
            StoreAnswer::Inserted(store.insert_root(family, session, sign_in).await?)
        }
        StoreCall::InsertChild(session) => StoreAnswer::ChildInserted(store.insert_child(session).await?),
        StoreCall::Load(id) => StoreAnswer::Loaded(store.load(id).await?),
        StoreCall::UpdateRecord(update) => StoreAnswer::Updated(store.update_record(update).await?),
        StoreCall::Bind(binding) => StoreAnswer::Bound(store.bind(binding).await?),
        StoreCall::CountProof(session, version) => {
            StoreAnswer::Counted(store.count_proof(session, version).await?)
        }
        StoreCall::Mark(marking) => StoreAnswer::Sessions(store.mark(marking).await?),
        StoreCall::AddCard(card) => {
            store.add_card(card).await?;
            StoreAnswer::Done
        }
        StoreCall::Touch(touches) => {
            store.touch(touches).await?;
            StoreAnswer::Done
        }
        StoreCall::RemoveFamily(id, why) => StoreAnswer::Removed(store.remove_family(id, why).await?),
        StoreCall::RemoveFamilies(roots, why) => {
            StoreAnswer::RemovedFamilies(store.remove_families(roots, why).await?)
        }
        StoreCall::Find(selector, after, limit) => {
            StoreAnswer::Found(store.find(selector, after, limit.min(FOUND_AT_ONCE)).await?)
        }
        StoreCall::RememberEnd(end) => {
            store.remember_end(end).await?;
            StoreAnswer::Done
        }
        StoreCall::RecordEnding(id) => {
            store.record_ending(id).await?;
            StoreAnswer::Done
        }
    })
}
