//! Setting the log up, once per process.

use std::error::Error;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::SystemTime;

use super::LogSettings;

/// Why the log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `[log] level` is no filter.
    #[error(
        "[log] level: expected error, warn, info, debug, trace or a filter such as \"info,portcullis::oidc=debug\": {0}"
    )]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// A second set-up in one process.
    #[error("the log is set up already")]
    Twice,
}

/// Sends what the program says into `writer` from now on, a line in each write.
///
/// # Errors
/// Where the level is no filter, or the log is set up already.
pub fn start<W>(settings: &LogSettings, writer: W) -> Result<(), LogError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().parse(&settings.level)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_timer(SystemTime);
    let terminal = std::io::stderr().is_terminal();
    let installed = if settings.format.is_human() {
        lines.with_ansi(terminal).with_target(false).compact().try_init()
    } else {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    installed.map_err(|_| LogError::Twice)
}

/// An error and what caused it, on one line.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        // Some errors end their own text with that of their cause.
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}
