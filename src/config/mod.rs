//! TOML → what is meant. Every fault of a file in one report.

mod at;
mod check;
mod document;
mod lower;
mod mask;
mod raw;
mod reference;
mod remark;
mod report;
mod schema;
mod settings;
mod sources;
#[cfg(test)]
mod tests;
mod warn;
mod words;

use std::path::Path;

use at::{At, Place};
use remark::Remarks;

pub use reference::reference;
pub use report::{Finding, Report};
pub use schema::schema;
pub use settings::Settings;
pub use sources::{Sources, SystemSources};

/// Reads the configuration file at `path`: its settings, and a report that holds warnings at most.
///
/// Nothing is asked but `sources`, and no network.
///
/// # Errors
/// A report with every fault of the file, where it has any.
pub fn load(path: &Path, sources: &dyn Sources) -> Result<(Settings, Report), Report> {
    let text = document::read(path, sources)?;
    let mut remarks = Remarks::default();
    let settings = meaning(&text, path, sources, &mut remarks);
    let report = Report::new(path.display().to_string(), &text, remarks);
    settings.filter(|_| report.is_clean()).map(|settings| (settings, report.clone())).ok_or(report)
}

fn meaning(text: &str, path: &Path, sources: &dyn Sources, remarks: &mut Remarks) -> Option<Settings> {
    let (node, raw) = document::parse(text, remarks)?;
    lower::lower(At::new(&raw, Place::of(&node)), path, sources, remarks)
}
