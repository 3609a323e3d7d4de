//! What a webhook is signed by, so that its receiver knows who sent it and when.

use std::fmt::Write as _;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

use crate::secret::Secret;

/// `t=<seconds since 1970>,v1=<HMAC-SHA-256 of "t.body" in hex>`, with a `v1` for each secret, the first one's first: while
/// a secret is being changed, a receiver knows one of them.
pub(super) fn signature(secrets: &[Secret], seconds: u64, body: &[u8]) -> String {
    let mut header = format!("t={seconds}");
    let mut signed = mutant!(format!("{seconds}."), "webhook-unsigned-time" => String::new()).into_bytes();
    signed.extend_from_slice(body);
    for secret in secrets {
        header.push_str(",v1=");
        let tag = sign(&Key::new(HMAC_SHA256, secret.expose().as_bytes()), &signed);
        for byte in tag.as_ref() {
            let _ = write!(header, "{byte:02x}");
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `printf '1800000000.{"v":1}\n' | openssl dgst -sha256 -hmac secret-one`, and the same with the other one.
    #[test]
    fn it_is_what_openssl_makes_of_time_and_body() {
        let secrets = ["secret-one", "secret-two"].map(Secret::new);
        assert_eq!(signature(&secrets, 1_800_000_000, b"{\"v\":1}\n"), EXPECTED);
        assert_eq!(signature(&secrets[..1], 1_800_000_000, b"{\"v\":1}\n"), EXPECTED[..EXPECTED.len() - 68]);
    }

    const EXPECTED: &str = "t=1800000000,v1=15c86550542224637c5f4a743295f5fe8bfeec2e5aeb9c65379b8d115634c3e6,\
         v1=32283cfe75d3d5b1c1fa8ce6dc16577d0ac551ec06ed66c06c59bc04531339ba";
}
