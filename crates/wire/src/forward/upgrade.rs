//! Upgrades of the protocol, WebSocket first of all (RFC 9110, section 7.8; RFC 6455).

use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Version};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional};
use tokio::time::{sleep, timeout};

use super::checkout::Checkout;
use super::pooled::PooledConnection;
use super::web_socket::{CloseFrame, FrameTracker};
use crate::http1::{Upgrade, tokens};
use crate::secret::random_bytes;

/// How long the client's connection may take to be handed over: until its `101` has left.
const HANDOVER: Duration = Duration::from_secs(10);

/// How long a peer may take to read its close frame and to close its side.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a client asks to go on with.
pub(super) struct UpgradeRequest {
    pub(super) protocol: HeaderValue,
    client: Upgrade,
}

impl UpgradeRequest {
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
            && mutant!(request.body().is_end_stream(), "upgrade-with-a-body" => true)
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

    /// What goes on in the protocol that the upstream has `chosen`.
    pub(super) fn into_tunnel(
        self,
        chosen: &HeaderValue,
        idle: Duration,
        checkout: Checkout,
    ) -> UpgradeTunnel {
        let web_socket = chosen.as_bytes().eq_ignore_ascii_case(b"websocket");
        UpgradeTunnel { client: self.client, web_socket, idle, checkout }
    }
}

fn is_forwardable(token: &str) -> bool {
    let name = token.split('/').next().unwrap_or_default();
    !mutant!(["h2c", "h2", "http", "tls"], "upgrade-to-h2c" => ["", "h2", "http", "tls"])
        .iter()
        .any(|refused| name.trim().eq_ignore_ascii_case(refused))
}

/// The two connections of an upgraded request. No byte passes before the client has been sent its
/// `101`: until then the listener keeps what it sent.
pub struct UpgradeTunnel {
    client: Upgrade,
    web_socket: bool,
    idle: Duration,
    checkout: Checkout,
}

/// How a tunnel ended.
#[derive(Debug)]
pub enum TunnelEnd {
    /// Both sides have closed.
    Closed {
        /// Bytes from the client.
        sent: u64,
        /// Bytes from the upstream.
        received: u64,
    },
    /// Neither side said anything for `Timeouts::idle`.
    Silent,
    /// `cut` came first.
    Cut,
    /// A connection broke or was never handed over.
    Broken(io::Error),
}

impl UpgradeTunnel {
    /// Passes bytes both ways until both sides have closed, both are silent for too long, or `cut` resolves; then
    /// both connections are closed. A WebSocket is told first what `cut` gives, where no frame is under way.
    ///
    /// `used` is called for data frames that a client sends over a WebSocket; never for what only keeps a
    /// connection open, nor for other protocols.
    pub async fn run(
        self,
        cut: impl Future<Output = CloseFrame>,
        used: impl Fn() + Send + Sync,
    ) -> TunnelEnd {
        let Self { client, web_socket, idle, checkout } = self;
        let Checkout { connection, active: _active, .. } = checkout;
        let PooledConnection::Http1 { connection, .. } = connection else {
            return TunnelEnd::Broken(io::Error::other(
                "only HTTP/1.1 connections become another protocol's",
            ));
        };
        let mut cut = pin!(cut);
        let client = tokio::select! {
            biased;
            _ = &mut cut => return TunnelEnd::Cut,
            client = timeout(HANDOVER, client.take()) => match client {
                Ok(Ok(client)) => client,
                Ok(Err(error)) => return TunnelEnd::Broken(error),
                Err(error) => return TunnelEnd::Broken(error.into()),
            },
        };
        let active = AtomicBool::new(false);
        let progress = || active.store(true, Ordering::Relaxed);
        // Every byte passes through the client's side: that one tells of progress for both.
        let mut client = TunnelSide::new(client, web_socket, &progress, &|| {});
        let mut upstream = TunnelSide::new(connection.into_tunnel(), web_socket, &|| {}, &used);
        let close = tokio::select! {
            biased;
            close = cut => close,
            copied = copy_bidirectional(&mut client, &mut upstream) => return match copied {
                Ok((sent, received)) => TunnelEnd::Closed { sent, received },
                Err(error) => TunnelEnd::Broken(error),
            },
            () = silence(idle, &active) => return TunnelEnd::Silent,
        };
        // Towards the upstream we are the client, which must mask its frames (RFC 6455, section 5.3).
        tokio::join!(client.send_close(close, None), upstream.send_close(close, Some(random_bytes())));
        TunnelEnd::Cut
    }
}

