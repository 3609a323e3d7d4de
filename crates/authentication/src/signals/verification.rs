//! The state that a stream is verified with (Shared Signals Framework 1.0, section 8.1.4): when it was asked for, sealed, so
//! that any process with the same key knows it again and nothing need be kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::secret::SealingKey;

/// The longest state that is looked at, in bytes.
const LONGEST: usize = 256;

fn binding(name: &str) -> Vec<u8> {
    [b"portcullis signals 1: verification ".as_slice(), name.as_bytes()].concat()
}

/// A state that was asked for at `now`.
pub(super) fn state(key: &SealingKey, name: &str, now: Timestamp) -> String {
    URL_SAFE_NO_PAD.encode(key.seal_json(&binding(name), &now).unwrap_or_default())
}

/// When `state` was asked for; `None` where it was not.
pub(super) fn asked(key: &SealingKey, name: &str, state: &str) -> Option<Timestamp> {
    let sealed = (state.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(state).ok()).flatten()?;
    key.open_json(&binding(name), &sealed)
}
