//! The admin listener: health, readiness, metrics. Never on the public listener.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::telemetry::Metrics;

const CONNECTIONS: usize = 64;
const HEAD: Duration = Duration::from_secs(5);
const EXHAUSTED: Duration = Duration::from_millis(100);

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
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}

/// Answers on `listener` until the process ends.
pub async fn serve(listener: TcpListener, sources: Sources) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let sources = sources.clone();
                tokio::spawn(async move {
                    connection(stream, sources).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin listener cannot accept; trying again");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, sources: Sources) {
    let service = service_fn(|request| {
        let response = answer(&request, &sources);
        async { Ok::<_, Infallible>(response) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(16 * 1024);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the admin listener ended badly");
    }
}

fn answer(request: &Request<Incoming>, sources: &Sources) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n".into());
    }
    match request.uri().path() {
        "/healthz" => text(StatusCode::OK, "ok\n".into()),
        "/readyz" => ready(&(sources.readiness)()),
        "/metrics" => metrics(&sources.metrics),
        _ => text(StatusCode::NOT_FOUND, "here are /healthz, /readyz and /metrics\n".into()),
    }
}

fn ready(missing: &[Missing]) -> Response<Full<Bytes>> {
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
