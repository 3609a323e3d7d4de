//! Calls to a collector.

use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, StatusCode};

use super::protobuf::{Message, number_within};
use crate::secret::Secret;
use crate::sinks::far::FarError;
use crate::sinks::http::HttpClient;
use crate::sinks::tls::TlsSettings;

/// A collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpSettings {
    /// Where it is; `/v1/traces` and the like come behind it.
    pub url: String,
    /// What it is shown with every call.
    pub headers: Vec<(HeaderName, Secret)>,
    /// How it is known.
    pub tls: TlsSettings,
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    Logs,
    Metrics,
    Traces,
}

impl Signal {
    const fn path(self) -> &'static str {
        match self {
            Self::Logs => "/v1/logs",
            Self::Metrics => "/v1/metrics",
            Self::Traces => "/v1/traces",
        }
    }
}

pub(super) struct Client {
    settings: OtlpSettings,
    http: HttpClient,
}

impl Client {
    pub(super) fn open(settings: &OtlpSettings) -> Result<Self, FarError> {
        Ok(Self { settings: settings.clone(), http: HttpClient::new(&settings.tls)? })
    }

    /// Sends a message; gives how many of its parts the collector has not taken and never will.
    pub(super) fn send(&self, signal: Signal, message: Message, until: Instant) -> Result<u64, FarError> {
        let answer = self.http.call(self.request(signal, message)?, until)?;
        let status = answer.status();
        let told = format!("it answered {} with status {}", signal.path(), status.as_u16());
        if status.is_success() {
            let body = answer.into_body().unwrap_or_default();
            Ok(number_within(&body, 1, 1).unwrap_or_default())
        } else if is_final(status) {
            Err(FarError::Refused(told))
        } else {
            Err(FarError::Away(told))
        }
    }

    fn request(&self, signal: Signal, message: Message) -> Result<Request<Bytes>, FarError> {
        let url = format!("{}{}", self.settings.url.trim_end_matches('/'), signal.path());
        let mut request = Request::post(url)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(USER_AGENT, concat!("portcullis/", env!("CARGO_PKG_VERSION")));
        for (name, secret) in &self.settings.headers {
            let mut value = HeaderValue::from_str(secret.expose()).map_err(unsent)?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        request.body(message.into_bytes().into()).map_err(unsent)
    }
}

fn unsent(error: impl std::fmt::Display) -> FarError {
    FarError::Away(error.to_string())
}

/// Whether it would answer the same the next time (OTLP 1.x, "Failures" of OTLP/HTTP); and where somebody has to mend
/// something there, such as a key that is no good any more, it is tried again.
fn is_final(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
    )
}
