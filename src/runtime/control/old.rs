//! The steps of a take-over as the old process goes through them; each is a type, so that none is left out.
//!
//! A [`Successor`] has asked. Once it has been offered the sockets and has asked for the state file, it is a
//! [`SuccessorWithSockets`]. Once it has been told that the file is free, has opened it and answers requests, it is a
//! [`SuccessorServing`]. Each step uses up the one before. Where one fails before the last, whatever was offered is
//! closed with the stream, and this process takes its state back ([`super::HandOver`]). After the last there is no way
//! back: this process drains, and ends where the other is lost.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

use super::protocol::{TakeOverReply, TakeOverStep};
use super::{descriptors, frame};

/// How long the new process may take for its next step: a start with a large state file that is brought up to
/// date is in it.
const STEP: Duration = Duration::from_secs(120);

/// A process that has asked to take over.
#[derive(Debug)]
pub(in crate::runtime) struct Successor {
    stream: UnixStream,
    process: Option<u32>,
}

/// Sockets for the new process: the same ones, so that no connection is refused or lost in a queue.
#[derive(Debug, Default)]
pub(in crate::runtime) struct OfferedSockets {
    /// Of `[server] listen`, one for each worker.
    pub(in crate::runtime) listeners: Vec<TcpListener>,
    /// Given by systemd.
    pub(in crate::runtime) inherited: Vec<TcpListener>,
    /// Of `[admin] listen`.
    pub(in crate::runtime) admin: Vec<TcpListener>,
}

/// A successor that has the sockets, and waits for the state file.
#[derive(Debug)]
pub(super) struct SuccessorWithSockets(Successor);

/// A successor that answers requests.
#[derive(Debug)]
pub(super) struct SuccessorServing(Successor);

impl Successor {
    pub(super) const fn new(stream: UnixStream, process: Option<u32>) -> Self {
        Self { stream, process }
    }

    pub(super) async fn refuse(&mut self, why: &str) -> io::Result<()> {
        frame::write(&mut self.stream, &TakeOverReply::Refused { why: why.to_owned() }).await
    }

    /// Sends the sockets and waits until the state file is asked for.
    pub(super) async fn offer(mut self, sockets: OfferedSockets) -> io::Result<SuccessorWithSockets> {
        let OfferedSockets { listeners, inherited, admin } = sockets;
        let reply = TakeOverReply::Offer {
            listeners: listeners.len(),
            inherited: inherited.len(),
            admin: admin.len(),
        };
        frame::write(&mut self.stream, &reply).await?;
        let all: Vec<_> = listeners.into_iter().chain(inherited).chain(admin).collect();
        descriptors::send(&self.stream, &all).await?;
        match self.step().await? {
            TakeOverStep::Release => Ok(SuccessorWithSockets(self)),
            TakeOverStep::Serving => Err(out_of_turn()),
        }
    }

    async fn step(&mut self) -> io::Result<TakeOverStep> {
        timeout(STEP, frame::read(&mut self.stream)).await.map_err(io::Error::other)?
    }
}

impl SuccessorWithSockets {
    /// Says that the state file is free and waits until the new process answers requests.
    pub(super) async fn release(self) -> io::Result<SuccessorServing> {
        let Self(mut successor) = self;
        frame::write(&mut successor.stream, &TakeOverReply::Released).await?;
        match successor.step().await? {
            TakeOverStep::Serving => Ok(SuccessorServing(successor)),
            TakeOverStep::Release => Err(out_of_turn()),
        }
    }
}

impl SuccessorServing {
    /// The id of its process, which is the service's from now on.
    pub(super) const fn process(&self) -> Option<u32> {
        self.0.process
    }

    /// Says that no new request is taken; from now on the stream carries operations on the store.
    pub(super) async fn drain(self) -> io::Result<UnixStream> {
        let Self(mut successor) = self;
        frame::write(&mut successor.stream, &TakeOverReply::Draining).await?;
        Ok(successor.stream)
    }
}

fn out_of_turn() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a step of the take-over came out of turn")
}
