//! How the record is asked: on a thread of its own, for so long, and no longer than somebody waits.

use std::sync::Arc;
use std::time::Duration;

use super::process::Process;
use crate::segments::{AskError, Patience, Reader};

/// What came of it.
#[derive(Debug)]
pub(super) enum Ask<T> {
    /// The answer.
    Answered(T),
    /// No sink is a store that can be asked.
    NoStore,
}

/// Asks the store. Whoever leaves meanwhile breaks it off.
///
/// # Errors
/// In words, where it cannot be read.
pub(super) async fn ask<T: Send + 'static>(
    process: &Arc<dyn Process>,
    patience: Duration,
    question: impl FnOnce(&Reader, &Patience) -> Result<T, AskError> + Send + 'static,
) -> Result<Ask<T>, String> {
    let (process, patience) = (Arc::clone(process), Patience::of(patience));
    let asker = patience.asker();
    let asked = tokio::task::spawn_blocking(move || match process.store().map_err(AskError::from)? {
        Some(reader) => question(&reader, &patience).map(Ask::Answered),
        None => Ok(Ask::NoStore),
    });
    let answer = asked.await;
    drop(asker);
    match answer {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
