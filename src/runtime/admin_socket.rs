//! The admin listener's socket, which goes to the process that takes over.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::task::AbortHandle;

use crate::admin::{self, Sources};

/// The admin listener while it is open.
#[derive(Debug)]
pub(super) struct AdminSocket {
    socket: TcpListener,
    serving: AbortHandle,
}

impl AdminSocket {
    /// Answers on `address`: on the one of the `received` sockets that has it, else on a new one.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn open(
        address: SocketAddr,
        received: Vec<TcpListener>,
        sources: Sources,
    ) -> io::Result<Self> {
        let has_it = |socket: &TcpListener| socket.local_addr().is_ok_and(|local| local == address);
        let socket = match received.into_iter().find(has_it) {
            Some(socket) => socket,
            None => TcpListener::bind(address)?,
        };
        socket.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(socket.try_clone()?)?;
        let serving = tokio::spawn(admin::serve(listener, sources)).abort_handle();
        Ok(Self { socket, serving })
    }

    /// The same socket for another process.
    pub(super) fn offered(&self) -> io::Result<TcpListener> {
        self.socket.try_clone()
    }

    /// Accepts no more: another process does.
    pub(super) fn close(self) {
        self.serving.abort();
    }
}
