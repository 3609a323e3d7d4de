//! `portcullis run`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::check;
use super::terminal::complain_of;
use crate::config::{self, Settings, SystemSources};
use crate::runtime::{self, Reload, StartError};
use crate::telemetry;

/// Runs the gateway until it is told to end.
pub(super) fn run(path: &Path) -> ExitCode {
    match check::load(path) {
        Ok(settings) => with(settings, reload_from(path.to_owned())),
        Err(code) => code,
    }
}

fn with(settings: Settings, reload: Reload) -> ExitCode {
    let guard = match telemetry::start(&settings.log) {
        Ok(guard) => guard,
        Err(error) => return fail(&error),
    };
    runtime::raise_open_files();
    let run = |control: tokio::runtime::Runtime| control.block_on(runtime::run(settings, reload, || ()));
    let ended = control().map_err(StartError::System).and_then(run);
    drop(guard);
    ended.map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
}

/// The runtime beside the workers: provider calls, health checks, the admin listener.
pub(super) fn control() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("control").enable_all().build()
}

pub(super) fn fail(error: &dyn std::error::Error) -> ExitCode {
    complain_of(&error.to_string(), None);
    ExitCode::FAILURE
}

/// A bad file is reported in the log, and the old configuration goes on.
fn reload_from(path: PathBuf) -> Reload {
    Box::new(move || match config::load(&path, &SystemSources) {
        Ok((settings, _)) => Some(settings),
        Err(report) => {
            let report = report.render(false);
            tracing::error!(file = %path.display(), %report, "the configuration has faults; the old one goes on");
            None
        }
    })
}