async fn silence(idle: Duration, active: &AtomicBool) {
    loop {
        // A flag that is read once in `idle`, and no timer that is moved for each byte: a silent tunnel ends
        // after one to two such spans.
        sleep(idle).await;
        if !active.swap(false, Ordering::Relaxed) {
            return;
        }
    }
}

/// One of the two connections of a tunnel, and who is told of what passes on it.
struct TunnelSide<'a, T> {
    io: T,
    /// The frames that are written to it, where it is a WebSocket.
    frames: Option<FrameTracker>,
    /// Told of every byte that is read from it or written to it.
    progress: &'a (dyn Fn() + Send + Sync),
    /// Told of every data frame that is written to it.
    data: &'a (dyn Fn() + Send + Sync),
}

impl<'a, T: AsyncRead + AsyncWrite + Unpin> TunnelSide<'a, T> {
    fn new(
        io: T,
        web_socket: bool,
        progress: &'a (dyn Fn() + Send + Sync),
        data: &'a (dyn Fn() + Send + Sync),
    ) -> Self {
        Self { io, frames: web_socket.then(FrameTracker::default), progress, data }
    }

    /// Sends a close frame where one may stand, and lets the peer read it: a close at once would be a reset where the
    /// peer is still sending, and would overtake the frame.
    async fn send_close(mut self, close: CloseFrame, mask: Option<[u8; 4]>) {
        if !self.frames.is_some_and(|frames| frames.is_between()) {
            return;
        }
        let said = async {
            self.io.write_all(&close.bytes(mask)).await?;
            self.io.shutdown().await?;
            tokio::io::copy(&mut self.io, &mut tokio::io::sink()).await
        };
        let _ = timeout(FAREWELL, said).await;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for TunnelSide<'_, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf).map(|done| {
            (self.progress)();
            done
        })
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TunnelSide<'_, T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, buf));
        (self.progress)();
        if let (Some(frames), Ok(size)) = (&mut self.frames, &written)
            && mutant!(frames.follow(&buf[..*size]), "data-is-no-use" => false)
        {
            (self.data)();
        }
        Poll::Ready(written)
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
        f.debug_struct("UpgradeTunnel").field("checkout", &self.checkout).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{Empty, Full};

    use super::*;
    use crate::forward::fixtures::map;

    /// A request as the listener hands it on.
    fn request<B>(fields: &[(&str, &str)], body: B) -> Request<B> {
        let mut request = Request::new(body);
        *request.headers_mut() = map(fields);
        request.extensions_mut().insert(Upgrade::new(std::future::pending()));
        request
    }

    fn asked(fields: &[(&str, &str)]) -> Option<String> {
        let mut request = request(fields, Empty::<&[u8]>::new());
        UpgradeRequest::take(&mut request).map(|upgrade| upgrade.protocol.to_str().unwrap().to_owned())
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
        assert!(UpgradeRequest::take(&mut request).is_none());
    }

    #[test]
    fn only_what_was_asked_for_answers() {
        let fields = [("connection", "upgrade"), ("upgrade", "websocket, foo/1")];
        let mut request = request(&fields, Empty::<&[u8]>::new());
        let asked = UpgradeRequest::take(&mut request).unwrap();
        for (answer, fits) in
            [("WebSocket", true), ("foo/1", true), ("bar", false), ("websocket, foo/1", false)]
        {
            assert_eq!(asked.is_answered_by(&map(&[("upgrade", answer)])), fits, "{answer}");
        }
        assert!(!asked.is_answered_by(&HeaderMap::new()));
    }
}
