//! The one way out to a provider: bounded in time and size, no redirects, no URL but the issuer's own.

mod error;
mod tls;

pub(super) use error::is_html;
pub(crate) use error::printable;
pub use error::{AnswerShape, HttpError, Trouble};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{ACCEPT, CONTENT_TYPE};
use ::http::{HeaderMap, Method, Request, Response, StatusCode};
use arc_swap::ArcSwap;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use url::{Position, Url};

use super::setup_error::SetupError;
use crate::trace::{OpenSpan, SpanKind, span};

/// The largest body taken from a provider, in bytes.
pub const MAX_BODY: usize = 512 * 1024;

type Connection = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Calls the URLs it was told to and no other (invariant 16). Cheap to share; idle connections are kept.
pub struct HttpClient {
    connection: Connection,
    timeout: Duration,
    permitted: ArcSwap<Vec<Url>>,
}

impl HttpClient {
    /// A client that trusts the authorities of `ca` (PEM), or the system's where not given; each call,
    /// from connect to the body's last byte, takes `timeout` at most.
    ///
    /// # Errors
    /// Where `ca` holds no certificate.
    pub fn new(ca: Option<&[u8]>, timeout: Duration) -> Result<Self, SetupError> {
        let connector = tls::connector(ca, timeout)?;
        let connection = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(connector);
        Ok(Self { connection, timeout, permitted: ArcSwap::from_pointee(Vec::new()) })
    }

    /// From now on exactly `urls` may be called.
    pub fn permit(&self, urls: Vec<Url>) {
        self.permitted.store(Arc::new(urls));
    }

    /// The JSON document at `url`.
    ///
    /// # Errors
    /// Any [`HttpError`]; only status 200 with JSON of the right shape is good.
    pub async fn get_json<T: DeserializeOwned>(&self, url: &Url) -> Result<T, HttpError> {
        let response = self.get(url).await?;
        serde_json::from_slice(response.body())
            .map_err(|cause| HttpError::not_json(url.as_str(), cause.into(), &response))
    }

    /// The answer with the document at `url`, not yet read. What type the server gave it does not count: files
    /// behind plain web servers have any, and whoever reads it finds out.
    ///
    /// # Errors
    /// Any [`HttpError`] but those about JSON; another status than 200 is one.
    pub async fn get(&self, url: &Url) -> Result<Response<Vec<u8>>, HttpError> {
        let request = Request::get(url.as_str()).header(ACCEPT, "application/json").body(Vec::new());
        let response = self.call(request.map_err(|cause| HttpError::unsent(url.as_str(), &cause))?).await?;
        good_response(url.as_str(), response)
    }

    /// Sends `request` and reads the whole answer, whatever its status but a redirect.
    ///
    /// # Errors
    /// Any [`HttpError`] but those about media type; a redirect is one about status.
    pub async fn call(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let url = self.permission(&request)?;
        let mut span = call_span(&url, request.method());
        let answer = timeout(self.timeout, self.exchange(&url, request.map(|body| Full::new(body.into()))));
        let answer = answer.await.unwrap_or_else(|_| Err(HttpError::timeout(url.as_str(), self.timeout)));
        match &answer {
            Ok(response) => span.attribute("http.response.status_code", || response.status().as_u16()),
            Err(_) => span.failed("no answer"),
        }
        answer
    }

    /// Refuses every address that the provider's own metadata does not name, whoever wants it called.
    fn permission(&self, request: &Request<Vec<u8>>) -> Result<Url, HttpError> {
        let wanted = request.uri().to_string();
        let url = Url::parse(&wanted).map_err(|cause| HttpError::unsent(&wanted, &cause))?;
        let permitted = mutant!(self.permitted.load().contains(&url), "any-address-is-called" => true);
        permitted.then_some(url).ok_or_else(|| HttpError::not_permitted(&wanted))
    }

    async fn exchange(
        &self,
        url: &Url,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let sent = self.connection.request(request).await;
        let (parts, body) = sent.map_err(|cause| HttpError::lost(url.as_str(), &cause))?.into_parts();
        if parts.status.is_redirection() {
            return Err(HttpError::status(url.as_str(), parts.status));
        }
        Ok(Response::from_parts(parts, read(url, body).await?))
    }
}

/// The span of a call, where somebody waits for it whose request is recorded. Its query is not told.
fn call_span(url: &Url, method: &Method) -> OpenSpan {
    let mut span = span("provider", SpanKind::Client);
    span.attribute("http.request.method", || method.to_string());
    span.attribute("url.full", || url[..Position::AfterPath].to_owned());
    span.attribute("server.address", || url.host_str().unwrap_or_default().to_owned());
    span
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

async fn read(url: &Url, body: Incoming) -> Result<Vec<u8>, HttpError> {
    match Limited::new(body, mutant!(MAX_BODY, "provider-without-bound" => usize::MAX)).collect().await {
        Ok(whole) => Ok(whole.to_bytes().into()),
        Err(cause) if cause.is::<LengthLimitError>() => Err(HttpError::too_large(url.as_str())),
        Err(cause) => Err(HttpError::lost(url.as_str(), cause.as_ref())),
    }
}

pub(super) fn good_response(url: &str, response: Response<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
    if response.status() == StatusCode::OK {
        Ok(response)
    } else {
        Err(HttpError::status(url, response.status()))
    }
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
