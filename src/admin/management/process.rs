//! What the process is asked to do.

use http::StatusCode;

use super::selection::plain;
use super::{Management, Operator, Problem, Reason};
use crate::operate::{NextAssertionKey, NotDone, ProcessRequest};

/// Asks the process.
pub(super) fn ask(
    management: &Management,
    request: ProcessRequest,
    Reason { reason }: Reason,
    operator: Operator,
) -> Result<(), Problem> {
    plain("reason", reason.as_deref())?;
    Ok(management.operations.ask(request, &operator.actor(), reason.as_deref())?)
}

/// Has the next key of assertions published.
pub(super) async fn rotate(
    management: &Management,
    Reason { reason }: Reason,
    operator: Operator,
) -> Result<NextAssertionKey, Problem> {
    plain("reason", reason.as_deref())?;
    Ok(management.operations.rotate(&operator.actor(), reason.as_deref()).await?)
}

impl From<NotDone> for Problem {
    fn from(NotDone(why): NotDone) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, why)
    }
}
