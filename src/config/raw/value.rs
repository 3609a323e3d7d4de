//! Values that many keys share.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// One, or an array of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// A span of time as people write it: `"500ms"`, `"30s"`, `"15m"`, `"1h 30m"`, `"7days"`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "duration", "examples" = ["15m"], "pattern" = "^ *[0-9.]+ *[A-Za-zµ]+( *[0-9.]+ *[A-Za-zµ]+)* *$|^0$"))]
pub(in crate::config) struct Span(pub String);

/// A size: bytes as a number, or `"64KiB"`, `"10MiB"`, `"1GiB"`, `"10MB"`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(extend("x-kind" = "size", "examples" = ["10MiB"]))]
pub(in crate::config) enum Size {
    Bytes(u64),
    Text(String),
}

/// A file; a relative path starts at the folder of the configuration file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct File {
    /// The path.
    #[schemars(extend("examples" = ["/etc/portcullis/ca.pem"]))]
    pub file: PathBuf,
}

/// A value that a claim is compared with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Scalar {
    Text(String),
    Truth(bool),
    Number(i64),
}

impl Scalar {
    /// The text that `identity::texts` gives for an equal claim.
    pub(in crate::config) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Truth(truth) => truth.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}
