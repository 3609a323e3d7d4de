//! What the process is asked to do.

use http::StatusCode;

use super::operation::Operation;
use super::selection::plain;
use super::{Management, Operator, Problem, ProcessRequest, Reason};

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
