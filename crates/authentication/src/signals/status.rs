//! How a stream is, for operators.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::StreamError;
use super::transmitter::Transmitter;
use crate::clock::Timestamp;

/// How a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamStatus {
    /// Since when it is so.
    pub since: Timestamp,
    /// Why it does not do its work; `None` where it does.
    pub reason: Option<String>,
    /// The transmitter's name for it, once that is known.
    pub stream: Option<String>,
    /// When it was last seen that it works.
    pub verified: Option<Timestamp>,
    /// When a good token last came.
    pub heard: Option<Timestamp>,
    /// Events that were asked for and that the transmitter does not send.
    pub undelivered: Vec<String>,
}

#[derive(Debug)]
pub(super) struct StatusBoard(Mutex<StreamStatus>);

impl StatusBoard {
    pub(super) fn new(now: Timestamp) -> Self {
        Self(Mutex::new(StreamStatus {
            since: now,
            reason: Some(StreamError::Starting.to_string()),
            stream: None,
            verified: None,
            heard: None,
            undelivered: Vec::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, StreamStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transmitter {
    /// How its stream is.
    #[must_use]
    pub fn status(&self) -> StreamStatus {
        self.status.lock().clone()
    }

    pub(super) fn heard(&self) {
        self.status.lock().heard = Some(self.clock.now());
    }

    /// The stream was verified, by what was asked for at `asked` where it was asked for.
    pub(super) fn stream_verified(&self, asked: Option<Timestamp>) {
        self.status.lock().verified = Some(self.clock.now());
        self.verified_for.send_if_modified(|last| {
            let later = asked > *last;
            *last = asked.max(*last);
            later
        });
    }

    /// The transmitter says that it has paused the stream, ended it, or goes on. Unless it goes on, the stream is looked after
    /// at once.
    pub(super) fn stream_updated(&self, status: &str) {
        let status = crate::oidc::http::printable(status);
        tracing::warn!(transmitter = self.settings.name, status, "the transmitter has changed its stream");
        if status != "enabled" {
            self.look_again.notify_one();
        }
    }

    /// The stream is as the configuration says.
    pub(super) fn note_set_up(&self, stream: &super::stream::Stream) {
        let mut board = self.status.lock();
        let undelivered = stream.undelivered();
        if board.reason.is_some() {
            (board.since, board.reason) = (self.clock.now(), None);
            tracing::info!(transmitter = self.settings.name, stream = stream.id, "the stream of signals is set up");
        }
        if board.undelivered != undelivered {
            tracing::warn!(
                transmitter = self.settings.name, events = undelivered.join(", "),
                "the transmitter does not send all events that were asked for"
            );
        }
        (board.stream, board.undelivered) = (Some(stream.id.clone()), undelivered);
    }

    pub(super) fn note_failure(&self, error: &StreamError) {
        let mut board = self.status.lock();
        let (transmitter, reason) = (&self.settings.name, error.to_string());
        if board.reason.as_ref() == Some(&reason) {
            tracing::debug!(transmitter, %error, "the stream of signals still fails");
        } else {
            tracing::warn!(transmitter, %error, "the stream of signals fails; it is tried again");
        }
        if board.reason.replace(reason).is_none() {
            board.since = self.clock.now();
        }
    }
}
