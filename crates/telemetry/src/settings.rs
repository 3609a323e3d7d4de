//! The log as the configuration means it.

use std::io::IsTerminal as _;

use portcullis_events::Level;
use portcullis_trace::Sampler;

/// What is told of how the gateway works: `[telemetry]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// Which of the traces that begin here are recorded.
    pub traces: Sampler,
}

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

impl LogSettings {
    /// How much attention an event must deserve to be told; `None`: none is. A filter's word for everything counts.
    #[must_use]
    pub fn least(&self) -> Option<Level> {
        let general = self.level.split(',').map(str::trim).find(|part| !part.contains('='));
        match general.unwrap_or("info").to_ascii_lowercase().as_str() {
            "off" => None,
            "error" => Some(Level::Error),
            "warn" => Some(Level::Warn),
            _ => Some(Level::Info),
        }
    }
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
