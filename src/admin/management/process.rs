//! What the process is asked to do.

use http::StatusCode;
use tokio::sync::oneshot;

use super::operation::Operation;
use super::selection::plain;
use super::{Management, NextAssertionKey, Operator, Problem, ProcessRequest, Reason};

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
    Ok(next)
}
