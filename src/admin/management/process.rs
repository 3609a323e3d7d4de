//! What the process is asked to do.

use http::StatusCode;
use tokio::sync::oneshot;

use super::operation::Operation;
use super::selection::plain;
use super::{Call, Management, NextAssertionKey, Problem, ProcessRequest, Reason, RotationRequest};

/// Asks the process.
pub(super) fn ask(
    management: &Management,
    operation: Operation,
    Reason { reason }: Reason,
    call: &Call,
) -> Result<(), Problem> {
    plain("reason", reason.as_deref())?;
    call.because(reason.as_deref());
    let request = if operation == Operation::Drain { ProcessRequest::Drain } else { ProcessRequest::Reload };
    if !(management.process)(request) {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the process is busy or about to end"));
    }
    Ok(())
}

/// Has the next key of assertions published.
pub(super) async fn rotate(
    management: &Management,
    Reason { reason }: Reason,
    call: &Call,
) -> Result<NextAssertionKey, Problem> {
    plain("reason", reason.as_deref())?;
    call.because(reason.as_deref());
    let unavailable = |why: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why);
    let (answer, answered) = oneshot::channel();
    let asked = management.rotate.send(RotationRequest { by: call.operator(), answer }).await;
    asked.map_err(|_| unavailable("the process is about to end".into()))?;
    let next = answered.await.map_err(|_| unavailable("the process is about to end".into()))?;
    next.map_err(unavailable)
}
