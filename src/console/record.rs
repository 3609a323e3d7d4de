//! How the record is asked: on a thread of its own, for so long, and no longer than somebody waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinError;

use super::message::Message;
use super::process::Process;
use crate::segments::{AskError, Patience, Reader, read_apart};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// No sink is a store that can be asked.
    NoStore,
    /// It cannot be read: why.
    NotRead(String),
}

impl Unanswered {
    /// What was answered on another thread.
    ///
    /// # Errors
    /// Where nothing was.
    pub(super) fn or<T>(read: Result<Result<Option<T>, AskError>, JoinError>) -> Result<T, Self> {
        match read {
            Ok(Ok(answer)) => answer.ok_or(Self::NoStore),
            Ok(Err(error)) => Err(Self::NotRead(error.to_string())),
            Err(error) => Err(Self::NotRead(error.to_string())),
        }
    }
}

impl From<Unanswered> for Message {
    fn from(why: Unanswered) -> Self {
        match why {
            Unanswered::NoStore => Self::NoStore,
            Unanswered::NotRead(why) => Self::NotRead(why),
        }
    }
}

/// Asks the store. Whoever leaves meanwhile breaks it off.
///
/// # Errors
/// Where there is none, or it cannot be read.
pub(super) async fn ask<T: Send + 'static>(
    process: &Arc<dyn Process>,
    patience: Duration,
    question: impl FnOnce(&Reader, &Patience) -> Result<T, AskError> + Send + 'static,
) -> Result<T, Unanswered> {
    let process = Arc::clone(process);
    let asked = read_apart(patience, move |patience| {
        let reader = process.store().map_err(AskError::from)?;
        reader.map(|reader| question(&reader, patience)).transpose()
    });
    Unanswered::or(asked.await)
}
