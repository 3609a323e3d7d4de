//! Sessions listed and ended.

use super::model::ListSessions;
use super::selection::plain;
use super::{EndSessions, EndedSessions, Management, Problem, SessionList};
use crate::operate::Call;
use crate::session::SessionId;

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
    let (found, next) = wanted.list(&management.operations.sessions, after, limit).await?;
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
    let ended = management.operations.end_sessions(wanted, &selected, reason.as_deref(), call).await?;
    Ok(EndedSessions { ended })
}

fn session_id(text: &str) -> Result<SessionId, Problem> {
    let fault = || Problem::bad_request("`after` must be 64 hexadecimal digits, as `next` gives them");
    SessionId::from_hex(text).ok_or_else(fault)
}
