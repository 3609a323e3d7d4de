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

/// Connections at once. Answers here take no time: a connection that still waits is one whose peer is silent
/// or does not read, and it is closed for a newcomer.
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
    let address = listener.local_addr().unwrap_or_else(|_| ([0, 0, 0, 0], 0).into());
    let settings = ListenerSettings { address, tls: None, proxy_protocol: None, h2c: false, to_https: false };
    let serving = Arc::new(ArcSwap::from_pointee(Serving::load(&settings, LIMITS, None)?));
    listener::serve(listener, serving, AdminHandler(Arc::new(sources)), WorkerId::default(), phase).await;
    Ok(())
}

#[derive(Clone)]
struct AdminHandler(Arc<AdminSources>);

impl Handler for AdminHandler {
    type Body = Full<Bytes>;

    fn handle(
        &self,
        _: &Arc<Transport>,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        ready(answer(&request, &self.0))
    }
}

/// What is answered here: a row for each path and method. `HEAD` is answered as `GET` is, and its body is left out by
/// the server. A path of no row is 404, a method that the path's rows do not have is 405.
const ROUTES: [AdminRoute; 3] = [
    AdminRoute {
        path: "/healthz",
        method: Method::GET,
        names: ListenerNames::Any,
        answer: |_| text(StatusCode::OK, "ok\n"),
    },
    AdminRoute { path: "/readyz", method: Method::GET, names: ListenerNames::Any, answer: readiness },
    AdminRoute { path: "/metrics", method: Method::GET, names: ListenerNames::Ours, answer: metrics },
];

struct AdminRoute {
    path: &'static str,
    method: Method,
    names: ListenerNames,
    answer: fn(&AdminSources) -> Response<Full<Bytes>>,
}

/// Under which names of the listener a page is given out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ListenerNames {
    /// Whatever the prober of a cloud or of Kubernetes calls it.
    Any,
    /// Its addresses, `localhost` and the operator's names: another site's page could read it otherwise.
    Ours,
}

fn answer(request: &Request<RequestBody>, sources: &AdminSources) -> Response<Full<Bytes>> {
    let at_path = || ROUTES.iter().filter(|route| route.path == request.uri().path());
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let found = at_path().find(|route| route.method == method);
    if found.is_none() && at_path().next().is_some() {
        return not_allowed(at_path());
    }
    let names = found.map_or(ListenerNames::Ours, |route| route.names);
    if names == ListenerNames::Ours
        && !mutant!(is_ours(request, &sources.hosts), "metrics-under-any-name" => true)
    {
        return misdirected();
    }
    let nowhere = || text(StatusCode::NOT_FOUND, "here are /healthz, /readyz and /metrics\n");
    found.map_or_else(nowhere, |route| (route.answer)(sources))
}

/// 405 with the methods of a path (RFC 9110, section 15.5.6).
fn not_allowed<'a>(routes: impl Iterator<Item = &'a AdminRoute>) -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n");
    for route in routes {
        let allowed = if route.method == Method::GET { "GET, HEAD" } else { route.method.as_str() };
        response.headers_mut().extend(HeaderValue::from_str(allowed).map(|value| (header::ALLOW, value)));
    }
    response
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
    text(StatusCode::MISDIRECTED_REQUEST, told)
}

fn readiness(sources: &AdminSources) -> Response<Full<Bytes>> {
    let missing = (sources.readiness)();
    let fatal = missing.iter().any(|missing| missing.fatal);
    let status = if fatal { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let told = serde_json::json!({ "ready": !fatal, "missing": missing });
    typed(status, "application/json", format!("{told:#}\n"))
}

fn metrics(sources: &AdminSources) -> Response<Full<Bytes>> {
    match sources.metrics.render() {
        Ok(rendered) => {
            typed(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", rendered)
        }
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written\n"),
    }
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", body.to_owned())
}

fn typed(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, host: &str, path: &str) -> (u16, Option<String>) {
        let sources = AdminSources {
            readiness: Arc::new(Vec::new),
            metrics: Metrics::new(),
            hosts: vec!["ops.example".into()],
        };
        let mut request = Request::new(RequestBody::EMPTY);
        (*request.method_mut(), *request.uri_mut()) = (method, path.parse().unwrap());
        request.headers_mut().insert(header::HOST, host.parse().unwrap());
        let response = answer(&request, &sources);
        let allowed = response.headers().get(header::ALLOW).map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), allowed)
    }

    #[test]
    fn each_page_is_given_out_to_whom_it_is_for_and_by_its_methods_alone() {
        for (method, host, path, status) in [
            (Method::GET, "127.0.0.1", "/healthz", 200),
            (Method::HEAD, "127.0.0.1", "/metrics", 200),
            (Method::GET, "anything.example", "/readyz", 200),
            (Method::GET, "ops.example", "/metrics", 200),
            (Method::GET, "evil.example", "/metrics", 421),
            (Method::GET, "localhost", "/nowhere", 404),
            (Method::GET, "evil.example", "/nowhere", 421),
            (Method::GET, "localhost", "/metrics/", 404),
            (Method::POST, "localhost", "/nowhere", 404),
        ] {
            assert_eq!(asked(method.clone(), host, path), (status, None), "{method} {host} {path}");
        }
        for (method, path) in
            [(Method::POST, "/healthz"), (Method::DELETE, "/metrics"), (Method::PUT, "/readyz")]
        {
            assert_eq!(asked(method, "localhost", path), (405, Some("GET, HEAD".to_owned())), "{path}");
        }
    }
}
