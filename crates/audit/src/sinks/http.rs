//! Calls to far ends, from a thread that has nothing else to do: bounded in time and size, no redirects, no address but the
//! one that is asked for (invariant 16).

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{timeout, timeout_at};

use super::far::FarError;
use super::tls::TlsSettings;

/// Bytes of an answer that are read.
const LONGEST: usize = 64 * 1024;
/// How long the body of an answer may take: whether the call was good is known before.
const BODY: Duration = Duration::from_secs(1);

/// Makes calls. Connections are kept between them.
pub(super) struct HttpClient {
    /// None: it is being dropped.
    runtime: Option<Runtime>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl HttpClient {
    pub(super) fn new(tls: &TlsSettings) -> Result<Self, FarError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(away)?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls.config()?);
        let https = https.https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(1)
            .build(https);
        Ok(Self { runtime: Some(runtime), client })
    }

    /// Sends a request, and is done by `until`. Redirects are answers like any other. A body that is long, or slow, is none.
    pub(super) fn call(
        &self,
        request: Request<Bytes>,
        until: Instant,
    ) -> Result<Response<Option<Bytes>>, FarError> {
        let Some(runtime) = &self.runtime else { return Err(away("it ends")) };
        runtime.block_on(async {
            let asked = self.client.request(request.map(Full::new));
            let answer = timeout_at(until.into(), asked).await.map_err(|_| away("no answer in time"))?;
            let (head, body) = answer.map_err(|error| away(last_cause(&error)))?.into_parts();
            Ok(Response::from_parts(head, whole(body).await))
        })
    }
}

impl Drop for HttpClient {
    fn drop(&mut self) {
        // A name that is being looked up holds up nobody.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The body, where it is short and comes at once. What is left of another one ends with its connection.
async fn whole(body: Incoming) -> Option<Bytes> {
    let read = timeout(BODY, Limited::new(body, LONGEST).collect()).await;
    Some(read.ok()?.ok()?.to_bytes())
}

fn away(why: impl ToString) -> FarError {
    FarError::Away(why.to_string())
}

/// What went wrong first: the outer errors say `client error (Connect)` and the like.
fn last_cause(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(inner) = inner(last) {
        last = inner;
    }
    last.to_string().chars().filter(|c| !c.is_control()).take(200).collect()
}

/// An `io::Error` hides what it wraps from `source`.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
}
