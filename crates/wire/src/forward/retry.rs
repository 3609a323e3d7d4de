//! When a request is sent once more, and when it must not be.

use std::time::Duration;

use http::{Method, Request, Response};
use tokio::time::sleep;

use super::body::OutboundBody;
use super::checkout::Checkout;
use super::failure::Failure;
use super::pooled::PooledConnection;
use super::response::ResponseSource;
use super::sending::{Sending, body_limits};
use super::{ForwardError, ForwardFault};

/// How often a request is sent that no server has done anything with.
const MAX_ATTEMPTS: u32 = 10;

/// The wait before a request that was refused for the second time is sent again; doubled each time. Servers
/// refuse streams that are too many for the moment.
const BACK_OFF: Duration = Duration::from_millis(2);

/// What has become of a request so far.
///
/// Each failure is put to [`Attempts::allow`], which alone says whether the request is sent again:
/// - nothing of it has left, or the server says that it has done nothing: again, up to [`MAX_ATTEMPTS`] in
///   all;
/// - the connection ended without an answer: once, where the request is idempotent; then it is `doubtful`;
/// - anything else: never.
struct Attempts {
    idempotent: bool,
    made: u32,
    refused: u32,
    /// Whether one of them may have been acted upon.
    doubtful: bool,
}

impl Attempts {
    fn of(method: &Method) -> Self {
        Self { idempotent: method.is_idempotent(), made: 1, refused: 0, doubtful: false }
    }

    /// Whether there may be another (RFC 9110, section 9.2.2): any number where nothing has been done, one of
    /// what can be done twice. A connection that was never good is no sign of one that was closed meanwhile.
    fn allow(&mut self, failure: &Failure, connection: &PooledConnection) -> bool {
        let allowed = match failure {
            Failure::Unsent(_) => connection.is_http2() || !connection.is_fresh(),
            Failure::Unprocessed(..) => true,
            Failure::Unanswered(..) => {
                mutant!(self.idempotent, "post-sent-twice" => true)
                    && !connection.is_fresh()
                    && !std::mem::replace(&mut self.doubtful, true)
            }
            Failure::Failed(_) => false,
        };
        self.made += 1;
        allowed && self.made <= MAX_ATTEMPTS
    }

    async fn wait(&mut self, failure: &Failure) {
        if matches!(failure, Failure::Unprocessed(..)) {
            self.refused += 1;
            if let Some(doublings) = self.refused.checked_sub(2) {
                sleep(BACK_OFF * 2_u32.pow(doublings)).await;
            }
        }
    }
}

/// Sends a request, and again for as long as it is allowed.
pub(super) async fn send(
    sending: &mut Sending<'_>,
    request: &mut Request<OutboundBody>,
) -> Result<(Response<ResponseSource>, Checkout), ForwardError> {
    let mut checkout = sending.connect(false).await?;
    match sending.transmit(&mut checkout, request).await {
        Ok(response) => Ok((response, checkout)),
        // Boxed: rare, and every request carries the room for this future.
        Err(failure) => Box::pin(send_again(sending, failure, checkout, request)).await,
    }
}

async fn send_again(
    sending: &mut Sending<'_>,
    mut failure: Failure,
    mut checkout: Checkout,
    request: &mut Request<OutboundBody>,
) -> Result<(Response<ResponseSource>, Checkout), ForwardError> {
    let mut attempts = Attempts::of(request.method());
    while attempts.allow(&failure, &checkout.connection) {
        attempts.wait(&failure).await;
        restore(sending, failure, request).map_err(|error| sending.blame(error, &checkout))?;
        checkout = sending.connect(true).await?;
        match sending.transmit(&mut checkout, request).await {
            Ok(response) => return Ok((response, checkout)),
            Err(next) => failure = next,
        }
    }
    Err(sending.blame(failure.into(), &checkout))
}

/// Makes the request what it was before it was sent.
fn restore(
    sending: &mut Sending<'_>,
    failure: Failure,
    request: &mut Request<OutboundBody>,
) -> Result<(), ForwardError> {
    match failure {
        Failure::Unsent(_) | Failure::Unanswered(_, None) | Failure::Failed(_) => Ok(()),
        Failure::Unprocessed(error, copy) | Failure::Unanswered(error, Some(copy)) => {
            let restored = copy.restore(request, body_limits(sending.upstream, sending.plan));
            sending.exchange = restored.ok_or_else(|| ForwardError::new(ForwardFault::NotHeld, error))?;
            Ok(())
        }
    }
}
