//! One connection: PROXY header, TLS, HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::activity::Activity;
use super::connection_slots::ConnectionGuard;
use super::http1::Http1;
use super::http2;
use super::phase::left;
use super::proxy::{self, ProxyError};
use super::socket::{AcceptedStream, UNNAMED};
use super::stats::ConnectionRefusal;
use super::stream::{ClientStream, HttpStream, Prefixed};
use super::watch::{NEWCOMER, Watch};
use super::{Handler, Phase, ProxyProtocol, Serving};
use crate::request::{ConnectionCache, InterimAnswers, Scheme, Transport, WorkerId};

/// Bytes that HTTP/2 begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// An accepted connection, on its way to HTTP and through it.
///
/// - It opens: PROXY header where the listener wants one, TLS where it has certificates, and the version of HTTP: by
///   ALPN, or in clear by the first bytes. All of it is due within `limits.handshake`, and given up where the listener
///   drains or stops meanwhile.
/// - It serves: [`Watch`] polls it until the peer, a time limit or the phase ends it.
///
/// The guard counts it from here to its end, and goes along where its stream is handed to an upgrade.
pub(super) struct Connection<H> {
    pub(super) serving: Arc<Serving>,
    pub(super) handler: H,
    pub(super) worker: WorkerId,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) guard: ConnectionGuard,
    pub(super) activity: Arc<Activity>,
}

/// A peer's stream and what is known of it before HTTP begins.
struct Opened {
    stream: ClientStream,
    transport: Transport,
    http2: bool,
}

/// Why a connection was closed before HTTP began.
#[derive(Debug, thiserror::Error)]
enum Unopened {
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("TLS handshake: {0}")]
    Tls(#[source] std::io::Error),
    #[error("the connection ended before its first request")]
    Ended(#[source] std::io::Error),
}

/// Ends when a connection on which HTTP has not begun is to be given up: [`NEWCOMER`] after the drain has
/// begun, or as soon as the listener stops.
async fn given_up(phase: &mut watch::Receiver<Phase>) {
    let mut stopped = phase.clone();
    let drained = async {
        left(phase, |phase| phase != Phase::Serve).await;
        sleep(NEWCOMER).await;
    };
    tokio::select! {
        () = drained => {}
        () = left(&mut stopped, |phase| phase == Phase::Stop) => {}
    }
}

impl<H: Handler> Connection<H> {
    pub(super) async fn run(mut self, stream: AcceptedStream) {
        let (limit, peer) = (self.serving.limits.handshake, stream.peer());
        let mut phase = self.phase.clone();
        let opened = tokio::select! {
            // Boxed, as what follows: a connection that waits has no use for the room of its handshake.
            opened = timeout(limit, Box::pin(self.open(stream))) => opened,
            () = given_up(&mut phase) => return,
        };
        match opened {
            Ok(Ok(opened)) => Box::pin(self.serve(opened)).await,
            Ok(Err(error)) => self.unopened(&error, peer),
            Err(_) => {
                tracing::debug!(%peer, limit = ?limit, "PROXY header or TLS handshake took too long");
                self.guard.stats().count(ConnectionRefusal::Slow);
            }
        }
    }

    /// Serves requests until the peer, a time limit or the phase ends it.
    async fn serve(self, Opened { stream, transport, http2 }: Opened) {
        let Self { serving, handler, phase, guard, activity, .. } = self;
        let (stats, transport) = (Arc::clone(guard.stats()), Arc::new(transport));
        activity.open();
        let watch = Watch { activity: &activity, limits: &serving.limits, stats: &stats };
        let io = HttpStream { stream, activity: Arc::clone(&activity), guard };
        if http2 {
            watch.run(phase, Box::pin(http2::serve(handler, transport, &serving.limits, io))).await;
        } else {
            let http1 = Http1::new(handler, transport, Arc::clone(&serving), io);
            watch.run(phase, Box::pin(http1.served())).await;
        }
    }

    async fn open(&mut self, stream: AcceptedStream) -> Result<Opened, Unopened> {
        match stream {
            AcceptedStream::Tcp(stream, peer) => self.open_tcp(stream, peer).await,
            AcceptedStream::Unix(stream) => {
                let transport = self.transport(UNNAMED, UNNAMED, Scheme::Http, false);
                Ok(Opened { stream: ClientStream::Unix(stream), transport, http2: false })
            }
        }
    }

    fn transport(&self, peer: SocketAddr, local: SocketAddr, scheme: Scheme, http2: bool) -> Transport {
        let interim = (!http2).then(InterimAnswers::default);
        let (worker, to_https) = (self.worker, self.serving.settings.to_https);
        Transport { peer, local, scheme, to_https, worker, cache: ConnectionCache::default(), interim }
    }

    async fn open_tcp(&mut self, mut stream: TcpStream, peer: SocketAddr) -> Result<Opened, Unopened> {
        // Small answers leave at once. Where it cannot be set they leave a little later, which is no reason
        // to refuse.
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().map_err(Unopened::Ended)?;
        let (addresses, rest) = match &self.serving.settings.proxy_protocol {
            Some(from) if !mutant!(from.may_come_from(peer.ip()), "proxy-header-of-a-stranger" => true) => {
                return Err(ProxyError::Stranger.into());
            }
            Some(ProxyProtocol { version, .. }) => {
                let proxied = proxy::read(&mut stream, *version).await?;
                (proxied.addresses, proxied.rest)
            }
            None => (None, Bytes::new()),
        };
        let (peer, local) = addresses.unwrap_or((peer, local));
        match self.serving.acceptor() {
            Some(acceptor) => {
                let stream = acceptor.accept(Prefixed::new(rest, stream)).await.map_err(Unopened::Tls)?;
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let transport = self.transport(peer, local, Scheme::Https, http2);
                Ok(Opened { stream: ClientStream::Tls(Box::new(stream)), transport, http2 })
            }
            None => {
                let (rest, http2) = self.prior_knowledge(&mut stream, rest).await.map_err(Unopened::Ended)?;
                let transport = self.transport(peer, local, Scheme::Http, http2);
                Ok(Opened { stream: ClientStream::Clear(Prefixed::new(rest, stream)), transport, http2 })
            }
        }
    }

    /// Whether HTTP/2 in clear is allowed and spoken; reads no further than it takes to tell.
    async fn prior_knowledge(&self, stream: &mut TcpStream, rest: Bytes) -> std::io::Result<(Bytes, bool)> {
        if !self.serving.settings.h2c {
            return Ok((rest, false));
        }
        let mut seen = BytesMut::from(rest);
        loop {
            if seen.starts_with(PREFACE) || !PREFACE.starts_with(&seen) {
                return Ok((seen.clone().freeze(), seen.starts_with(PREFACE)));
            }
            if stream.read_buf(&mut seen).await? == 0 {
                return Ok((seen.freeze(), false));
            }
        }
    }

    fn unopened(&self, error: &Unopened, peer: SocketAddr) {
        tracing::debug!(%peer, %error, "connection refused");
        match error {
            Unopened::Proxy(_) => self.guard.stats().count(ConnectionRefusal::ProxyHeader),
            Unopened::Tls(_) => self.guard.stats().count(ConnectionRefusal::Handshake),
            Unopened::Ended(_) => {}
        }
    }
}
