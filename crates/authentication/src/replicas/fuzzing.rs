//! Words that anybody may have written into what gateways share.

use super::heads;

/// Any bytes as what other gateways have signed of their records: without the key nothing of it is heard, and of what somebody
/// with the key says only what can stand in a checkpoint, as it would be said again.
pub fn shared_heads(data: &[u8]) {
    heads::any(data);
}

#[cfg(test)]
mod smoke {
    use portcullis_rules::fuzzing::smoke;

    #[test]
    fn shared_heads() {
        smoke("shared_heads", 3000, super::shared_heads);
    }
}
