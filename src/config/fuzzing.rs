//! Any text as a configuration.

use std::io;
use std::path::Path;

use super::{Report, Settings, Sources, load};

const FILE: &str = "portcullis.toml";
/// What every variable and every other file holds.
pub(super) const SECRET: &str = "qZ7wX9kV4pT2mB8nL6";

/// A machine on which the configuration file holds these bytes, and everything else the secret.
#[derive(Debug)]
struct FuzzedSources<'a>(&'a [u8]);

impl Sources for FuzzedSources<'_> {
    fn env(&self, name: &str) -> Option<String> {
        (name != "UNSET").then(|| SECRET.to_owned())
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let bytes = if path == Path::new(FILE) { self.0 } else { SECRET.as_bytes() };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        Ok(bytes.iter().take(limit).copied().collect())
    }

    fn world_readable(&self, _: &Path) -> bool {
        false
    }

    fn is_folder(&self, _: &Path) -> bool {
        true
    }
}

/// Any bytes as a configuration file: it loads or is reported on, and whatever is told stands in the file and shows
/// nothing of what variables and other files hold.
pub fn configuration(data: &[u8]) {
    let loaded = load(Path::new(FILE), &FuzzedSources(data));
    judge(data, &loaded, !leaks(&String::from_utf8_lossy(data)));
}

/// What must hold of whatever was loaded from `text`; with `secret`, that nothing of [`SECRET`] is shown.
pub(super) fn judge(text: &[u8], loaded: &Result<(Settings, Report), Report>, secret: bool) {
    let (settings, report) = match loaded {
        Ok((settings, report)) => (Some(settings), report),
        Err(report) => (None, report),
    };
    assert_eq!(settings.is_none(), !report.faults.is_empty(), "it loads, or its faults are told");
    let text = String::from_utf8_lossy(text);
    let lines: Vec<_> = text.strip_prefix('\u{feff}').unwrap_or(&text).split('\n').collect();
    for finding in report.faults.iter().chain(&report.warnings) {
        let whole = (finding.line, finding.column) == (0, 0);
        let line = finding.line.checked_sub(1).and_then(|line| lines.get(line));
        let within = line.is_some_and(|line| finding.column <= line.chars().count() + 1);
        assert!(whole || within, "outside of the file: {finding:?}");
    }
    let shown = format!("{}{}{report:?}{settings:?}", report.render(false), report.render(true));
    assert!(!secret || !leaks(&shown), "a secret is shown:\n{}", report.render(false));
}

/// Whether eight letters of the secret in a row are shown.
fn leaks(shown: &str) -> bool {
    SECRET.as_bytes().windows(8).any(|part| str::from_utf8(part).is_ok_and(|part| shown.contains(part)))
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::fuzzing::smoke("configuration", 300, configuration);
}
