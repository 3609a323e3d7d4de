//! What the process is asked to do.

use http::StatusCode;

use super::selection::plain;
use super::{Management, Problem, Reason};
use crate::operate::{Call, NextAssertionKey, NotDone, ProcessRequest};

/// Asks the process.
pub(super) fn ask(
    management: &Management,
    request: ProcessRequest,
    Reason { reason }: Reason,
    call: &Call,
) -> Result<(), Problem> {
    plain("reason", reason.as_deref())?;
    Ok(management.operations.ask(request, reason.as_deref(), call)?)
}

/// Has the next key of assertions published.
pub(super) async fn rotate(
    management: &Management,
    Reason { reason }: Reason,
    call: &Call,
) -> Result<NextAssertionKey, Problem> {
    plain("reason", reason.as_deref())?;
    Ok(management.operations.rotate(reason.as_deref(), call).await?)
}

impl From<NotDone> for Problem {
    fn from(NotDone(why): NotDone) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, why)
    }
}
