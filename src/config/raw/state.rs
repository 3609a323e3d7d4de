//! `[state]`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMany, SecretSource};

/// How what is kept at rest is protected. Where it is kept says `[server] state`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct State {
    /// What seals the gateway's own keys and the cards of sessions: at least 43 characters from a random generator,
    /// as `openssl rand -base64 32` prints them. Of an array the first seals, and all of them open: put a new one in
    /// front, and take the old one out once no session is older than the change.
    #[schemars(extend("x-default" = "the file's mode alone", "examples" = [{"file": "/etc/portcullis/state.key"}]))]
    pub key: Option<OneOrMany<SecretSource>>,
}
