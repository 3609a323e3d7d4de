//! Sinks of the kind `store`, and the one that is there without being said.

use std::path::Path;
use std::time::Duration;

use super::is_in_the_way;
use crate::config;
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::lower::value::DAY;
use crate::config::lower::{Lowering, StatePlaces};
use crate::config::raw::{Audit, Sink};
use crate::segments::StoreSettings;
use crate::sinks::{Personal, Selection, SinkKind, SinkSettings};

/// The longest that can be kept: ten years.
const LONGEST: Duration = Duration::from_secs(3_660 * DAY);

impl Lowering<'_> {
    /// All sinks: those that are said, and a store beside the state file unless there is one or none is wanted.
    pub(in crate::config::lower) fn keepers(
        &mut self,
        at: Located<'_, Option<Audit>>,
        places: StatePlaces<'_>,
    ) -> Vec<SinkSettings> {
        let (mut sinks, state) = (self.sinks(at, places), places.file);
        let wanted = at.given().and_then(|at| at.value.store);
        let is_there = sinks.iter().any(|sink| matches!(sink.kind, SinkKind::Store(_)));
        match (wanted, state) {
            (Some(true), None) if !is_there => self.no_place(at),
            (Some(false), _) if is_there => self.both(at),
            (None | Some(true), Some(state)) if !is_there => {
                let beside = beside(state, &sinks);
                self.within(at, &sinks, &beside);
                sinks.push(beside);
            }
            _ => {}
        }
        sinks
    }

    fn no_place(&mut self, at: Located<'_, Option<Audit>>) {
        let Some(at) = at.given() else { return };
        self.fault(
            Diagnostic::new(at!(at.store).place, "a store of events, and no state file that it lies beside")
                .expected("expected `[server] state`, or a sink of the kind \"store\" with its `path`"),
        );
    }

    fn both(&mut self, at: Located<'_, Option<Audit>>) {
        let Some(at) = at.given() else { return };
        self.fault(
            Diagnostic::new(at!(at.store).place, "no store of events, and a sink of the kind \"store\"")
                .expected("expected one of the two"),
        );
    }

    /// Nobody else writes into the folder of the store that nobody has named.
    fn within(&mut self, at: Located<'_, Option<Audit>>, sinks: &[SinkSettings], store: &SinkSettings) {
        if let Some(at) = at.given()
            && sinks.iter().any(|sink| is_in_the_way(&sink.kind, &store.kind))
        {
            let what = "a sink writes into the folder of the store of events, beside the state file";
            self.fault(Diagnostic::new(at!(at.sinks).place, what).expected("expected it elsewhere"));
        }
    }

    /// How long events are kept where they are removed by their days.
    pub(in crate::config::lower) fn keep_for(&mut self, at: Located<'_, Sink>) -> Duration {
        self.span(at!(at.keep), StoreSettings::KEEP, StoreSettings::SHORTEST..=LONGEST)
    }

    pub(super) fn store_sink(&mut self, at: Located<'_, Sink>) -> Option<StoreSettings> {
        let keep = self.keep_for(at);
        let size = self.size(at!(at.size)).unwrap_or(StoreSettings::SIZE);
        if size < StoreSettings::SMALLEST {
            self.fault(
                Diagnostic::new(at!(at.size).place, "less than two segments of events, of 256 MiB each")
                    .expected("expected at least \"512MiB\""),
            );
        }
        let Some(path) = at!(at.path).given() else {
            self.fault(
                Diagnostic::new(at.place, "a sink of the kind \"store\" without its folder")
                    .expected("expected `path = \"/var/lib/portcullis/events\"` or the like"),
            );
            return None;
        };
        let path = self.path(path.value);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !self.sources.is_folder(folder)) {
            let what = "the folder that the store's is in is not there";
            self.fault(Diagnostic::new(at!(at.path).place, what).expected("expected a folder that exists"));
        }
        Some(StoreSettings { path, keep, size })
    }
}

/// The store that lies beside the state file.
fn beside(state: &Path, sinks: &[SinkSettings]) -> SinkSettings {
    let path = config::beside(state, "-audit");
    let name = if sinks.iter().any(|sink| &*sink.name == "store") { "store-of-state" } else { "store" };
    let (keep, size) = (StoreSettings::KEEP, StoreSettings::SIZE);
    let kind = SinkKind::Store(StoreSettings { path, keep, size });
    SinkSettings {
        name: name.into(),
        kind,
        selection: Selection::ALL,
        required: false,
        personal: Personal::Clear,
    }
}
