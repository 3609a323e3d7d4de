//! Accepts connections to the control socket: checks that they are our own user's, and reads what they want.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::protocol::{ControlRequest, TakeOverReply, VERSION};
use super::{Successor, frame, socket_of};
use crate::runtime::Event;

/// How long a request may take, and how many may be on their way.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 16;

/// Listens beside `state`. This process holds that file, so that a socket found there was left by one that
/// has ended. Those who want to take over are put into `successors`, and `events` hears of each.
///
/// # Errors
/// The socket cannot be made: its path is too long (107 bytes), or the folder takes no file.
pub(in crate::runtime) fn listen(
    state: &Path,
    successors: mpsc::Sender<Successor>,
    events: mpsc::Sender<Event>,
) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let path = socket_of(state);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(mutant!(0o600, "take-over-by-anybody" => 0o666)))?;
    Ok(accept(listener, successors, events))
}

async fn accept(listener: UnixListener, successors: mpsc::Sender<Successor>, events: mpsc::Sender<Event>) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (successors, events) = (successors.clone(), events.clone());
                tokio::spawn(async move {
                    if let Err(error) = answer(stream, &successors, &events).await {
                        tracing::debug!(%error, "a connection to the control socket ended badly");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket cannot accept; trying again");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(
    mut stream: UnixStream,
    successors: &mpsc::Sender<Successor>,
    events: &mpsc::Sender<Event>,
) -> io::Result<()> {
    let peer = stream.peer_cred()?;
    if peer.uid() != geteuid().as_raw() {
        tracing::warn!(user = peer.uid(), "another user was refused at the control socket");
        return refuse(&mut stream, "this is another user's gateway").await;
    }
    let asked = timeout(REQUEST_TIMEOUT, frame::read(&mut stream)).await;
    let ControlRequest::TakeOver { version } = asked.map_err(io::Error::other)??;
    if version != VERSION {
        let why = format!(
            "it knows version {VERSION} of the take-over, not {version}: stop it and start the new one"
        );
        return refuse(&mut stream, &why).await;
    }
    let process = peer.pid().and_then(|pid| u32::try_from(pid).ok());
    match successors.try_send(Successor::new(stream, process)) {
        Ok(()) => drop(events.send(Event::TakeOver).await),
        Err(mpsc::error::TrySendError::Full(mut late) | mpsc::error::TrySendError::Closed(mut late)) => {
            late.refuse("another process is taking over already").await?;
        }
    }
    Ok(())
}

async fn refuse(stream: &mut UnixStream, why: &str) -> io::Result<()> {
    frame::write(stream, &TakeOverReply::Refused { why: why.to_owned() }).await
}
