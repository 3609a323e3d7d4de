//! Events for whoever answers at a URL: batches of lines, each signed and with an id by which it is known when it comes again.

use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Request, StatusCode};

use super::far::{Far, FarError, Parcel};
use super::http::HttpClient;
use super::signature::signature;
use super::tls::TlsSettings;
use crate::clock::Clock;
use crate::secret::Secret;

/// A receiver of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where batches are sent to, and nowhere else.
    pub url: String,
    /// What they are signed by, each of them; the first one's signature stands first. Not empty.
    pub secrets: Vec<Secret>,
    /// How its server is known.
    pub tls: TlsSettings,
}

pub(super) struct Webhook {
    settings: WebhookSettings,
    client: HttpClient,
    clock: Clock,
}

impl Webhook {
    pub(super) fn open(settings: &WebhookSettings, clock: &Clock) -> Result<Self, FarError> {
        let client = HttpClient::new(&settings.tls)?;
        Ok(Self { settings: settings.clone(), client, clock: clock.clone() })
    }

    fn request(&self, parcel: &Parcel<'_>) -> Result<Request<Bytes>, FarError> {
        let text = parcel.text();
        let signature = signature(&self.settings.secrets, self.clock.now().seconds(), &text);
        let request = Request::post(&self.settings.url)
            .header(CONTENT_TYPE, "application/x-ndjson")
            .header(USER_AGENT, concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            .header("portcullis-batch", parcel.id())
            .header("portcullis-signature", signature)
            .body(Bytes::from(text));
        request.map_err(|error| FarError::Away(error.to_string()))
    }
}

impl Far for Webhook {
    fn send(&mut self, parcel: &Parcel<'_>, until: Instant) -> Result<(), FarError> {
        let status = self.client.call(self.request(parcel)?, until)?.status();
        let told = format!("it answered with status {}", status.as_u16());
        let is_taken = status.is_success();
        if mutant!(is_taken, "webhook-takes-a-redirect-for-an-answer" => is_taken || status.is_redirection())
        {
            Ok(())
        } else if is_final(status) {
            Err(FarError::Refused(told))
        } else {
            Err(FarError::Away(told))
        }
    }
}

/// Whether it would answer the same the next time.
fn is_final(status: StatusCode) -> bool {
    let passes = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    status.is_client_error() && !passes.contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_again_and_what_is_put_aside() {
        let put_aside = |status: u16| is_final(StatusCode::from_u16(status).unwrap());
        assert_eq!([400, 401, 404, 413, 422, 499].map(put_aside), [true; 6]);
        assert_eq!([302, 307, 408, 429, 500, 502, 503, 504].map(put_aside), [false; 8]);
    }
}
