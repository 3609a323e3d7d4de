//! The management API of a transmitter (Shared Signals Framework 1.0, section 8.1).

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};
use url::Url;

use super::error::StreamError;
use super::metadata::Metadata;
use super::stream::Stream;
use super::transmitter::Transmitter;
use crate::oidc::http::{HttpClient, HttpError};
use crate::oidc::json;

/// Streams that a list is read of at most.
const MOST_STREAMS: usize = 100;

type Answer = Response<Vec<u8>>;

impl Transmitter {
    /// One call, as the one who may make it. A client's token that is refused is asked for anew, once.
    pub(super) async fn ask(
        &self,
        http: &HttpClient,
        method: Method,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<Answer, StreamError> {
        let answer = self.ask_once(http, &method, url, body).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || !self.has_client() {
            return Ok(answer);
        }
        self.forget_access_token().await;
        self.ask_once(http, &method, url, body).await
    }

    async fn ask_once(
        &self,
        http: &HttpClient,
        method: &Method,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<Answer, StreamError> {
        let token = self.access_token().await?;
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = request.body(body).map_err(|cause| HttpError::unsent(url.as_str(), &cause))?;
        Ok(http.call(request).await?)
    }

    /// The stream of this gateway that is there already. A transmitter that has none, or lists none, says so by a status of
    /// its own.
    pub(super) async fn find_stream(&self, metadata: &Metadata) -> Result<Option<Stream>, StreamError> {
        let answer = self.ask(&self.http, Method::GET, &metadata.configuration, None).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NO_CONTENT => {
                return Ok(None);
            }
            status => return Err(StreamError::Refused { doing: "listing streams", status }),
        }
        let streams = self.listed(&answer)?;
        let ours = streams.iter().position(|stream| self.is_ours(stream));
        Ok(ours.and_then(|at| streams.into_iter().nth(at)))
    }

    /// One stream, or a list of them; those that are another transmitter's are passed over.
    fn listed(&self, answer: &Answer) -> Result<Vec<Stream>, StreamError> {
        let wrong =
            || StreamError::Answer { doing: "listing streams", why: "it is no list of objects".into() };
        let value: Value = serde_json::from_slice(answer.body()).map_err(|_| wrong())?;
        let items = match value {
            Value::Array(items) => items,
            one @ Value::Object(_) => vec![one],
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(wrong()),
        };
        let objects = items.iter().take(MOST_STREAMS).filter_map(Value::as_object);
        Ok(objects.filter_map(|stream| self.read_stream(stream).ok()).collect())
    }

    /// Has a stream made. A transmitter that has one for us already, and does not allow another, is to list it.
    pub(super) async fn create_stream(&self, metadata: &Metadata) -> Result<Stream, StreamError> {
        let wanted = Value::Object(self.wanted());
        let answer = self.ask(&self.http, Method::POST, &metadata.configuration, Some(&wanted)).await?;
        match answer.status() {
            StatusCode::CREATED | StatusCode::OK => self.told(&answer),
            // It has another one for us, which somebody else made or another version of this configuration.
            StatusCode::CONFLICT => {
                let answer = self.ask(&self.http, Method::GET, &metadata.configuration, None).await?;
                match self.listed(&answer)?.as_slice() {
                    [only] => self.update_stream(metadata, only).await,
                    others => Err(StreamError::Conflict(others.len(), self.description.clone())),
                }
            }
            StatusCode::ACCEPTED => Err(StreamError::Pending),
            status => Err(StreamError::Refused { doing: "making the stream", status }),
        }
    }

    /// Has the stream be as the configuration says; what that does not speak of stays.
    pub(super) async fn update_stream(
        &self,
        metadata: &Metadata,
        stream: &Stream,
    ) -> Result<Stream, StreamError> {
        let mut wanted = self.wanted();
        wanted.insert("stream_id".to_owned(), stream.id.clone().into());
        let (url, wanted) = (&metadata.configuration, Value::Object(wanted));
        let answer = self.ask(&self.http, Method::PATCH, url, Some(&wanted)).await?;
        match answer.status() {
            StatusCode::OK => self.told(&answer),
            StatusCode::ACCEPTED => Err(StreamError::Pending),
            status => Err(StreamError::Refused { doing: "updating the stream", status }),
        }
    }

    /// Has the stream sent to, where it is not.
    pub(super) async fn enable_stream(
        &self,
        metadata: &Metadata,
        stream: &Stream,
    ) -> Result<(), StreamError> {
        let Some(status) = &metadata.status else { return Ok(()) };
        let answer = self.ask(&self.http, Method::GET, &of_stream(status, stream), None).await?;
        if answer.status() != StatusCode::OK {
            return Err(StreamError::Refused {
                doing: "asking for the stream's status",
                status: answer.status(),
            });
        }
        if said(&answer, "status").as_deref() == Some("enabled") {
            return Ok(());
        }
        let body = json!({ "stream_id": stream.id, "status": "enabled" });
        let answer = self.ask(&self.http, Method::POST, status, Some(&body)).await?;
        match (answer.status(), said(&answer, "status")) {
            (StatusCode::OK, Some(now)) if now != "enabled" => {
                Err(StreamError::NotEnabled(crate::oidc::http::printable(&now)))
            }
            (StatusCode::OK | StatusCode::NO_CONTENT, _) => Ok(()),
            (StatusCode::ACCEPTED, _) => Err(StreamError::Pending),
            (status, _) => Err(StreamError::Refused { doing: "enabling the stream", status }),
        }
    }

    /// Has a verification sent, with this state.
    pub(super) async fn ask_for_verification(
        &self,
        endpoint: &Url,
        stream: &Stream,
        state: &str,
    ) -> Result<(), StreamError> {
        let body = json!({ "stream_id": stream.id, "state": state });
        let answer = self.ask(&self.http, Method::POST, endpoint, Some(&body)).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(StreamError::Refused { doing: "asking for a verification", status })
    }

    /// Takes the stream away at the transmitter. One that is not there any more is no error.
    pub(super) async fn delete_stream(
        &self,
        metadata: &Metadata,
        stream: &Stream,
    ) -> Result<(), StreamError> {
        let url = of_stream(&metadata.configuration, stream);
        let answer = self.ask(&self.http, Method::DELETE, &url, None).await?;
        match answer.status() {
            status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(()),
            status => Err(StreamError::Refused { doing: "deleting the stream", status }),
        }
    }

    fn told(&self, answer: &Answer) -> Result<Stream, StreamError> {
        let wrong =
            |_| StreamError::Answer { doing: "telling of the stream", why: "it is no JSON object".into() };
        self.read_stream(&json::object(answer.body()).map_err(wrong)?)
    }

    fn read_stream(&self, stream: &Map<String, Value>) -> Result<Stream, StreamError> {
        Stream::read(stream, &self.settings, self.is_local())
    }
}

/// The address by which an endpoint knows the stream.
pub(super) fn of_stream(endpoint: &Url, stream: &Stream) -> Url {
    let mut url = endpoint.clone();
    url.query_pairs_mut().append_pair("stream_id", &stream.id);
    url
}

fn said(answer: &Answer, member: &str) -> Option<String> {
    json::object(answer.body()).ok()?.get(member)?.as_str().map(str::to_owned)
}
