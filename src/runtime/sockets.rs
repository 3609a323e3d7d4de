//! Listening sockets, kept over reloads.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::listener::{BindError, ListenerSettings, bind, ensure_free};

/// The sockets of one address: one for each worker.
pub(super) type WorkerSockets = Vec<TcpListener>;

/// Opens sockets, systemd's where it has opened that address already.
#[derive(Debug)]
pub struct Sockets {
    workers: usize,
    inherited: Vec<TcpListener>,
    /// Those of the process that this one takes over from, each until its address is opened.
    received: Vec<TcpListener>,
}

impl Sockets {
    /// For so many workers. `inherited` sockets serve every configuration that has their address.
    #[must_use]
    pub const fn new(workers: usize, inherited: Vec<TcpListener>) -> Self {
        Self { workers, inherited, received: Vec::new() }
    }

    /// Serves these, too, where a listener has their address when it is opened next.
    pub(super) fn receive(&mut self, received: Vec<TcpListener>) {
        self.received = received;
    }

    /// Closes those that no listener had the address of.
    pub(super) fn forget_received(&mut self) {
        self.received.clear();
    }

    /// Whether systemd has given us this address.
    pub(super) fn has_inherited(&self, address: &SocketAddr) -> bool {
        self.inherited.iter().any(|socket| has(socket, address))
    }

    /// systemd's sockets for another process.
    pub(super) fn inherited(&self) -> io::Result<WorkerSockets> {
        self.inherited.iter().map(TcpListener::try_clone).collect()
    }

    /// Opens the addresses of `listeners` that `kept` does not hold; all of them or none.
    ///
    /// # Errors
    /// The first address that cannot be opened; nothing has changed then.
    pub(super) fn open(
        &self,
        listeners: &[ListenerSettings],
        kept: impl Fn(&SocketAddr) -> bool,
    ) -> Result<BTreeMap<SocketAddr, WorkerSockets>, BindError> {
        let missing = listeners.iter().filter(|listener| !kept(&listener.address));
        missing.map(|listener| Ok((listener.address, self.sockets_of(listener)?))).collect()
    }

    fn sockets_of(&self, listener: &ListenerSettings) -> Result<WorkerSockets, BindError> {
        let address = listener.address;
        let fault = |source| BindError { address, source };
        if let Some(socket) = self.inherited.iter().find(|socket| has(socket, &address)) {
            return (0..self.workers).map(|_| socket.try_clone()).collect::<io::Result<_>>().map_err(fault);
        }
        let received: Vec<_> = self.received.iter().filter(|socket| has(socket, &address)).collect();
        if received.is_empty() { self.bind(listener) } else { self.spread(&received).map_err(fault) }
    }

    /// Uses all of them, also where they are more than workers: the kernel puts connections into the queue of
    /// each, and a queue that nobody accepts from would lose its connections.
    fn spread(&self, received: &[&TcpListener]) -> io::Result<WorkerSockets> {
        let count = self.workers.max(received.len());
        received.iter().cycle().take(count).map(|socket| socket.try_clone()).collect()
    }

    /// A port of 0 is chosen once and then shared.
    ///
    /// Sharing (`SO_REUSEPORT`) is for our own workers. Another gateway could share the address in the same
    /// way, and would silently take a part of the requests; so the address must be free first.
    fn bind(&self, listener: &ListenerSettings) -> Result<WorkerSockets, BindError> {
        mutant!(ensure_free(listener.address)?, "second-gateway-starts" => ());
        let first = bind(listener, true)?;
        let fault = |source| BindError { address: listener.address, source };
        let chosen = ListenerSettings { address: first.local_addr().map_err(fault)?, ..listener.clone() };
        let others = (1..self.workers).map(|_| bind(&chosen, true));
        std::iter::once(Ok(first)).chain(others).collect()
    }
}

fn has(socket: &TcpListener, address: &SocketAddr) -> bool {
    socket.local_addr().is_ok_and(|local| local == *address)
}
