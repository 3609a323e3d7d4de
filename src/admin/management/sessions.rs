//! Sessions listed and ended.

use super::model::{ListSessions, hexadecimal};
use super::selection::{Wanted, plain};
use super::{EndSessions, EndedSessions, Management, Operator, Problem, SessionList};
use crate::session::{IdPrefix, Selector, SessionEnd, SessionId, Sessions, StoreUnavailable};

/// Sign-ins of a page at most.
const LARGEST_PAGE: u32 = 1000;

/// Sign-ins that are looked at in one step where not all that are found are to end.
const LOOKED_AT: u32 = 100;

/// One page of what is asked for.
pub(super) async fn list(management: &Management, asked: ListSessions) -> Result<SessionList, Problem> {
    let ListSessions { selection, after, limit } = asked;
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("`limit` must be a number from 1 to {LARGEST_PAGE}")));
    }
    let after = after.map(|text| session_id(&text)).transpose()?;
    let wanted = selection.wanted(&(management.providers)())?;
    let mut found = Vec::new();
    for selector in &wanted.selectors {
        found.extend(management.sessions.list(selector, after, limit).await?);
    }
    found.sort_by_key(|overview| overview.id);
    found.dedup_by_key(|overview| overview.id);
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    found.truncate(size);
    let next = found.last().filter(|_| found.len() == size).map(|last| hexadecimal(last.id.as_bytes()));
    found.retain(|overview| wanted.includes(overview));
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
    let sessions = management.sessions.clone();
    let ending = tokio::spawn(async move {
        let ended = end_wanted(&sessions, &wanted).await;
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
        ended
    });
    let ended = ending.await.unwrap_or_else(|error| Err(StoreUnavailable::new(error)))?;
    Ok(EndedSessions { ended })
}

async fn end_wanted(sessions: &Sessions, wanted: &Wanted) -> Result<usize, StoreUnavailable> {
    let mut ended = 0;
    for selector in &wanted.selectors {
        ended += if wanted.is_exact() {
            sessions.end_matching(selector.clone(), None, SessionEnd::Administrator).await?
        } else {
            end_included(sessions, selector, wanted).await?
        };
    }
    Ok(ended)
}

/// Ends those that `selector` finds and `wanted` includes, one by one.
async fn end_included(
    sessions: &Sessions,
    selector: &Selector,
    wanted: &Wanted,
) -> Result<usize, StoreUnavailable> {
    let (mut after, mut ended) = (None, 0);
    loop {
        let found = sessions.list(selector, after, LOOKED_AT).await?;
        let Some(last) = found.last() else { return Ok(ended) };
        after = Some(last.id);
        for overview in found.iter().filter(|overview| wanted.includes(overview)) {
            let one = Selector::Id(IdPrefix::from(overview.id));
            ended += sessions.end_matching(one, None, SessionEnd::Administrator).await?;
        }
    }
}

fn session_id(text: &str) -> Result<SessionId, Problem> {
    let fault = || Problem::bad_request("`after` must be 64 hexadecimal digits, as `next` gives them");
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits: [u8; 64] = digits.and_then(|digits| digits.try_into().ok()).ok_or_else(fault)?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (pair[0] << 4) | pair[1];
    }
    Ok(SessionId::from_bytes(bytes))
}
