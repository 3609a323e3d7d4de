//! What of `[audit]` is about the chain of the record.

use std::path::PathBuf;
use std::time::Duration;

use crate::sinks::LineFormat;

use super::Lowering;
use super::value::{DAY, MINUTE};
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{Audit, Sink};
use crate::config::settings::CheckpointSettings;

impl Lowering<'_> {
    pub(super) fn checkpoints(&mut self, at: Located<'_, Option<Audit>>) -> CheckpointSettings {
        let (default, year) = (Duration::from_secs(90 * DAY), Duration::from_secs(366 * DAY));
        let daily = Duration::from_secs(DAY);
        let Some(at) = at.given() else {
            return CheckpointSettings { rotate_key: default, verify_every: daily, file: None };
        };
        let rotate_key = self.span(at!(at.rotate_key), default, Duration::from_secs(DAY)..=year);
        let file: Option<PathBuf> = at.value.checkpoint_file.as_ref().map(|file| self.path(file));
        let folder = file.as_deref().and_then(|file| file.parent());
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !self.sources.is_folder(folder)) {
            let what = "the folder of the file is not there";
            let place = at!(at.checkpoint_file).place;
            self.fault(Diagnostic::new(place, what).expected("expected a folder that exists"));
        }
        let range = Duration::from_secs(MINUTE)..=Duration::from_secs(31 * DAY);
        let verify_every = self.span(at!(at.verify_every), daily, range);
        CheckpointSettings { rotate_key, verify_every, file }
    }

    /// Files of JSON are chained unless it is said otherwise; nothing else is.
    pub(super) fn is_chained(&mut self, at: Located<'_, Sink>, format: LineFormat) -> bool {
        let is_json = format == LineFormat::Json;
        if at.value.chain == Some(true) && !is_json {
            let what = "only lines of JSON can be chained";
            self.fault(
                Diagnostic::new(at!(at.chain).place, what)
                    .expected("expected `format = \"json\"`, or no chain"),
            );
        }
        at.value.chain.unwrap_or(is_json)
    }
}
