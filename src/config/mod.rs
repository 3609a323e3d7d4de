//! Reads a TOML file into settings that are valid, or into one report of all its faults.

mod changes;
mod check;
mod diagnostic;
mod document;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod located;
mod lower;
mod mask;
mod raw;
mod reference;
mod report;
mod schema;
mod settings;
mod shown;
mod sources;
mod syntax;
#[cfg(test)]
mod tests;
mod warn;
mod words;

use std::path::Path;
use std::sync::Arc;

use diagnostic::Diagnostics;
use located::{Located, Place};
use warn::Lints;

use crate::telemetry::{LogFormat, LogSettings};

pub use changes::{ChangedKey, changes};
pub use reference::reference;
pub use report::{Finding, Report};
pub use schema::schema;
pub use settings::{CHECKPOINTS, Settings, beside};
pub use sources::{Sources, SystemSources, WithoutSecrets};

/// Reads the configuration file at `path`: its settings, and a report that holds warnings at most.
///
/// Everything comes from `sources`; the network is not used.
///
/// # Errors
/// A report with every fault of the file, where it has any.
pub fn load(path: &Path, sources: &dyn Sources) -> Result<(Settings, Report), Report> {
    let text = document::read(path, sources)?;
    let mut diagnostics = Diagnostics::default();
    let settings = meaning(&text, path, sources, &mut diagnostics);
    let report = Report::new(path.display().to_string(), &text, diagnostics);
    settings.filter(|_| report.is_clean()).map(|settings| (settings, report.clone())).ok_or(report)
}

/// How to log that a configuration does not load: in the format that the file at `path` asks for, where that
/// can be read, and otherwise by default.
pub fn log_settings(path: &Path, sources: &dyn Sources) -> LogSettings {
    let text = document::read(path, sources).unwrap_or_default();
    let (table, _) = toml::de::DeTable::parse_recoverable(&text);
    let format = table.get_ref().get("log").and_then(|log| log.get_ref().as_table()?.get("format"));
    let format = match format.and_then(|format| format.get_ref().as_str()) {
        Some("json") => LogFormat::Json,
        Some("human") => LogFormat::Human,
        _ => LogFormat::Auto,
    };
    LogSettings { format, ..LogSettings::default() }
}

/// The settings that `text` means; `None` where `diagnostics` has faults of it.
fn meaning(
    text: &str,
    path: &Path,
    sources: &dyn Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Settings> {
    let (node, raw) = document::parse(text, diagnostics)?;
    let config = Located::new(&raw, Place::of(&node));
    let (mut settings, policies) = lower::lower(config, path, sources, diagnostics)?;
    let warnings = Lints::new(config, &settings, &policies).warnings();
    warnings.into_iter().for_each(|diagnostic| diagnostics.warn(diagnostic));
    settings.written = Arc::new(shown::shown(&node));
    Some(settings)
}
