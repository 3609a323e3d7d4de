//! What was changed, and by whom.

use portcullis_events::{Field, Kind, KindSet, Seen, Value};

use super::frame::{Cell, Frame, Lead, Type};
use super::question::Question;
use super::{Known, Tally};
use crate::segments::Event;

/// Calls that only look.
const LOOKS: [&str; 4] = ["list-", "show-", "find-", "describe"];

pub(super) struct Changes {
    named: bool,
    rows: Vec<(u64, [Cell; 6], Lead)>,
}

impl Changes {
    pub(super) const fn new(question: &Question) -> Self {
        Self { named: question.names, rows: Vec::new() }
    }

    fn push(&mut self, event: &Event, by: Option<&str>, what: &str, before: Cell, after: Cell) {
        let by = if self.named { Cell::text(by) } else { Cell::Text("not told".into()) };
        let row = [
            Cell::Time(event.time),
            Cell::Text(event.word.to_string()),
            by,
            Cell::text(Some(what)),
            before,
            after,
        ];
        let lead = Lead::default().and(Field::Type, &event.word).at(event.time..event.time + 1);
        self.rows.push((event.time, row, lead));
    }

    /// A row for each key of the configuration that is another.
    fn push_changes(&mut self, event: &Event, by: Option<&str>, raw: &str) {
        let changes: Vec<serde_json::Value> = serde_json::from_str(raw).unwrap_or_default();
        for change in changes {
            let text = |name: &str| change.get(name).and_then(serde_json::Value::as_str);
            // Rules name people.
            let told = |value| if self.named { Cell::text(value) } else { Cell::Text("not told".into()) };
            let (before, after) = (told(text("before")), told(text("after")));
            self.push(event, by, text("key").unwrap_or_default(), before, after);
        }
    }
}

impl Tally for Changes {
    fn kinds(&self) -> KindSet {
        KindSet::of([
            Kind::ConfigurationLoaded,
            Kind::ConfigurationRefused,
            Kind::ConfigurationChanged,
            Kind::KeyPublished,
            Kind::KeyRotated,
            Kind::ProviderKeysChanged,
            Kind::ManagementCalled,
            Kind::PersonErased,
        ])
    }

    fn take(&mut self, event: &Event) {
        let text = event.to_json();
        let Ok(seen) = Seen::read(text.as_bytes()) else { return };
        let told = |fields: &[Field]| fields.iter().find_map(|field| seen.text(*field));
        let by = told(&[Field::By, Field::Operator]);
        if let Some(Value::Other(raw)) = seen.value(Field::Changes) {
            return self.push_changes(event, by, raw);
        }
        let what = told(&[Field::Operation, Field::Key, Field::Part, Field::File]).unwrap_or_default();
        if event.kind() == Some(Kind::ManagementCalled) && LOOKS.iter().any(|look| what.starts_with(look)) {
            return;
        }
        // Whoever gives a reason names people in it.
        let reason = if self.named { Cell::text(told(&[Field::Reason])) } else { Cell::None };
        self.push(event, by, what, Cell::None, reason);
    }

    fn frame(mut self: Box<Self>, question: &Question, _known: &Known<'_>) -> Frame {
        let mut frame = Frame::new(
            question,
            &[
                ("time", Type::Time),
                ("event", Type::Text),
                ("by", Type::Text),
                ("what", Type::Text),
                ("before", Type::Text),
                ("after", Type::Text),
            ],
        );
        self.rows.sort_by_key(|(time, ..)| *time);
        self.rows.into_iter().for_each(|(_, row, lead)| frame.push(row, lead));
        frame
    }
}
