//! What a transmitter says of a stream (Shared Signals Framework 1.0, section 8.1.1).

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::error::StreamError;
use super::metadata::texts;
use super::settings::SignalsSettings;
use crate::oidc::endpoint_url::is_safe;
use crate::oidc::http::printable;

/// The longest identifier of a stream, in bytes.
const LONGEST: usize = 512;

/// A stream as its transmitter has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) id: String,
    /// What `aud` of its tokens is.
    pub(super) audience: Vec<String>,
    /// The URN of how its tokens come.
    pub(super) method: String,
    /// Where tokens are sent to, or fetched from.
    pub(super) endpoint: Option<Url>,
    pub(super) requested: Vec<String>,
    /// What it will send; `None` where it does not say.
    pub(super) delivered: Option<Vec<String>>,
    pub(super) description: Option<String>,
    /// Verification may not be asked for more often.
    pub(super) verification_interval: Duration,
    /// After how long without a call to it the transmitter may give the stream up.
    pub(super) inactivity: Option<Duration>,
}

impl Stream {
    /// Whatever else a transmitter says, the stream must be its own: `iss` is what it is configured as.
    pub(super) fn read(
        value: &Map<String, Value>,
        settings: &SignalsSettings,
        local: bool,
    ) -> Result<Self, StreamError> {
        let wrong = |why: String| StreamError::Answer { doing: "telling of the stream", why };
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let id = text("stream_id").filter(|id| !id.is_empty() && id.len() <= LONGEST);
        let id = id.ok_or_else(|| wrong("stream_id is missing".into()))?.to_owned();
        let iss = text("iss").unwrap_or_default();
        if mutant!(iss != settings.transmitter.as_str(), "stream-of-another-transmitter" => false) {
            return Err(wrong(format!("its iss is {}", printable(iss))));
        }
        let audience = match value.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            several => texts(several),
        };
        let delivery = value.get("delivery").and_then(Value::as_object);
        let of_delivery = |name: &str| delivery.and_then(|it| it.get(name)).and_then(Value::as_str);
        let endpoint = of_delivery("endpoint_url").and_then(|url| Url::parse(url).ok());
        let seconds = |name: &str| value.get(name).and_then(Value::as_u64).map(Duration::from_secs);
        Ok(Self {
            id,
            audience,
            method: of_delivery("method").unwrap_or_default().to_owned(),
            endpoint: endpoint.filter(|url| is_safe(url, local)),
            requested: texts(value.get("events_requested")),
            delivered: value.get("events_delivered").map(|list| texts(Some(list))),
            description: text("description").map(str::to_owned),
            verification_interval: seconds("min_verification_interval").unwrap_or_default(),
            inactivity: seconds("inactivity_timeout"),
        })
    }

    /// Events that were asked for and are not sent.
    pub(super) fn undelivered(&self) -> Vec<String> {
        let Some(delivered) = &self.delivered else { return Vec::new() };
        let name = |uri: &String| uri.rsplit('/').next().unwrap_or_default().to_owned();
        self.requested.iter().filter(|uri| !delivered.contains(uri)).map(name).collect()
    }
}
