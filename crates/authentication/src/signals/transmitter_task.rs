//! A transmitter's stream, kept as the configuration says for as long as that has it.
//!
//! It is *set up* (metadata, stream, status), then *attended*: verified now and then, and polled where tokens are fetched.
//! Whatever fails begins it anew, behind a pause that grows. Nothing at the transmitter is touched when the process ends:
//! the stream goes on, and the next start finds it by its description.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::error::StreamError;
use super::metadata::{self, Metadata};
use super::settings::Delivery;
use super::stream::Stream;
use super::transmitter::{Transmitter, TransmitterParts};
use super::verification;
use crate::oidc::SetupError;
use crate::oidc::backoff::rest;
use crate::oidc::json;

/// How often a stream is verified.
const VERIFY_EVERY: Duration = Duration::from_secs(15 * 60);
/// However soon a transmitter says that it gives up a silent stream; some say 0 for never.
const VERIFY_AT_MOST_EVERY: Duration = Duration::from_secs(60);
/// How long a verification may take to come: there is no promised time.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// A stream that was attended to for so long without a failure has recovered.
const RECOVERED: Duration = Duration::from_secs(60);
/// How long the end of a stream at its transmitter is tried.
const DELETION: Duration = Duration::from_secs(60);

/// A transmitter and the tasks that keep its stream and its keys until this is dropped.
pub struct TransmitterTask {
    /// The transmitter.
    pub transmitter: Arc<Transmitter>,
    background: Handle,
    tasks: [AbortHandle; 2],
}

impl TransmitterTask {
    /// Begins to set up the stream, on `background`.
    ///
    /// # Errors
    /// Where the settings can make no transmitter at all; one that is away is no error.
    pub fn start(parts: TransmitterParts, background: &Handle) -> Result<Arc<Self>, SetupError> {
        let transmitter = Transmitter::new(parts)?;
        let stream = background.spawn(Arc::clone(&transmitter).run()).abort_handle();
        let keys = background.spawn(transmitter.keys.run()).abort_handle();
        Ok(Arc::new(Self { transmitter, background: background.clone(), tasks: [stream, keys] }))
    }

    /// Leaves the stream as it is from now on, to whoever has been started in its place.
    pub fn stop(&self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }

    /// Takes the stream away at the transmitter, in the background: the configuration does not have it any more.
    pub fn delete(&self) {
        self.stop();
        let transmitter = Arc::clone(&self.transmitter);
        self.background.spawn(async move { transmitter.end_stream().await });
    }
}

impl Drop for TransmitterTask {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for TransmitterTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TransmitterTask").field(&self.transmitter).finish()
    }
}

impl Transmitter {
    /// Keeps the stream. Never ends.
    async fn run(self: Arc<Self>) {
        let mut failures: u32 = 0;
        loop {
            let begun = Instant::now();
            let error = match self.set_up().await {
                Ok((metadata, stream)) => self.attend(&metadata, &stream).await,
                Err(error) => Some(error),
            };
            if begun.elapsed() >= RECOVERED {
                failures = 0;
            }
            failures = failures.saturating_add(1);
            if let Some(error) = error {
                self.note_failure(&error);
            }
            sleep(rest(failures)).await;
        }
    }

    /// Has the stream be as the configuration says, whatever it was before.
    async fn set_up(&self) -> Result<(Arc<Metadata>, Arc<Stream>), StreamError> {
        let metadata = Arc::new(self.discover().await?);
        let found = self.find_stream(&metadata).await?;
        let found = match found {
            None => self.create_stream(&metadata).await?,
            // What it authorizes itself with here is not told, and may be that of a state file that is gone.
            Some(stream) if self.is_as_wanted(&stream) && !self.is_unconfirmed() => stream,
            Some(stream) => self.update_stream(&metadata, &stream).await?,
        };
        if found.audience.is_empty() && self.settings.audience.is_none() {
            let why = "it names no aud; say which it is with `audience`".to_owned();
            return Err(StreamError::Answer { doing: "telling of the stream", why });
        }
        let stream = Arc::new(found);
        self.permit(&metadata, Some(&stream));
        self.stream.store(Some(Arc::clone(&stream)));
        self.enable_stream(&metadata, &stream).await?;
        self.keys.recover().await;
        self.note_set_up(&stream);
        Ok((metadata, stream))
    }

    async fn discover(&self) -> Result<Metadata, StreamError> {
        let answer = self.http.get(&self.address).await?;
        let wrong = |_| StreamError::Metadata("they are no JSON object".into());
        let document = json::object(answer.body()).map_err(wrong)?;
        let metadata = metadata::checked(&document, &self.address, &self.settings)?;
        self.metadata.store(Some(Arc::new(metadata.clone())));
        self.permit(&metadata, self.stream.load().as_deref());
        Ok(metadata)
    }

    /// Whether tokens are sent here and the stream was not set up by this process yet.
    fn is_unconfirmed(&self) -> bool {
        self.settings.delivery == Delivery::Push && self.stream.load().is_none()
    }

    /// Until something fails, or the transmitter changes the stream.
    async fn attend(self: &Arc<Self>, metadata: &Metadata, stream: &Stream) -> Option<StreamError> {
        let polled = async {
            match (&stream.endpoint, self.settings.delivery) {
                (Some(endpoint), Delivery::Poll) => self.poll(endpoint).await,
                (None, Delivery::Poll) => {
                    let why = "its endpoint_url is no URL that may be called (https)".to_owned();
                    StreamError::Answer { doing: "telling of the stream", why }
                }
                (_, Delivery::Push) => std::future::pending().await,
            }
        };
        tokio::select! {
            error = polled => Some(error),
            error = self.keep_verified(metadata, stream) => Some(error),
            () = self.look_again.notified() => None,
        }
    }

    async fn keep_verified(&self, metadata: &Metadata, stream: &Stream) -> StreamError {
        let Some(endpoint) = &metadata.verification else { return std::future::pending().await };
        let every = stream
            .inactivity
            .map_or(VERIFY_EVERY, |most| (most / 2).clamp(VERIFY_AT_MOST_EVERY, VERIFY_EVERY));
        loop {
            let asked = self.clock.now();
            let state = verification::state(&self.key, &self.settings.name, asked);
            if let Err(error) = self.ask_for_verification(endpoint, stream, &state).await {
                // It was asked too soon after the process before this one; the stream may well work.
                if !is_too_soon(&error) {
                    return error;
                }
            } else {
                let mut verified = self.verified_for.subscribe();
                let came = verified.wait_for(|last| *last >= Some(asked));
                if timeout(PATIENCE, came).await.is_err() {
                    return StreamError::Unverified(PATIENCE.as_secs());
                }
            }
            sleep(every.max(stream.verification_interval)).await;
        }
    }

    async fn end_stream(&self) {
        let name = &self.settings.name;
        let deletion = async {
            let metadata = self.discover().await?;
            let Some(stream) = self.find_stream(&metadata).await? else { return Ok(()) };
            self.permit(&metadata, Some(&stream));
            self.delete_stream(&metadata, &stream).await
        };
        match timeout(DELETION, deletion).await.unwrap_or(Err(StreamError::Pending)) {
            Ok(()) => {
                tracing::info!(transmitter = name, "the stream of signals was deleted at the transmitter")
            }
            Err(error) => tracing::warn!(
                transmitter = name, %error,
                "the stream of signals could not be deleted at the transmitter; delete it there"
            ),
        }
    }
}

fn is_too_soon(error: &StreamError) -> bool {
    matches!(error, StreamError::Refused { status: StatusCode::TOO_MANY_REQUESTS, .. })
}
