//! `portcullis check` and `portcullis schema`.

use std::path::Path;
use std::process::ExitCode;

use super::BAD_CONFIGURATION;
use super::terminal::{Paint, complain, has_colour, print};
use crate::config::{self, Report, Settings, SystemSources};

/// Reads the file and says everything that is wrong with it.
pub(super) fn check(path: &Path) -> ExitCode {
    match config::load(path, &SystemSources) {
        Ok((settings, report)) => {
            complain(&report.render(has_colour()));
            print(&summary(path, &settings, Paint::of_output()));
            ExitCode::SUCCESS
        }
        Err(report) => {
            complain(&report.render(has_colour()));
            ExitCode::FAILURE
        }
    }
}

/// Reads the file for a command that needs it, and says what is doubtful in it.
pub(super) fn load(path: &Path) -> Result<Settings, ExitCode> {
    let (settings, report) = read(path)?;
    complain(&report.render(has_colour()));
    Ok(settings)
}

/// The same for a command whose own answer warnings would bury.
pub(super) fn load_quietly(path: &Path) -> Result<Settings, ExitCode> {
    read(path).map(|(settings, _)| settings)
}

fn read(path: &Path) -> Result<(Settings, Report), ExitCode> {
    config::load(path, &SystemSources).map_err(|report| {
        complain(&report.render(has_colour()));
        ExitCode::from(BAD_CONFIGURATION)
    })
}

fn summary(path: &Path, settings: &Settings, paint: Paint) -> String {
    let (routes, providers) = (settings.routes.len(), settings.relying_party.providers.len());
    let (routes, providers) = (count(routes, "route"), count(providers, "provider"));
    format!("{}: {} ({routes}, {providers})\n", path.display(), paint.good("good"))
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Prints the JSON Schema.
pub(super) fn schema() -> ExitCode {
    print(&format!("{:#}\n", config::schema()));
    ExitCode::SUCCESS
}
