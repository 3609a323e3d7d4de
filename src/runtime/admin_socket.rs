//! The admin listener's socket, which goes to the process that takes over.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::sync::watch;

use crate::admin::{self, AdminSources};
use crate::listener::Phase;

/// How long answers that have begun may take once another process has the socket.
const DRAIN: Duration = Duration::from_secs(10);

/// The admin listener while it is open.
#[derive(Debug)]
pub(super) struct AdminSocket {
    socket: TcpListener,
    phase: watch::Sender<Phase>,
}

impl AdminSocket {
    /// Answers on `address`: on the one of the `received` sockets that has it, else on a new one.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn open(
        address: SocketAddr,
        received: Vec<TcpListener>,
        sources: AdminSources,
    ) -> io::Result<Self> {
        let has_it = |socket: &TcpListener| socket.local_addr().is_ok_and(|local| local == address);
        let socket = match received.into_iter().find(has_it) {
            Some(socket) => socket,
            None => TcpListener::bind(address)?,
        };
        socket.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(socket.try_clone()?)?;
        let (phase, phases) = watch::channel(Phase::Serve);
        tokio::spawn(admin::serve(listener, sources, phases));
        Ok(Self { socket, phase })
    }

    /// The same socket for another process.
    pub(super) fn offered(&self) -> io::Result<TcpListener> {
        self.socket.try_clone()
    }

    /// Accepts no more: another process does. What has been asked is answered.
    pub(super) fn close(self) {
        self.phase.send_replace(Phase::Drain(DRAIN));
        // The sender is held until the listener has ended: to drop it would mean to stop at once.
        tokio::spawn(async move { self.phase.closed().await });
    }
}
