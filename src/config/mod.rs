//! TOML → what is meant. Every fault of a file in one report.
//!
//! `document` reads bytes into a tree that knows its places, `check` holds it against the JSON Schema of
//! the `raw` shape, `lower` turns what was written into what is meant, `warn` looks for what is hardly
//! meant. Nothing here opens a socket; environment and files come through [`Sources`].

use std::path::Path;

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
mod warn;
mod words;

#[cfg(test)]
mod tests;

pub use reference::reference;
pub use report::{Finding, Report};
pub use schema::schema;
pub use settings::Settings;
pub use sources::{Sources, System};

use at::{At, Place};
use remark::Remarks;

/// Reads and lowers the configuration at `path`. The report beside the settings holds warnings only.
///
/// # Errors
/// A report of every fault of the file, and of the files and variables it speaks of.
pub fn load(path: &Path, sources: &dyn Sources) -> Result<(Settings, Report), Report> {
    let text = document::read(path, sources)?;
    let mut remarks = Remarks::default();
    let settings = document::parse(&text, &mut remarks).and_then(|(node, raw)| {
        let config = At::new(&raw, Place::of(&node));
        let settings = lower::lower(config, path, sources, &mut remarks)?;
        warn::warn(config, &settings, sources, &mut remarks);
        Some(settings)
    });
    let report = Report::new(path.display().to_string(), &text, remarks);
    match settings {
        Some(settings) if report.is_clean() => Ok((settings, report)),
        _ => Err(report),
    }
}
