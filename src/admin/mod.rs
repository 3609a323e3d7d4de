//! The admin listener: health, readiness, metrics. Never on the public listener.

mod settings;

use std::fmt;
use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::listener::{
    self, ConnectionLimits, Handler, ListenerSettings, Phase, RequestBody, Serving, TlsError,
};
use crate::request::{Authority, Transport, WorkerId};
use crate::telemetry::Metrics;

pub use settings::AdminSettings;

/// Connections at once. An answer here takes no time: whoever is not answered yet is silent or does not read, and
/// gives way to a newcomer.
pub const CONNECTIONS: usize = 64;

const LIMITS: ConnectionLimits = ConnectionLimits {
    max_connections: CONNECTIONS,
    max_head: 16 * 1024,
    max_fields: 100,
    handshake: Duration::from_secs(5),
    head: Duration::from_secs(5),
    // Longer than metrics are asked for now and then; also how long somebody may read nothing.
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

/// Where the answers come from.
#[derive(Clone)]
pub struct Sources {
    /// What is missing at the moment.
    pub readiness: Arc<dyn Fn() -> Vec<Missing> + Send + Sync>,
    /// What has been counted.
    pub metrics: Metrics,
    /// Names of the listener beside its addresses and `localhost`, lower-case.
    pub hosts: Vec<String>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}

/// Answers on `listener` until `phase` says otherwise, and returns when all connections have ended.
///
/// # Errors
/// Never: it speaks no TLS.
pub async fn serve(
    listener: TcpListener,
    sources: Sources,
    phase: watch::Receiver<Phase>,
) -> Result<(), TlsError> {
    let address = listener.local_addr().unwrap_or_else(|_| ([0, 0, 0, 0], 0).into());
    let settings = ListenerSettings { address, tls: None, proxy_protocol: None, h2c: false, to_https: false };
    let serving = Arc::new(ArcSwap::from_pointee(Serving::load(&settings, LIMITS, None)?));
    listener::serve(listener, serving, Pages(Arc::new(sources)), WorkerId::default(), phase).await;
    Ok(())
}

#[derive(Clone)]
struct Pages(Arc<Sources>);

impl Handler for Pages {
    type Body = Full<Bytes>;

    fn handle(
        &self,
        _: &Arc<Transport>,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        ready(answer(&request, &self.0))
    }
}

fn answer(request: &Request<RequestBody>, sources: &Sources) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n".into());
    }
    match request.uri().path() {
        "/healthz" => text(StatusCode::OK, "ok\n".into()),
        "/readyz" => readiness(&(sources.readiness)()),
        _ if !mutant!(is_ours(request, &sources.hosts), "metrics-under-any-name" => true) => misdirected(),
        "/metrics" => metrics(&sources.metrics),
        _ => text(StatusCode::NOT_FOUND, "here are /healthz, /readyz and /metrics\n".into()),
    }
}

/// Whether the request names this listener by an address, as `localhost` or by a name of the operator's. A page of
/// another site whose name its owner has pointed here (DNS rebinding) calls it by that name.
fn is_ours(request: &Request<RequestBody>, hosts: &[String]) -> bool {
    let asked = Authority::of(request.uri(), request.headers(), request.version());
    let Ok(asked) =
        asked.inspect_err(|error| tracing::warn!(%error, "a page of the admin listener was refused"))
    else {
        return false;
    };
    let host = asked.host();
    let ours = asked.is_address() || host == "localhost" || hosts.iter().any(|known| known == host);
    if !ours {
        tracing::warn!(
            host,
            "a page of the admin listener was asked for under this name and refused; where that is its name, add it \
             to `[admin] hosts`"
        );
    }
    ours
}

fn misdirected() -> Response<Full<Bytes>> {
    let told = "this page is given out under an IP address, `localhost` or a name of the operator's alone\n";
    text(StatusCode::MISDIRECTED_REQUEST, told.into())
}

fn readiness(missing: &[Missing]) -> Response<Full<Bytes>> {
    let fatal = missing.iter().any(|missing| missing.fatal);
    let status = if fatal { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let told = serde_json::json!({ "ready": !fatal, "missing": missing });
    typed(status, "application/json", format!("{told:#}\n"))
}

fn metrics(metrics: &Metrics) -> Response<Full<Bytes>> {
    match metrics.render() {
        Ok(rendered) => {
            typed(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", rendered)
        }
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written\n".into()),
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", body)
}

fn typed(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
