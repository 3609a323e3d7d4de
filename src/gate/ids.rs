//! Identifiers of requests.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use http::HeaderMap;

use crate::identity::RequestId;
use crate::secret::random_bytes;

/// The longest `X-Request-Id` that is taken over, in bytes.
const LONGEST: usize = 64;

/// Makes identifiers that do not repeat: a counter, spread over 64 bits from a random start.
#[derive(Debug)]
pub(super) struct RequestIds(AtomicU64);

impl RequestIds {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(u64::from_ne_bytes(random_bytes())))
    }

    /// The identifier a trusted proxy gave the request, or a new one: a stranger cannot choose what the
    /// log will say.
    pub(super) fn of(&self, headers: &HeaderMap, trusted: bool) -> RequestId {
        let believed = mutant!(trusted, "stranger-names-requests" => true);
        let given = believed.then(|| headers.get("x-request-id")).flatten().and_then(|id| id.to_str().ok());
        given.filter(|id| is_plain(id)).map_or_else(|| self.next(), RequestId::new)
    }

    fn next(&self) -> RequestId {
        let mut buffer = [0_u8; 16];
        let mut rest = spread(self.0.fetch_add(1, Relaxed));
        for digit in buffer.iter_mut().rev() {
            *digit = b"0123456789abcdef"[(rest & 15) as usize];
            rest >>= 4;
        }
        RequestId::of_digits(buffer)
    }
}

/// A bijection on 64 bits (the finalizer of SplitMix64), so that neighbours look unlike each other.
const fn spread(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !id.is_empty() && id.len() <= LONGEST && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(id: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static("x-request-id"), id.parse().unwrap())])
    }

    #[test]
    fn identifiers_do_not_repeat() {
        let ids = RequestIds::new();
        let made: std::collections::HashSet<_> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 10_000);
        assert!(made.iter().all(|id| id.as_str().len() == 16));
    }

    #[test]
    fn only_a_trusted_proxy_names_a_request() {
        let ids = RequestIds::new();
        assert_eq!(ids.of(&headers("abc-1"), true).as_str(), "abc-1");
        assert_ne!(ids.of(&headers("abc-1"), false).as_str(), "abc-1");
        assert_ne!(ids.of(&headers("a b"), true).as_str(), "a b");
        assert_ne!(ids.of(&headers(&"a".repeat(65)), true).as_str().len(), 65);
    }
}
