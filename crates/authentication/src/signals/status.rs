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
pub(super) struct StatusBoard(Mutex<Board>);

#[derive(Debug)]
struct Board {
    shown: StreamStatus,
    /// No verification came: that the stream is set up does not say that it works.
    unverified: bool,
}

impl StatusBoard {
    pub(super) fn new(now: Timestamp) -> Self {
        let shown = StreamStatus {
            since: now,
            reason: Some(StreamError::Starting.to_string()),
            stream: None,
            verified: None,
            heard: None,
            undelivered: Vec::new(),
        };
        Self(Mutex::new(Board { shown, unverified: false }))
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    /// Whether it is news that it works.
    fn works(&mut self, now: Timestamp) -> bool {
        let news = self.shown.reason.take().is_some();
        if news {
            self.shown.since = now;
        }
        news
    }
}

impl Transmitter {
    /// How its stream is.
    #[must_use]
    pub fn status(&self) -> StreamStatus {
        self.status.lock().shown.clone()
    }

    pub(super) fn heard(&self) {
        self.status.lock().shown.heard = Some(self.clock.now());
    }

    /// The stream was verified, by what was asked for at `asked` where it was asked for.
    pub(super) fn stream_verified(&self, asked: Option<Timestamp>) {
        let (mut board, now) = (self.status.lock(), self.clock.now());
        board.shown.verified = Some(now);
        if std::mem::take(&mut board.unverified) {
            board.works(now);
            self.watch.back();
        }
        drop(board);
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
        let (mut board, transmitter) = (self.status.lock(), &self.settings.name);
        let undelivered = stream.undelivered();
        if !board.unverified && board.works(self.clock.now()) {
            self.watch.back();
            tracing::info!(transmitter, stream = stream.id, "the stream of signals is set up");
        }
        if board.shown.undelivered != undelivered {
            let events = undelivered.join(", ");
            tracing::warn!(
                transmitter,
                events,
                "the transmitter does not send all events that were asked for"
            );
        }
        (board.shown.stream, board.shown.undelivered) = (Some(stream.id.clone()), undelivered);
    }

    pub(super) fn note_failure(&self, error: &StreamError) {
        let mut board = self.status.lock();
        let (transmitter, reason) = (&self.settings.name, error.to_string());
        board.unverified = board.unverified || matches!(error, StreamError::Unverified(_));
        if board.shown.reason.as_ref() == Some(&reason) {
            tracing::debug!(transmitter, %error, "the stream of signals still fails");
        } else {
            self.watch.lost(format!("the stream of signals fails; it is tried again: {reason}"));
        }
        if board.shown.reason.replace(reason).is_none() {
            board.shown.since = self.clock.now();
        }
    }
}
