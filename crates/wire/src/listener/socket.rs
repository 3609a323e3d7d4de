//! The socket of a listener, and what is accepted from it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::unix::UCred;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Stands for the address of a peer that has none.
pub(super) const UNNAMED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// What answers a peer with these credentials; `None`: nothing does.
type Admit<H> = Box<dyn Fn(UCred) -> Option<H> + Send + Sync>;

/// A socket that is listened on, and what answers there.
pub(super) enum Listening<H> {
    Tcp(TcpListener, H),
    Unix(UnixListener, Admit<H>),
}

/// A connection before its first byte.
pub(super) enum AcceptedStream {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl<H: Clone> Listening<H> {
    /// The next connection, and what answers it. Nothing is lost where the future is dropped.
    pub(super) async fn accept(&self) -> io::Result<(AcceptedStream, H)> {
        match self {
            Self::Tcp(listener, handler) => {
                let (stream, peer) = listener.accept().await?;
                Ok((AcceptedStream::Tcp(stream, peer), handler.clone()))
            }
            Self::Unix(listener, admit) => loop {
                let (stream, _) = listener.accept().await?;
                if let Some(handler) = stream.peer_cred().ok().and_then(admit) {
                    return Ok((AcceptedStream::Unix(stream), handler));
                }
            },
        }
    }
}

impl AcceptedStream {
    pub(super) const fn peer(&self) -> SocketAddr {
        match self {
            Self::Tcp(_, peer) => *peer,
            Self::Unix(_) => UNNAMED,
        }
    }
}
