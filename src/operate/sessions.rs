//! Sign-ins are ended.

use super::{Actor, Operations};
use crate::events::ManagementCalled;
use crate::session::{SessionEnd, StoreUnavailable, Wanted};

const OPERATION: &str = "end-sessions";

impl Operations {
    /// Ends these sign-ins; `selected` says in words which. Both the end and what is told of it come whether or not whoever
    /// asks waits. Gives how many were ended.
    ///
    /// # Errors
    /// Where the store is away; some may have ended by then.
    pub async fn end_sessions(
        &self,
        wanted: Wanted,
        selected: String,
        by: Actor,
        reason: Option<String>,
    ) -> Result<usize, StoreUnavailable> {
        let operations = self.clone();
        let ending = tokio::spawn(async move {
            let ended = wanted.end(&operations.sessions, SessionEnd::Administrator).await;
            tell(&ended, &selected, &by, reason.as_deref());
            operations.recorder.emit(&ManagementCalled {
                operator: &by.to_string(),
                operation: OPERATION,
                client: by.client,
                status: if ended.is_ok() { 200 } else { 503 },
                reason: Some(&of_selection(&selected, reason.as_deref())),
                selected: None,
                ended: ended.as_ref().ok().and_then(|ended| u64::try_from(*ended).ok()),
            });
            ended
        });
        ending.await.unwrap_or_else(|error| Err(StoreUnavailable::new(error)))
    }
}

fn tell(ended: &Result<usize, StoreUnavailable>, selected: &str, by: &Actor, reason: Option<&str>) {
    let (operator, provider, id) = (&by.operator, by.provider.as_deref(), by.request.as_deref());
    let (operation, way) = (OPERATION, by.way);
    match ended {
        Ok(ended) => tracing::info!(
            id,
            operator,
            provider,
            operation,
            selected,
            ended,
            reason,
            "sessions were ended over {way}"
        ),
        Err(error) => tracing::error!(
            id,
            operator,
            provider,
            operation,
            selected,
            %error,
            reason,
            "sessions could not all be ended over {way}"
        ),
    }
}

/// Which sign-ins were meant, and why.
fn of_selection(selected: &str, reason: Option<&str>) -> String {
    reason.map_or_else(|| selected.to_owned(), |reason| format!("{selected}: {reason}"))
}
