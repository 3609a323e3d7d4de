//! The table of statuses: what the client is told of each fault. The numbers of the pages themselves stand in
//! [`pages::ErrorKind::status`](crate::pages::ErrorKind::status); nothing else in the gate names one for a refusal.

use crate::forward;
use crate::pages::ErrorKind;

/// What a client is told of a request that its app did not answer.
pub(super) const fn of_forward(fault: forward::Fault) -> ErrorKind<'static> {
    match fault {
        forward::Fault::Connect
        | forward::Fault::Tls
        | forward::Fault::Reset
        | forward::Fault::Refused
        | forward::Fault::InvalidResponse
        | forward::Fault::HeadersTooLarge => ErrorKind::AppDown,
        forward::Fault::NotHeld => ErrorKind::AppRefused,
        forward::Fault::ConnectTimeout | forward::Fault::ResponseTimeout => ErrorKind::AppTimeout,
        forward::Fault::BodyTooLarge => ErrorKind::ContentTooLarge,
        forward::Fault::ClientBody | forward::Fault::ClientTrailers | forward::Fault::BadTarget => {
            ErrorKind::BadRequest
        }
        forward::Fault::ClientTimeout => ErrorKind::RequestTimeout,
        forward::Fault::MethodRefused => ErrorKind::MethodNotAllowed,
        forward::Fault::Internal => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_that_cannot_be_reached_is_a_bad_gateway_and_a_slow_one_a_timeout() {
        for (fault, status) in [
            (forward::Fault::Connect, 502),
            (forward::Fault::Refused, 502),
            (forward::Fault::NotHeld, 502),
            (forward::Fault::ConnectTimeout, 504),
            (forward::Fault::ResponseTimeout, 504),
            (forward::Fault::MethodRefused, 405),
            (forward::Fault::BodyTooLarge, 413),
            (forward::Fault::ClientTimeout, 408),
        ] {
            assert_eq!(of_forward(fault).status().as_u16(), status, "{fault:?}");
        }
    }
}
