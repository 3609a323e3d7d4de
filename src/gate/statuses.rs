//! The table of statuses: what the client is told of each fault. The numbers of the pages themselves stand in
//! [`pages::ErrorKind::status`](crate::pages::ErrorKind::status); nothing else in the gate names one for a refusal.

use crate::forward::ForwardFault;
use crate::pages::ErrorKind;

/// What a client is told of a request that its app did not answer.
pub(super) const fn of_forward(fault: ForwardFault) -> ErrorKind<'static> {
    match fault {
        ForwardFault::Connect
        | ForwardFault::Tls
        | ForwardFault::Reset
        | ForwardFault::Refused
        | ForwardFault::InvalidResponse
        | ForwardFault::HeadersTooLarge => ErrorKind::AppDown,
        ForwardFault::NotHeld => ErrorKind::AppRefused,
        ForwardFault::ConnectTimeout | ForwardFault::ResponseTimeout => ErrorKind::AppTimeout,
        ForwardFault::BodyTooLarge => ErrorKind::ContentTooLarge,
        ForwardFault::ClientBody | ForwardFault::ClientTrailers | ForwardFault::BadTarget => {
            ErrorKind::BadRequest
        }
        ForwardFault::ClientTimeout => ErrorKind::RequestTimeout,
        ForwardFault::MethodRefused => ErrorKind::MethodNotAllowed,
        ForwardFault::Internal => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_that_cannot_be_reached_is_a_bad_gateway_and_a_slow_one_a_timeout() {
        for (fault, status) in [
            (ForwardFault::Connect, 502),
            (ForwardFault::Refused, 502),
            (ForwardFault::NotHeld, 502),
            (ForwardFault::ConnectTimeout, 504),
            (ForwardFault::ResponseTimeout, 504),
            (ForwardFault::MethodRefused, 405),
            (ForwardFault::BodyTooLarge, 413),
            (ForwardFault::ClientTimeout, 408),
        ] {
            assert_eq!(of_forward(fault).status().as_u16(), status, "{fault:?}");
        }
    }
}
