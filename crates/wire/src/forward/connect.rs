//! Making connections: addresses, sockets, TLS, and the HTTP handshake.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{sleep, timeout};

use super::body::OutboundBody;
use super::http1::{Http1Connection, UpstreamStream};
use super::tls::{self, Alpn, TlsConnectors};
use super::{ForwardError, ForwardFault, Protocol, Server, ServerAddress, UpstreamError, UpstreamSettings};
use crate::http1::MAX_HEAD;

/// The head start that an address has over the next (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Addresses of a name that are tried.
const MAX_ADDRESSES: usize = 8;

/// How often an HTTP/2 connection is pinged while requests are under way on it.
const PING: Duration = Duration::from_secs(30);

/// How to get to one server.
pub(super) struct Connector {
    server: Server,
    tls: Option<(TlsConnectors, ServerName<'static>)>,
    timeout: Duration,
    max_fields: usize,
    label: Arc<str>,
}

/// A connection that has just been made.
#[derive(Debug)]
pub(super) enum NewConnection {
    Http1(Box<Http1Connection>),
    /// It needs a task of its own, for it is shared.
    Http2(http2::SendRequest<OutboundBody>, Box<Http2Connection>),
}

type Http2Connection = http2::Connection<TokioIo<UpstreamStream>, OutboundBody, TokioExecutor>;

impl Connector {
    pub(super) fn new(
        server: &Server,
        tls: Option<&TlsConnectors>,
        settings: &UpstreamSettings,
    ) -> Result<Self, UpstreamError> {
        let tls = tls.cloned().zip(tls::server_name(server, &settings.tls)?);
        let (timeout, max_fields) = (settings.timeout.connect, settings.max_fields);
        Ok(Self { server: server.clone(), tls, timeout, max_fields, label: label(server).into() })
    }

    /// What the server is called in logs: `host:port` or the socket's path.
    pub(super) const fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// Whether a connection may turn out to speak HTTP/2.
    pub(super) fn may_be_http2(&self, upgrade: bool) -> bool {
        match Alpn::of(self.server.protocol, upgrade) {
            Alpn::Http1 => false,
            Alpn::Http2 => true,
            Alpn::Either => self.tls.is_some(),
        }
    }

    /// Makes a connection, all of it within the time limit.
    pub(super) async fn connect(&self, upgrade: bool) -> Result<NewConnection, ForwardError> {
        let connecting = self.dial(Alpn::of(self.server.protocol, upgrade));
        let done = timeout(self.timeout, connecting).await;
        done.unwrap_or_else(|_| Err(ForwardFault::ConnectTimeout.into()))
            .map_err(|error| error.at(&self.label))
    }

    async fn dial(&self, alpn: Alpn) -> Result<NewConnection, ForwardError> {
        match (&self.server.address, &self.tls) {
            (ServerAddress::Unix(path), _) => {
                let socket = UnixStream::connect(path).await;
                let socket = socket.map_err(|error| ForwardError::new(ForwardFault::Connect, error))?;
                self.speak(UpstreamStream::Unix(socket), alpn == Alpn::Http2).await
            }
            (ServerAddress::Tcp { host, port, tls: false }, _) => {
                self.speak(UpstreamStream::Tcp(tcp(host, *port).await?), alpn == Alpn::Http2).await
            }
            (ServerAddress::Tcp { host, port, .. }, Some((tls, name))) => {
                let socket = tcp(host, *port).await?;
                let stream = tls.connector(alpn).connect(name.clone(), socket).await;
                let stream = stream.map_err(|error| ForwardError::new(ForwardFault::Tls, error))?;
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                if alpn == Alpn::Http2 && !http2 {
                    return Err(ForwardError::new(
                        ForwardFault::Tls,
                        "the server did not agree on h2 (ALPN)",
                    ));
                }
                self.speak(UpstreamStream::Tls(Box::new(stream)), http2).await
            }
            // Fail closed: what should be TLS is never sent in clear.
            (ServerAddress::Tcp { .. }, None) => Err(ForwardFault::Internal.into()),
        }
    }

