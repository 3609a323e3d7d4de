//! A network between a gateway and a server, or a balancer before gateways, that does what a test says.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Connections to a port of its own go on to one target after the other.
#[derive(Debug)]
pub struct TestNetwork {
    port: u16,
    state: watch::Sender<State>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    targets: Vec<u16>,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Connections end, and no other can be made.
    Cut,
    /// Connections stay, and nothing comes through: a peer that has vanished.
    Swallow,
}

impl TestNetwork {
    /// One that passes everything on to these ports of loopback.
    pub async fn to(targets: &[u16]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, seen) = watch::channel(State { targets: targets.to_vec(), mode: Mode::Pass });
        tokio::spawn(accept(listener, seen));
        Self { port, state }
    }

    /// Where it is reached.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All connections end, and new ones end at once.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.mode = Mode::Cut);
    }

    /// Nothing comes through any more, and nobody is told.
    pub fn swallow(&self) {
        self.state.send_modify(|state| state.mode = Mode::Swallow);
    }

    /// New connections are as they were.
    pub fn heal(&self) {
        self.state.send_modify(|state| state.mode = Mode::Pass);
    }

    /// All connections end; new ones go there.
    pub fn move_to(&self, targets: &[u16]) {
        self.state.send_modify(|state| state.targets = targets.to_vec());
    }
}

async fn accept(listener: TcpListener, state: watch::Receiver<State>) {
    let turn = Arc::new(AtomicUsize::new(0));
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(pass(client, state.clone(), turn.fetch_add(1, Ordering::Relaxed)));
    }
}

async fn pass(client: TcpStream, mut state: watch::Receiver<State>, turn: usize) {
    let begun = state.borrow_and_update().clone();
    if begun.mode == Mode::Cut {
        return;
    }
    let Some(target) = begun.targets.get(turn % begun.targets.len().max(1)) else { return };
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, *target)).await else { return };
    let (read_client, write_client) = client.into_split();
    let (read_server, write_server) = server.into_split();
    let there = copy(read_client, write_server, state.clone());
    let back = copy(read_server, write_client, state.clone());
    let ended = async {
        loop {
            if state.changed().await.is_err() {
                return;
            }
            let now = state.borrow_and_update();
            if now.mode == Mode::Cut || now.targets != begun.targets {
                return;
            }
        }
    };
    tokio::select! { () = there => {} () = back => {} () = ended => {} }
}

async fn copy(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    state: watch::Receiver<State>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let swallows = state.borrow().mode == Mode::Swallow;
        if !swallows && to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
