//! The bytes of a connection to an upstream.

use std::io;
use std::task::{Context, Poll};

use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

use crate::http1::{PollReadable, delegate_read, delegate_write};

/// A stream to an upstream, by whatever way it is reached.
#[derive(Debug)]
pub(in crate::forward) enum UpstreamStream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

impl PollReadable for UpstreamStream {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            Self::Unix(stream) => stream.poll_read_ready(cx),
            Self::Tls(_) => Poll::Ready(Ok(())),
        }
    }
}

delegate_read!(UpstreamStream {
    Self::Tcp(stream) => stream,
    Self::Tls(stream) => stream,
    Self::Unix(stream) => stream,
});
delegate_write!(UpstreamStream {
    Self::Tcp(stream) => stream,
    Self::Tls(stream) => stream,
    Self::Unix(stream) => stream,
});
