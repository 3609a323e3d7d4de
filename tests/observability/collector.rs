//! A collector of OpenTelemetry: what comes is read by messages that the OpenTelemetry project has made.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;

/// A running collector on a port of 127.0.0.1; ends with the test's runtime.
pub(super) struct Collector {
    pub(super) port: u16,
    taken: Arc<Taken>,
}

struct Taken {
    /// What it answers with.
    status: AtomicU16,
    heads: Mutex<Vec<(String, HeaderMap)>>,
    spans: Mutex<Vec<Span>>,
    metrics: Mutex<Vec<Metric>>,
    logs: Mutex<Vec<LogRecord>>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::listen(listener)
    }

    pub(super) fn listen(listener: TcpListener) -> Self {
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(Taken {
            status: AtomicU16::new(200),
            heads: Mutex::default(),
            spans: Mutex::default(),
            metrics: Mutex::default(),
            logs: Mutex::default(),
        });
        tokio::spawn(accept(listener, Arc::clone(&taken)));
        Self { port, taken }
    }

    /// Its address for `otlp`.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on it answers so, and keeps what comes only where that is good.
    pub(super) fn answer(&self, status: u16) {
        self.taken.status.store(status, Ordering::SeqCst);
    }

    /// The paths and heads of all calls.
    pub(super) fn calls(&self) -> Vec<(String, HeaderMap)> {
        self.taken.heads.lock().unwrap().clone()
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        self.taken.spans.lock().unwrap().clone()
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        self.taken.metrics.lock().unwrap().clone()
    }

    pub(super) fn logs(&self) -> Vec<LogRecord> {
        self.taken.logs.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, taken: Arc<Taken>) {
    while let Ok((stream, _)) = listener.accept().await {
        let taken = Arc::clone(&taken);
        let service = service_fn(move |request| take(request, Arc::clone(&taken)));
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn take(request: Request<Incoming>, taken: Arc<Taken>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let status = StatusCode::from_u16(taken.status.load(Ordering::SeqCst)).unwrap();
    if status.is_success() {
        taken.keep(head.uri.path(), &body);
    }
    taken.heads.lock().unwrap().push((head.uri.path().to_owned(), head.headers));
    Ok(Response::builder().status(status).body(Full::default()).unwrap())
}

impl Taken {
    fn keep(&self, path: &str, body: &[u8]) {
        match path {
            "/v1/traces" => {
                let request = ExportTraceServiceRequest::decode(body).unwrap();
                let scopes = request.resource_spans.into_iter().flat_map(|it| it.scope_spans);
                self.spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
            }
            "/v1/metrics" => {
                let request = ExportMetricsServiceRequest::decode(body).unwrap();
                let scopes = request.resource_metrics.into_iter().flat_map(|it| it.scope_metrics);
                *self.metrics.lock().unwrap() = scopes.flat_map(|scope| scope.metrics).collect();
            }
            "/v1/logs" => {
                let request = ExportLogsServiceRequest::decode(body).unwrap();
                let scopes = request.resource_logs.into_iter().flat_map(|it| it.scope_logs);
                self.logs.lock().unwrap().extend(scopes.flat_map(|scope| scope.log_records));
            }
            other => panic!("a collector has no {other}"),
        }
    }
}

/// Attributes by their names, numbers as text.
pub(super) fn said(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|any| any.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|pair| (pair.key.clone(), text(pair))).collect()
}

/// Bytes as lower-case digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
