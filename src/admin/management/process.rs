//! What the process is asked to do.

use http::StatusCode;
use tokio::sync::oneshot;

use super::operation::Operation;
use super::selection::plain;
use super::{Management, NextAssertionKey, Operator, Problem, ProcessRequest, Reason};
use crate::events::ManagementCalled;

/// Asks the process, and says so in the log.
pub(super) fn ask(
    management: &Management,
    operation: Operation,
    Reason { reason }: Reason,
    operator: Operator,
) -> Result<(), Problem> {
    plain("reason", reason.as_deref())?;
    let request = if operation == Operation::Drain { ProcessRequest::Drain } else { ProcessRequest::Reload };
    if !(management.process)(request) {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the process is busy or about to end"));
    }
    tracing::info!(%operator, operation = operation.id(), reason, "the process was asked over the management API");
    record(management, operation, operator, reason.as_deref());
    Ok(())
}

/// Has the next key of assertions published, and says so in the log.
pub(super) async fn rotate(
    management: &Management,
    Reason { reason }: Reason,
    operator: Operator,
) -> Result<NextAssertionKey, Problem> {
    plain("reason", reason.as_deref())?;
    let unavailable = |why: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why);
    let (answer, answered) = oneshot::channel();
    let asked = management.rotate.send(answer).await;
    asked.map_err(|_| unavailable("the process is about to end".into()))?;
    let next = answered.await.map_err(|_| unavailable("the process is about to end".into()))?;
    let next = next.map_err(unavailable)?;
    tracing::info!(%operator, kid = next.kid, signs_from = next.signs_from, reason, "the next assertion key is published");
    record(management, Operation::RotateAssertionKey, operator, reason.as_deref());
    Ok(next)
}

fn record(management: &Management, operation: Operation, operator: Operator, reason: Option<&str>) {
    management.recorder.emit(&ManagementCalled {
        operator: &operator.to_string(),
        operation: operation.id(),
        client: None,
        status: StatusCode::OK.as_u16(),
        reason,
        selected: None,
        ended: None,
    });
}
