//! The log as the configuration means it.

use std::io::IsTerminal as _;

/// What is logged, and how: `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// How a line looks.
    pub format: LogFormat,
    /// What is said: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `portcullis::oidc=debug`.
    pub level: String,
    /// Whether each request leaves a line.
    pub access: bool,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Auto, level: "info".into(), access: true }
    }
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// A line of text, for people to read.
    Human,
}

impl LogFormat {
    /// Whether lines on standard error are for eyes.
    #[must_use]
    pub fn is_human(self) -> bool {
        match self {
            Self::Auto => std::io::stderr().is_terminal(),
            Self::Human => true,
            Self::Json => false,
        }
    }
}