    async fn speak(&self, stream: UpstreamStream, http2: bool) -> Result<NewConnection, ForwardError> {
        if http2 {
            speak_http2(stream).await.map_err(|error| ForwardError::new(ForwardFault::Connect, error))
        } else {
            Ok(NewConnection::Http1(Box::new(Http1Connection::new(stream, self.max_fields))))
        }
    }
}

fn label(server: &Server) -> String {
    match &server.address {
        ServerAddress::Tcp { host, port, .. } => format!("{host}:{port}"),
        ServerAddress::Unix(path) => path.display().to_string(),
    }
}

/// The `Host` of a server that is asked under its own name.
pub(super) fn own_host(server: &Server) -> Result<http::HeaderValue, UpstreamError> {
    let text = match (&server.address, server.protocol) {
        (ServerAddress::Unix(_), Protocol::Auto | Protocol::Http1 | Protocol::Http2) => {
            "localhost".to_owned()
        }
        (ServerAddress::Tcp { host, port: 443, tls: true }, _)
        | (ServerAddress::Tcp { host, port: 80, tls: false }, _) => bracketed(host),
        (ServerAddress::Tcp { host, port, .. }, _) => format!("{}:{port}", bracketed(host)),
    };
    text.parse().map_err(|_| UpstreamError::Host(text))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, ForwardError> {
    let socket = match resolve(host, port).await {
        Ok(addresses) => race(&addresses).await,
        Err(error) => Err(error),
    };
    let socket = socket.map_err(|error| ForwardError::new(ForwardFault::Connect, error))?;
    // Without it small requests wait for acknowledgements; a socket that refuses is only slower.
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => Ok(vec![SocketAddr::new(address, port)]),
        // A name may have any number of addresses; of both families together a few are tried.
        Err(_) => lookup_host((bare, port)).await.map(|found| alternate(found.take(64).collect())),
    }
}

/// Families take turns, the resolver's first choice first (RFC 8305, section 4).
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (one, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == first);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    std::iter::from_fn(|| {
        let pair: Vec<_> = one.next().into_iter().chain(other.next()).collect();
        (!pair.is_empty()).then_some(pair)
    })
    .flatten()
    .take(MAX_ADDRESSES)
    .collect()
}

/// The first address that answers; the next one joins in when one has failed or is slow.
async fn race(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut waiting = addresses.iter();
    let mut running = FuturesUnordered::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    running.extend(waiting.next().map(|address| TcpStream::connect(*address)));
    loop {
        let next = tokio::select! {
            done = running.next() => match done {
                Some(Ok(socket)) => return Ok(socket),
                Some(Err(error)) => {
                    last = error;
                    waiting.next()
                }
                None => return Err(last),
            },
            () = sleep(STAGGER), if waiting.len() > 0 => waiting.next(),
        };
        running.extend(next.map(|address| TcpStream::connect(*address)));
    }
}

async fn speak_http2(stream: UpstreamStream) -> hyper::Result<NewConnection> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
    builder.keep_alive_interval(PING).keep_alive_timeout(PING / 2);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    Ok(NewConnection::Http2(sender, Box::new(connection)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = parse(&["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1", "127.0.0.2:1"]);
        let turns = parse(&["[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"]);
        assert_eq!(alternate(mixed), turns);
        assert_eq!(alternate(Vec::new()), Vec::new());
    }

    #[tokio::test]
    async fn a_dead_address_gives_way_to_the_next() {
        let alive = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let alive_at = alive.local_addr().unwrap();
        assert_eq!(race(&[dead, alive_at]).await.unwrap().peer_addr().unwrap(), alive_at);
        assert!(race(&[dead]).await.is_err());
        assert!(race(&[]).await.is_err());
    }

    #[test]
    fn a_server_is_called_by_its_authority() {
        let host = |host: &str, port, tls| {
            let address = ServerAddress::Tcp { host: host.into(), port, tls };
            own_host(&Server { address, protocol: Protocol::Auto }).unwrap()
        };
        assert_eq!(host("a.example", 80, false), "a.example");
        assert_eq!(host("a.example", 80, true), "a.example:80");
        assert_eq!(host("a.example", 443, true), "a.example");
        assert_eq!(host("::1", 8080, false), "[::1]:8080");
    }
}
