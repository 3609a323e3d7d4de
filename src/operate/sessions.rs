//! Sign-ins are ended.

use http::StatusCode;

use super::{Call, Operations};
use crate::session::{StoreUnavailable, Wanted};

impl Operations {
    /// Ends these sign-ins; `selected` says in words which. Both the end and its record come whether or not whoever asks
    /// waits. Gives how many were ended.
    ///
    /// # Errors
    /// Where the store is away; some may have ended by then.
    pub async fn end_sessions(
        &self,
        wanted: Wanted,
        selected: &str,
        reason: Option<&str>,
        call: &Call,
    ) -> Result<usize, StoreUnavailable> {
        call.because(Some(&of_selection(selected, reason)));
        let (sessions, call) = (self.sessions.clone(), call.clone());
        let ending = tokio::spawn(async move {
            let ended = wanted.end(&sessions, &call.end()).await;
            match &ended {
                Ok(ended) => {
                    call.has_ended(*ended);
                    call.is_answered(StatusCode::OK);
                }
                Err(error) => {
                    call.is_answered(StatusCode::SERVICE_UNAVAILABLE);
                    tracing::error!(id = %call.id(), %error, "sessions could not all be ended for an operator");
                }
            }
            ended
        });
        ending.await.unwrap_or_else(|error| Err(StoreUnavailable::new(error)))
    }
}

/// Which sign-ins were meant, and why.
fn of_selection(selected: &str, reason: Option<&str>) -> String {
    reason.map_or_else(|| selected.to_owned(), |reason| format!("{selected}: {reason}"))
}
