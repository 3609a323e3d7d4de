//! Upgrades of the protocol, WebSocket first of all (RFC 9110, section 7.8; RFC 6455).

use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Version};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio::time::{sleep, timeout};

use super::pool::Lent;
use super::response::Lease;
use crate::http1::{Upgrade, tokens};

/// Both sides have said yes; their connections are ours within so long.
const HANDOVER: Duration = Duration::from_secs(10);

/// What a client asks to go on with.
pub(super) struct Asked {
    pub(super) protocol: HeaderValue,
    client: Upgrade,
}

impl Asked {
    /// The upgrade that `request` asks for.
    ///
    /// One with a body is not an upgrade here (its bytes would be read as the new protocol's), nor is
    /// one to another HTTP or to TLS: `h2c` would be a way around every check (invariant 12).
    pub(super) fn take<B: Body>(request: &mut Request<B>) -> Option<Self> {
        // Put there by the listener where there is anything to ask for.
        request.extensions().get::<Upgrade>()?;
        let headers = request.headers();
        let plain = request.version() == Version::HTTP_11
            && request.method() == Method::GET
            && request.body().is_end_stream()
            && !headers.contains_key(header::CONTENT_LENGTH)
            && !headers.contains_key(header::TRANSFER_ENCODING)
            && tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"));
        let named = tokens(headers, &header::UPGRADE).next().is_some();
        let fits = plain && named && tokens(headers, &header::UPGRADE).all(is_forwardable);
        let protocol = headers.get(header::UPGRADE).filter(|_| fits)?.clone();
        let client = request.extensions_mut().remove::<Upgrade>()?;
        Some(Self { protocol, client })
    }

    /// Whether `headers` of a `101` name what was asked for and nothing else.
    pub(super) fn is_answered_by(&self, headers: &HeaderMap) -> bool {
        let asked = self.protocol.to_str().unwrap_or_default();
        let mut answered = tokens(headers, &header::UPGRADE);
        let known = answered
            .next()
            .is_some_and(|answer| asked.split(',').any(|token| token.trim().eq_ignore_ascii_case(answer)));
        known && answered.next().is_none()
    }

    pub(super) fn into_tunnel(self, idle: Duration, lease: Lease) -> UpgradeTunnel {
        UpgradeTunnel { client: self.client, idle, lease }
    }
}

fn is_forwardable(token: &str) -> bool {
    let name = token.split('/').next().unwrap_or_default();
    !["h2c", "h2", "http", "tls"].iter().any(|refused| name.trim().eq_ignore_ascii_case(refused))
}

/// The two connections of an upgraded request. No byte passes before the client has been sent its
/// `101`: until then the listener keeps what it sent.
pub struct UpgradeTunnel {
    client: Upgrade,
    idle: Duration,
    lease: Lease,
}

/// How a tunnel ended.
#[derive(Debug)]
pub enum TunnelEnd {
    /// Both sides have closed: bytes from the client and from the upstream.
    Closed(u64, u64),
    /// Neither side said anything for `Timeouts::idle`.
    Silent,
    /// `cut` came first: the session is over, or the gateway drains.
    Cut,
    /// A connection broke or was never handed over.
    Broken(io::Error),
}

impl UpgradeTunnel {
    /// Passes bytes both ways until both sides have closed, both are silent for too long, or `cut`
    /// resolves; then both connections are closed.
    pub async fn run(self, cut: impl Future<Output = ()>) -> TunnelEnd {
        let Self { client, idle, lease: Lease { lent, active: _active, .. } } = self;
        let Lent::Http1 { connection, .. } = lent else {
            return TunnelEnd::Broken(io::Error::other(
                "only HTTP/1.1 connections become another protocol's",
            ));
        };
        let mut cut = pin!(cut);
        let client = tokio::select! {
            biased;
            () = &mut cut => return TunnelEnd::Cut,
            client = timeout(HANDOVER, client.take()) => match client {
                Ok(Ok(client)) => client,
                Ok(Err(error)) => return TunnelEnd::Broken(error),
                Err(error) => return TunnelEnd::Broken(error.into()),
            },
        };
        let active = AtomicBool::new(false);
        let mut client = Watched { io: client, active: &active };
        let mut upstream = connection.into_tunnel();
        tokio::select! {
            biased;
            () = cut => TunnelEnd::Cut,
            copied = copy_bidirectional(&mut client, &mut upstream) => match copied {
                Ok((sent, received)) => TunnelEnd::Closed(sent, received),
                Err(error) => TunnelEnd::Broken(error),
            },
            () = silence(idle, &active) => TunnelEnd::Silent,
        }
    }
}

async fn silence(idle: Duration, active: &AtomicBool) {
    loop {
        sleep(idle).await;
        if !active.swap(false, Ordering::Relaxed) {
            return;
        }
    }
}

/// The client's side, which every byte of either direction passes.
struct Watched<'a, T> {
    io: T,
    active: &'a AtomicBool,
}

impl<T: Unpin> Watched<'_, T> {
    fn note<R>(&self, done: Poll<R>) -> Poll<R> {
        if done.is_ready() {
            self.active.store(true, Ordering::Relaxed);
        }
        done
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<'_, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.io).poll_read(cx, buf);
        self.note(done)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<'_, T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.io).poll_write(cx, buf);
        self.note(done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl fmt::Debug for UpgradeTunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradeTunnel").field("lease", &self.lease).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{Empty, Full};

    use super::super::fixtures::map;
    use super::*;

    /// A request as the listener hands it on.
    fn request<B>(fields: &[(&str, &str)], body: B) -> Request<B> {
        let mut request = Request::new(body);
        *request.headers_mut() = map(fields);
        request.extensions_mut().insert(Upgrade::new(std::future::pending()));
        request
    }

    fn asked(fields: &[(&str, &str)]) -> Option<String> {
        let mut request = request(fields, Empty::<&[u8]>::new());
        Asked::take(&mut request).map(|asked| asked.protocol.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_websocket_is_an_upgrade() {
        let fields = [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")];
        assert_eq!(asked(&fields).as_deref(), Some("websocket"));
        assert_eq!(asked(&fields[..1]), None);
        assert_eq!(asked(&fields[1..]), None);
    }

    #[test]
    fn invariant_12_no_upgrade_to_another_http_and_none_with_a_body() {
        for protocol in ["h2c", "H2C", "websocket, h2c", "HTTP/2.0", "TLS/1.2", " , "] {
            assert_eq!(asked(&[("connection", "upgrade"), ("upgrade", protocol)]), None, "{protocol}");
        }
        let fields = [("connection", "upgrade"), ("upgrade", "websocket"), ("content-length", "5")];
        assert_eq!(asked(&fields), None);
        let mut request = request(&fields[..2], Full::new(&b"GET /admin"[..]));
        assert!(Asked::take(&mut request).is_none());
    }

    #[test]
    fn only_what_was_asked_for_answers() {
        let fields = [("connection", "upgrade"), ("upgrade", "websocket, foo/1")];
        let mut request = request(&fields, Empty::<&[u8]>::new());
        let asked = Asked::take(&mut request).unwrap();
        for (answer, fits) in
            [("WebSocket", true), ("foo/1", true), ("bar", false), ("websocket, foo/1", false)]
        {
            assert_eq!(asked.is_answered_by(&map(&[("upgrade", answer)])), fits, "{answer}");
        }
        assert!(!asked.is_answered_by(&HeaderMap::new()));
    }
}
