//! `portcullis check` and `portcullis schema`.

use std::path::Path;
use std::process::ExitCode;

use super::BAD_CONFIGURATION;
use super::terminal::{complain, has_colour, print};
use crate::config::{self, Report, Settings, SystemSources};

/// Reads the file and says everything that is wrong with it.
pub(super) fn check(path: &Path) -> ExitCode {
    match config::load(path, &SystemSources) {
        Ok((settings, report)) => {
            complain(&report.render(has_colour()));
            print(&summary(path, &settings));
            ExitCode::SUCCESS
        }
        Err(report) => {
            complain(&report.render(has_colour()));
            ExitCode::FAILURE
        }
    }
}

/// Reads the file for a command that needs it.
pub(super) fn load(path: &Path) -> Result<Settings, ExitCode> {
    let show = |report: &Report| complain(&report.render(has_colour()));
    match config::load(path, &SystemSources) {
        Ok((settings, report)) => {
            show(&report);
            Ok(settings)
        }
        Err(report) => {
            show(&report);
            Err(ExitCode::from(BAD_CONFIGURATION))
        }
    }
}

fn summary(path: &Path, settings: &Settings) -> String {
    let (routes, providers) = (settings.routes.len(), settings.relying_party.providers.len());
    format!("{}: good ({}, {})\n", path.display(), count(routes, "route"), count(providers, "provider"))
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Prints the JSON Schema.
pub(super) fn schema() -> ExitCode {
    print(&format!("{:#}\n", config::schema()));
    ExitCode::SUCCESS
}
