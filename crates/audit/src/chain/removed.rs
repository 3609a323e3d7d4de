//! What sinks have removed themselves, as they were told to.

use std::collections::BTreeMap;

use super::walk::Section;

/// The newest place that each has removed. It is older than what is there, and so is what has a lesser name: of its own
/// family alone, for another sink's names say nothing of its.
#[derive(Debug, Default)]
pub(super) struct Removed(BTreeMap<String, String>);

impl Removed {
    pub(super) fn of(sections: &[Section]) -> Self {
        let mut newest = BTreeMap::<String, String>::new();
        for name in sections.iter().filter_map(|section| section.removed.as_ref()) {
            let known = newest.entry(family(name).to_owned()).or_default();
            if *known < *name {
                known.clone_from(name);
            }
        }
        Self(newest)
    }

    /// Whether this place was removed.
    pub(super) fn covers(&self, name: &str) -> bool {
        self.0.get(family(name)).is_some_and(|newest| name <= newest.as_str())
    }
}

/// What the names of all places of a sink begin with: the rest tells when.
fn family(name: &str) -> &str {
    let stem = name.split(|letter: char| letter.is_ascii_digit()).next().unwrap_or_default();
    mutant!(stem, "one-removal-excuses-every-sink" => "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_sink_has_removed_excuses_nothing_of_another() {
        let newest = ["events.20261129T190513Z-9f-0007.jsonl", "events_20251130/postgres/9f"];
        let removed = Removed(newest.map(|name| (family(name).to_owned(), name.to_owned())).into());
        assert!(removed.covers("events.20261128T190513Z-9f-0006.jsonl"));
        assert!(!removed.covers("events.20261130T190513Z-9f-0008.jsonl"));
        assert!(
            removed.covers("events_20251129/postgres/ff") && removed.covers("events_20251130/postgres/9f")
        );
        assert!(!removed.covers("events_20251201/postgres/00"));
        assert!(!removed.covers("audit.20200101T190513Z-9f-0001.jsonl") && !removed.covers("events.jsonl"));
    }
}
