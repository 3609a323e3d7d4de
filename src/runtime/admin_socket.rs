//! The sockets that operators ask on. That of the address goes to the process that takes over, which makes a
//! unix socket of its own in the place of this one's.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::sync::watch;

use super::unix_socket::{PreparedSocket, PublishedSocket, UnixSocketError};
use crate::admin::{self, AdminSettings, AdminSources};
use crate::listener::Phase;

/// How long answers that have begun may take once another process has the socket.
const DRAIN: Duration = Duration::from_secs(10);

/// Why operators cannot be answered as configured.
#[derive(Debug, thiserror::Error)]
pub enum AdminSocketError {
    /// The address: what the system said.
    #[error("[admin] listen: cannot listen on {0}: {1}")]
    Address(SocketAddr, #[source] io::Error),
    /// The unix socket.
    #[error("[admin] socket: {0}")]
    Socket(#[from] UnixSocketError),
}

/// Whether the process that this one takes over from may have the unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predecessor {
    None,
    Running,
}

/// What operators ask on, while it is open.
#[derive(Debug)]
pub(super) struct AdminSockets {
    address: Option<TcpListener>,
    unix: UnixSocket,
    phase: watch::Sender<Phase>,
}

#[derive(Debug)]
enum UnixSocket {
    None,
    Prepared(PreparedSocket),
    Published(PublishedSocket),
}

impl AdminSockets {
    /// Answers on the address, on the one of the `received` sockets that has it, else on a new one; and makes
    /// the unix socket, which nobody finds before [`AdminSockets::publish`].
    ///
    /// # Errors
    /// The system refuses, or something else stands at the socket's path.
    pub(super) fn open(
        settings: &AdminSettings,
        received: Vec<TcpListener>,
        predecessor: Predecessor,
        sources: &AdminSources,
    ) -> Result<Self, AdminSocketError> {
        let (phase, phases) = watch::channel(Phase::Serve);
        let address = settings.address.map(|address| {
            listen(address, received, sources, &phases)
                .map_err(|error| AdminSocketError::Address(address, error))
        });
        let address = address.transpose()?;
        let unix = match &settings.socket {
            None => UnixSocket::None,
            Some(path) => {
                let (listener, prepared) = PreparedSocket::bind(path, predecessor == Predecessor::Running)?;
                tokio::spawn(admin::serve_unix(listener, sources.clone(), phases));
                UnixSocket::Prepared(prepared)
            }
        };
        Ok(Self { address, unix, phase })
    }

    /// Puts the unix socket in its place; to be called once a process before this one has let go.
    pub(super) fn publish(&mut self) {
        self.unix = match std::mem::replace(&mut self.unix, UnixSocket::None) {
            UnixSocket::Prepared(prepared) => match prepared.publish() {
                Ok(published) => UnixSocket::Published(published),
                Err(error) => {
                    tracing::error!(%error, "[admin] socket: it cannot be put in its place");
                    UnixSocket::None
                }
            },
            other @ (UnixSocket::None | UnixSocket::Published(_)) => other,
        };
    }

    /// The address's socket for another process.
    pub(super) fn offered(&self) -> io::Result<Vec<TcpListener>> {
        self.address.iter().map(TcpListener::try_clone).collect()
    }

    /// Accepts no more: another process does. What has been asked is answered.
    pub(super) fn close(self) {
        let Self { address, unix, phase } = self;
        drop(address);
        if let UnixSocket::Published(published) = unix {
            published.leave_to_successor();
        }
        phase.send_replace(Phase::Drain(DRAIN));
        // The sender is held until the listeners have ended: to drop it would mean to stop at once.
        tokio::spawn(async move { phase.closed().await });
    }
}

fn listen(
    address: SocketAddr,
    received: Vec<TcpListener>,
    sources: &AdminSources,
    phases: &watch::Receiver<Phase>,
) -> io::Result<TcpListener> {
    let has_it = |socket: &TcpListener| socket.local_addr().is_ok_and(|local| local == address);
    let socket = match received.into_iter().find(has_it) {
        Some(socket) => socket,
        None => TcpListener::bind(address)?,
    };
    socket.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(socket.try_clone()?)?;
    tokio::spawn(admin::serve(listener, sources.clone(), phases.clone()));
    Ok(socket)
}
