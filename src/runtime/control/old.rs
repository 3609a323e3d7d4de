//! The steps of a take-over as the old process goes through them; each is a type, so that none is left out.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

use super::protocol::{Reply, Step};
use super::{descriptors, frame};

/// How long the new process may take for its next step: a start with a large state file that is brought up to
/// date is in it.
const STEP: Duration = Duration::from_secs(120);

/// Somebody who wants to take over.
#[derive(Debug)]
pub(in crate::runtime) struct Successor {
    stream: UnixStream,
    process: Option<u32>,
}

/// Sockets for the new process: the same ones, so that no connection is refused or lost in a queue.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Offered {
    /// Of `[server] listen`, one for each worker.
    pub(in crate::runtime) listeners: Vec<TcpListener>,
    /// Given by systemd.
    pub(in crate::runtime) inherited: Vec<TcpListener>,
    /// Of `[admin] listen`.
    pub(in crate::runtime) admin: Vec<TcpListener>,
}

/// It has the sockets, and waits for the state file.
#[derive(Debug)]
pub(super) struct Waiting(Successor);

/// It answers requests.
#[derive(Debug)]
pub(super) struct Serving(Successor);

impl Successor {
    pub(super) const fn new(stream: UnixStream, process: Option<u32>) -> Self {
        Self { stream, process }
    }

    pub(super) async fn refuse(&mut self, why: &str) -> io::Result<()> {
        frame::write(&mut self.stream, &Reply::Refused { why: why.to_owned() }).await
    }

    /// Sends the sockets and waits until the state file is asked for.
    pub(super) async fn offer(mut self, sockets: Offered) -> io::Result<Waiting> {
        let Offered { listeners, inherited, admin } = sockets;
        let reply =
            Reply::Offer { listeners: listeners.len(), inherited: inherited.len(), admin: admin.len() };
        frame::write(&mut self.stream, &reply).await?;
        let all: Vec<_> = listeners.into_iter().chain(inherited).chain(admin).collect();
        descriptors::send(&self.stream, &all).await?;
        match self.step().await? {
            Step::Release => Ok(Waiting(self)),
            Step::Serving => Err(out_of_turn()),
        }
    }

    async fn step(&mut self) -> io::Result<Step> {
        timeout(STEP, frame::read(&mut self.stream)).await.map_err(io::Error::other)?
    }
}

impl Waiting {
    /// Says that the state file is free and waits until the new process answers requests.
    pub(super) async fn release(self) -> io::Result<Serving> {
        let Self(mut successor) = self;
        frame::write(&mut successor.stream, &Reply::Released).await?;
        match successor.step().await? {
            Step::Serving => Ok(Serving(successor)),
            Step::Release => Err(out_of_turn()),
        }
    }
}

impl Serving {
    /// The process that the service is now.
    pub(super) const fn process(&self) -> Option<u32> {
        self.0.process
    }

    /// Says that no new request is taken; from now on the stream carries operations on the store.
    pub(super) async fn drain(self) -> io::Result<UnixStream> {
        let Self(mut successor) = self;
        frame::write(&mut successor.stream, &Reply::Draining).await?;
        Ok(successor.stream)
    }
}

fn out_of_turn() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a step of the take-over came out of turn")
}
