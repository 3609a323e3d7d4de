//! `portcullis run`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::terminal::{complain, complain_of, has_colour};
use super::{BAD_CONFIGURATION, UNUSABLE_STATE};
use crate::config::{self, Finding, Report, SystemSources};
use crate::runtime::{self, Reload, Start, StartError};
use crate::telemetry::LogFormat;

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    file: super::ConfigFile,
    /// Go on in place of the gateway that runs with the same state file, without refusing a connection
    #[arg(long)]
    take_over: bool,
}

/// Runs the gateway until it is told to end.
pub(super) fn run(arguments: &RunArguments) -> ExitCode {
    let path = arguments.file.path();
    let start = if arguments.take_over { Start::TakeOver } else { Start::Fresh };
    let loaded = config::load(path, &SystemSources);
    let log = match &loaded {
        Ok((settings, _)) => settings.log.clone(),
        // Its faults are told in the format that it asks for, as far as that can be read.
        Err(_) => config::log_settings(path, &SystemSources),
    };
    let sink = match super::log::start(&log) {
        Ok(sink) => sink,
        Err(code) => return code,
    };
    let code = match loaded {
        Ok((settings, report)) => {
            tell(path, &report, log.format);
            runtime::raise_open_files();
            let reload = reload_from(path.to_owned(), log.format);
            background_runtime().map_err(StartError::System).and_then(|background| {
                background.block_on(runtime::run(settings, reload, start, &sink, || ()))
            })
        }
        Err(report) => {
            tell(path, &report, log.format);
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    code.map_or_else(|error| ended(&error, log.format), |()| ExitCode::SUCCESS)
}

/// Says what was found in the file, in the format of the log: a program that reads JSON lines cannot read a
/// report.
fn tell(path: &Path, report: &Report, format: LogFormat) {
    if format.is_human() {
        return complain(&report.render(has_colour()));
    }
    let file = path.display();
    for Finding { message, expected, help, line, column, .. } in &report.faults {
        tracing::error!(%file, line, column, expected, help, "the configuration has a fault: {message}");
    }
    for Finding { message, expected, help, line, column, .. } in &report.warnings {
        tracing::warn!(%file, line, column, expected, help, "the configuration is doubtful: {message}");
    }
}

/// Says why the gateway ends, in the format of the log.
fn ended(error: &StartError, format: LogFormat) -> ExitCode {
    if format.is_human() {
        fail(error);
    } else {
        tracing::error!(%error, "the gateway ends");
    }
    if error.is_unusable_state() { ExitCode::from(UNUSABLE_STATE) } else { ExitCode::FAILURE }
}

/// The runtime beside the workers: provider calls, health checks, the admin listener.
pub(super) fn background_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("control").enable_all().build()
}

/// Says on standard error why the command failed.
pub(super) fn fail(error: &dyn std::error::Error) -> ExitCode {
    complain_of(&error.to_string(), None);
    ExitCode::FAILURE
}

/// What a reload calls: it reads the file again, and reports a file with faults, for which the configuration
/// in force stays.
fn reload_from(path: PathBuf, format: LogFormat) -> Reload {
    Box::new(move || match config::load(&path, &SystemSources) {
        Ok((settings, report)) => {
            tell(&path, &report, format);
            Some(settings)
        }
        Err(report) => {
            tell(&path, &report, format);
            tracing::error!(file = %path.display(), "the configuration has faults; the old one goes on");
            None
        }
    })
}
