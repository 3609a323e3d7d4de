//! Sessions listed and ended.

use super::model::ListSessions;
use super::selection::plain;
use super::{EndSessions, EndedSessions, Management, Operator, Problem, SessionList};
use crate::events::ManagementCalled;
use crate::session::{SessionEnd, SessionId, StoreUnavailable};

/// Sign-ins of a page at most.
const LARGEST_PAGE: u32 = 1000;

/// One page of what is asked for.
pub(super) async fn list(management: &Management, asked: ListSessions) -> Result<SessionList, Problem> {
    let ListSessions { selection, after, limit } = asked;
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("`limit` must be a number from 1 to {LARGEST_PAGE}")));
    }
    let after = after.map(|text| session_id(&text)).transpose()?;
    let wanted = selection.wanted(&(management.providers)())?;
    let (found, next) = wanted.list(&management.sessions, after, limit).await?;
    let next = next.map(|id| id.to_hex());
    Ok(SessionList { sessions: found.into_iter().map(Into::into).collect(), next })
}

/// Ends what is asked for. Both the end and the line about it come whether or not the caller waits.
pub(super) async fn end(
    management: &Management,
    asked: EndSessions,
    operator: Operator,
) -> Result<EndedSessions, Problem> {
    let EndSessions { selection, reason } = asked;
    plain("reason", reason.as_deref())?;
    let selected = serde_json::to_string(&selection).unwrap_or_default();
    let wanted = selection.wanted(&(management.providers)())?;
    let (sessions, recorder) = (management.sessions.clone(), management.recorder.clone());
    let ending = tokio::spawn(async move {
        let ended = wanted.end(&sessions, SessionEnd::Administrator).await;
        match &ended {
            Ok(ended) => tracing::info!(
                %operator, operation = "end-sessions", selected, ended, reason,
                "sessions were ended over the management API"
            ),
            Err(error) => tracing::error!(
                %operator, operation = "end-sessions", selected, %error, reason,
                "sessions could not all be ended over the management API"
            ),
        }
        recorder.emit(&ManagementCalled {
            operator: &operator.to_string(),
            operation: "end-sessions",
            client: None,
            status: if ended.is_ok() { 200 } else { 503 },
            reason: Some(&of_selection(&selected, reason.as_deref())),
            selected: None,
            ended: ended.as_ref().ok().and_then(|ended| u64::try_from(*ended).ok()),
        });
        ended
    });
    let ended = ending.await.unwrap_or_else(|error| Err(StoreUnavailable::new(error)))?;
    Ok(EndedSessions { ended })
}

/// Which sign-ins were meant, and why.
fn of_selection(selected: &str, reason: Option<&str>) -> String {
    reason.map_or_else(|| selected.to_owned(), |reason| format!("{selected}: {reason}"))
}

fn session_id(text: &str) -> Result<SessionId, Problem> {
    let fault = || Problem::bad_request("`after` must be 64 hexadecimal digits, as `next` gives them");
    SessionId::from_hex(text).ok_or_else(fault)
}
