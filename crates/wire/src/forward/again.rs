//! When a request is sent once more, and when it must not be.

use std::time::Duration;

use http::{Method, Request, Response};
use tokio::time::sleep;

use super::body::RequestBody;
use super::http2::Backup;
use super::pool::Checkout;
use super::response::{Content, Lease};
use super::send::{Sending, limits};
use super::{Fault, ForwardError};

/// How often a request is sent that no server has done anything with.
const MAX_ATTEMPTS: u32 = 10;

/// The wait before a request that was refused for the second time is sent again; doubled each time. Servers
/// refuse streams that are too many for the moment.
const BACK_OFF: Duration = Duration::from_millis(2);

/// Why there is no response.
pub(super) enum Failure {
    /// Not a byte has left; the request is as it was.
    Unsent(ForwardError),
    /// The server says that it has done nothing with it.
    Unprocessed(ForwardError, Box<Backup>),
    /// The connection ended instead of an answer. Nothing of a body has left; without a backup the request is as
    /// it was.
    Unanswered(ForwardError, Option<Box<Backup>>),
    Failed(ForwardError),
}

/// What has become of a request so far.
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
    fn allow(&mut self, failure: &Failure, lent: &Checkout) -> bool {
        let shared = matches!(lent, Checkout::Http2 { .. });
        let allowed = match failure {
            Failure::Unsent(_) => shared || !lent.is_fresh(),
            Failure::Unprocessed(..) => true,
            Failure::Unanswered(..) => {
                mutant!(self.idempotent, "post-sent-twice" => true)
                    && !lent.is_fresh()
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

impl Sending<'_> {
    /// Sends a request again for as long as it is allowed.
    pub(super) async fn send_again(
        &mut self,
        mut failure: Failure,
        mut lease: Lease,
        request: &mut Request<RequestBody>,
    ) -> Result<(Response<Content>, Lease), ForwardError> {
        let mut attempts = Attempts::of(request.method());
        while attempts.allow(&failure, &lease.lent) {
            attempts.wait(&failure).await;
            self.restore(failure, request).map_err(|error| self.blame(error, &lease))?;
            lease = self.connect(true).await?;
            match self.transmit(&mut lease, request).await {
                Ok(response) => return Ok((response, lease)),
                Err(next) => failure = next,
            }
        }
        Err(self.blame(failure.into(), &lease))
    }

    /// Makes the request what it was before it was sent.
    fn restore(&mut self, failure: Failure, request: &mut Request<RequestBody>) -> Result<(), ForwardError> {
        match failure {
            Failure::Unsent(_) | Failure::Unanswered(_, None) | Failure::Failed(_) => Ok(()),
            Failure::Unprocessed(error, backup) | Failure::Unanswered(error, Some(backup)) => {
                let restored = backup.restore(request, limits(self.upstream, self.plan));
                self.exchange = restored.ok_or_else(|| ForwardError::new(Fault::NotHeld, error))?;
                Ok(())
            }
        }
    }
}

impl From<Failure> for ForwardError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unsent(error)
            | Failure::Unprocessed(error, _)
            | Failure::Unanswered(error, _)
            | Failure::Failed(error) => error,
        }
    }
}
