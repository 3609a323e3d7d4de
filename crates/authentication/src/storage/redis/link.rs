//! A connection that one task makes, and makes anew, for all who send on it.
//!
//! A link is *up*, with the number of its connection, or *down* since a moment. Whoever finds that a connection leads
//! nowhere says so with its number; the first to say so takes the link down, later ones about the same connection change
//! nothing. While it is down one task tries to connect, ever more seldom: however many requests wait, the server sees
//! one connection (no herd). Whoever comes in the first seconds waits for it; afterwards all are told at once that
//! the server is away.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};

use super::backoff::BackOff;
use super::servers::Servers;
use super::{COMMAND, RedisConnection, RedisError};

const FIRST_WAIT: Duration = Duration::from_millis(50);

/// A connection that held for so long was good: the next one that is needed is tried for without a long wait.
const GOOD: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub(super) struct Link {
    state: watch::Receiver<LinkState>,
    troubles: mpsc::Sender<Trouble>,
}

/// A connection, and its number.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    pub(super) number: u64,
    pub(super) connection: RedisConnection,
}

#[derive(Clone, Debug)]
enum LinkState {
    Up(Numbered),
    Down { since: Instant, why: RedisError },
}

/// The connection of this number leads nowhere.
type Trouble = (u64, Arc<str>);

impl Link {
    /// A link that is kept up by a task on `background`, until the last clone is dropped.
    pub(super) fn keep(name: &Arc<str>, servers: Arc<Servers>, background: &Handle) -> Self {
        let (troubles, told) = mpsc::channel(64);
        let why = RedisError::away(name, "it is being connected to");
        let (state, seen) = watch::channel(LinkState::Down { since: Instant::now(), why });
        background.spawn(stay_connected(Arc::clone(name), servers, state, told));
        Self { state: seen, troubles }
    }

    /// The connection, once there is one.
    ///
    /// # Errors
    /// Why there is none: at once where that has been so for a while, or where waiting changes nothing; at `deadline`
    /// otherwise.
    pub(super) async fn connection(&self, deadline: Instant) -> Result<Numbered, RedisError> {
        let mut state = self.state.clone();
        loop {
            let (until, why) = match &*state.borrow_and_update() {
                LinkState::Up(numbered) => return Ok(numbered.clone()),
                LinkState::Down { why, .. } if why.is_final() => return Err(why.clone()),
                LinkState::Down { since, why } => (deadline.min(*since + COMMAND), why.clone()),
            };
            match timeout_at(until, state.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Err(why),
            }
        }
    }

    /// The connection that is up leads to the wrong server.
    pub(super) fn leave(&self, why: &str) {
        let number = match &*self.state.borrow() {
            LinkState::Up(Numbered { number, .. }) => *number,
            LinkState::Down { .. } => return,
        };
        self.report(number, why);
    }

    /// The connection of this number leads nowhere.
    pub(super) fn report(&self, number: u64, why: impl ToString) {
        // Where the queue is full, somebody has said so.
        let _ = self.troubles.try_send((number, why.to_string().into()));
    }
}

async fn stay_connected(
    name: Arc<str>,
    servers: Arc<Servers>,
    state: watch::Sender<LinkState>,
    mut troubles: mpsc::Receiver<Trouble>,
) {
    let mut backoff = BackOff::new(FIRST_WAIT);
    let mut since = Instant::now();
    for number in 0.. {
        let connection = tokio::select! {
            connection = connect((&name, &servers), &state, &mut backoff, since) => connection,
            () = state.closed() => return,
        };
        let made = Instant::now();
        state.send_replace(LinkState::Up(Numbered { number, connection }));
        let Some(why) = trouble(&mut troubles, number).await else { return };
        since = Instant::now();
        state.send_replace(LinkState::Down { since, why: RedisError::away(&name, why) });
        if since - made >= GOOD {
            backoff.reset();
        } else {
            sleep(backoff.wait()).await;
        }
    }
}

/// Tries until it is connected.
async fn connect(
    (name, servers): (&Arc<str>, &Servers),
    state: &watch::Sender<LinkState>,
    backoff: &mut BackOff,
    since: Instant,
) -> RedisConnection {
    loop {
        match servers.connect(COMMAND).await {
            Ok(connection) => return connection,
            Err(error) => {
                state.send_replace(LinkState::Down { since, why: RedisError::of(name, &error) });
                sleep(backoff.wait()).await;
            }
        }
    }
}

/// What is wrong with the connection of this number; `None` once nobody sends on it any more.
async fn trouble(troubles: &mut mpsc::Receiver<Trouble>, number: u64) -> Option<Arc<str>> {
    loop {
        let (of, why) = troubles.recv().await?;
        if of == number {
            return Some(why);
        }
    }
}
