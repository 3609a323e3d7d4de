//! Sessions listed and ended.

use http::StatusCode;

use super::model::ListSessions;
use super::selection::plain;
use super::{Call, EndSessions, EndedSessions, Management, Problem, SessionList};
use crate::session::{SessionId, StoreUnavailable};

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

/// Ends what is asked for. Both the end and its record come whether or not the caller waits.
pub(super) async fn end(
    management: &Management,
    asked: EndSessions,
    call: &Call,
) -> Result<EndedSessions, Problem> {
    let EndSessions { selection, reason } = asked;
    plain("reason", reason.as_deref())?;
    let selected = serde_json::to_string(&selection).unwrap_or_default();
    let wanted = selection.wanted(&(management.providers)())?;
    call.because(Some(&of_selection(&selected, reason.as_deref())));
    let (sessions, call) = (management.sessions.clone(), call.clone());
    let ending = tokio::spawn(async move {
        let ended = wanted.end(&sessions, &call.end()).await;
        match &ended {
            Ok(ended) => {
                call.has_ended(*ended);
                call.is_answered(StatusCode::OK);
            }
            Err(error) => {
                call.is_answered(StatusCode::SERVICE_UNAVAILABLE);
                tracing::error!(id = %call.id(), %error, "sessions could not all be ended over the management API");
            }
        }
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
