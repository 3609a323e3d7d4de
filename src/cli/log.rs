//! The log of a command that runs the gateway.

use std::process::ExitCode;

use super::run::fail;
use crate::sinks::{LineFormat, LogSink};
use crate::telemetry::{self, LogSettings};

/// Starts it; what is said afterwards goes there. Its drop writes out what waits.
///
/// # Errors
/// The status to end with, where it cannot be started: why has been said.
pub(super) fn start(settings: &LogSettings) -> Result<LogSink, ExitCode> {
    let format = if settings.format.is_human() { LineFormat::Human } else { LineFormat::Json };
    let log = LogSink::start(format).map_err(|error| fail(&error))?;
    telemetry::start(settings, log.writer()).map_err(|error| fail(&error))?;
    Ok(log)
}
