//! What operators ask, on a second listener and on a unix socket: health, readiness, metrics, and the
//! management API. Never on the public listener.

mod management;
mod pages;
mod peer;
mod settings;
#[cfg(test)]
mod testing;

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

use crate::events::RequestUnreadable;
use crate::listener::{
    self, ConnectionLimits, Handler, ListenerSettings, Phase, RequestBody, Serving, TlsError,
};
use crate::request::{Transport, WorkerId};
use crate::secret::Secret;
use crate::telemetry::Metrics;
use management::Refusal;
use peer::Peer;

pub use management::{
    EndSessions, EndedSessions, ErasePerson, LimitState, Management, Problem, ProviderKeys, ProviderOverview,
    ProviderState, Reading, Reason, RouteLimits, SessionEntry, SessionList, SessionSelection,
    SignalsOverview,
};
pub use settings::{AdminSettings, LONGEST_SOCKET_PATH};

/// Connections at once. A connection on which no request is being answered is one whose peer is silent or
/// does not read, and it is closed for a newcomer.
pub const CONNECTIONS: usize = 64;

const LIMITS: ConnectionLimits = ConnectionLimits {
    max_connections: CONNECTIONS,
    max_head: 16 * 1024,
    max_fields: 100,
    handshake: Duration::from_secs(5),
    head: Duration::from_secs(5),
    // Longer than the usual time between two scrapes, so that their connection is kept; also how long a peer
    // may read nothing.
    idle: Duration::from_secs(75),
    evict_stalled: Duration::ZERO,
    max_streams: 1,
};

/// What keeps the gateway from its work: a word for machines and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Missing {
    /// What is missing: `provider corp`, `state`.
    pub what: String,
    /// Why, as far as it is known.
    pub why: String,
    /// Whether the gateway as a whole is not ready; otherwise only a part of it waits.
    pub fatal: bool,
}

/// What the answers are made from.
#[derive(Clone)]
pub struct AdminSources {
    /// What is missing at the moment.
    pub readiness: Arc<dyn Fn() -> Vec<Missing> + Send + Sync>,
    /// What has been counted.
    pub metrics: Metrics,
    /// Names of the listener beside its addresses and `localhost`, lower-case.
    pub hosts: Vec<String>,
    /// What callers of the management API show who come by the address; `None`: it is not there for them.
    pub token: watch::Receiver<Option<Secret>>,
    /// What the management API acts on.
    pub management: Management,
}

impl fmt::Debug for AdminSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminSources")
    }
}

/// Answers on `listener` until `phase` says otherwise, and returns when all connections have ended.
///
/// # Errors
/// Never: it speaks no TLS.
pub async fn serve(
    listener: TcpListener,
    sources: AdminSources,
    phase: watch::Receiver<Phase>,
) -> Result<(), TlsError> {
    let serving = serving(listener.local_addr().unwrap_or_else(|_| ([0, 0, 0, 0], 0).into()))?;
    let handler = AdminHandler { sources: Arc::new(sources), peer: Peer::Network };
    listener::serve(listener, serving, handler, WorkerId::default(), phase).await;
    Ok(())
}

/// The same on a unix socket, for root and the gateway's own user.
///
/// # Errors
/// Never: it speaks no TLS.
pub async fn serve_unix(
    listener: UnixListener,
    sources: AdminSources,
    phase: watch::Receiver<Phase>,
) -> Result<(), TlsError> {
    let serving = serving(([0, 0, 0, 0], 0).into())?;
    let sources = Arc::new(sources);
    let admit = move |credentials| {
        let peer = Peer::admitted(credentials, &sources.management.operations.recorder)?;
        Some(AdminHandler { sources: Arc::clone(&sources), peer })
    };
    listener::serve_unix(listener, serving, admit, WorkerId::default(), phase).await;
    Ok(())
}

fn serving(address: std::net::SocketAddr) -> Result<Arc<ArcSwap<Serving>>, TlsError> {
    let settings = ListenerSettings { address, tls: None, proxy_protocol: None, h2c: false, to_https: false };
    Ok(Arc::new(ArcSwap::from_pointee(Serving::load(&settings, LIMITS, None)?)))
}

#[derive(Clone)]
struct AdminHandler {
    sources: Arc<AdminSources>,
    peer: Peer,
}

impl Handler for AdminHandler {
    type Body = Full<Bytes>;

    fn unreadable(&self, transport: &Transport, reason: &dyn Display, status: Option<StatusCode>) {
        self.sources.management.operations.recorder.emit(&RequestUnreadable {
            client: transport.peer.ip(),
            reason: &format!("at the admin listener: {reason}"),
            status: status.map(|status| status.as_u16()),
        });
    }

    async fn handle(
        &self,
        transport: &Arc<Transport>,
        request: Request<RequestBody>,
    ) -> Response<Full<Bytes>> {
        if !management::is_below(request.uri().path()) {
            return pages::answer(&request, &self.sources, self.peer);
        }
        let address = transport.peer.ip();
        match management::operator(&request, &self.sources, self.peer, address) {
            Ok(operator) => {
                let client = (self.peer == Peer::Network).then_some(address);
                management::answer(request, &self.sources, (operator, client)).await
            }
            Err(Refusal::NotServed) => pages::answer(&request, &self.sources, self.peer),
            Err(Refusal::Misdirected) => pages::misdirected(),
            Err(Refusal::Unauthenticated) => management::unauthenticated(),
        }
    }
}
