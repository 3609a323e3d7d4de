//! How events look on a terminal and in a spreadsheet.

use std::sync::LazyLock;

use super::terminal::visible;
use crate::events::{Field, Seen};
use crate::segments::{Event, moment, push_csv};

/// Characters at most of a column that strangers fill.
const WIDEST: usize = 40;

const HEADINGS: [&str; 9] = ["TIME", "TYPE", "USER", "CLIENT", "ROUTE", "OUTCOME", "STATUS", "TIMES", "WHAT"];

/// The cells of an event.
pub(super) type Row = [String; 9];

/// Columns of a table, as wide as what has stood in them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Columns([usize; 9]);

impl Columns {
    /// What of an event stands in the table. Nothing of it moves a cursor.
    pub(super) fn row(event: &Event) -> Row {
        let text = event.to_json();
        let seen = Seen::read(text.as_bytes());
        let told = |field: Field| seen.as_ref().ok().and_then(|seen| seen.text(field)).map(cell);
        let status = event.status.map(|status| status.to_string());
        let cells = [
            Some(moment(event.time).replace('T', " ").chars().take(19).collect()),
            Some(cell(&event.word)),
            told(Field::User).or_else(|| told(Field::Subject)).or_else(|| told(Field::Operator)),
            told(Field::Client),
            event.route.as_deref().map(cell),
            event.outcome.map(|outcome| outcome.as_str().to_owned()),
            status,
            (event.count > 1).then(|| event.count.to_string()),
            what(&told),
        ];
        let erased = if event.is_erased { "(erased)" } else { "-" };
        let mut cells = cells.into_iter();
        std::array::from_fn(|column| {
            let missing = if column == 2 { erased } else { "-" };
            cells.next().flatten().unwrap_or_else(|| missing.to_owned())
        })
    }

    /// Makes room for rows.
    pub(super) fn widen(&mut self, rows: &[Row]) {
        for (column, width) in self.0.iter_mut().enumerate() {
            let cells = rows.iter().map(|row| row[column].chars().count());
            *width = cells.chain([HEADINGS[column].len(), *width]).max().unwrap_or_default();
        }
    }

    pub(super) fn heading(&self) -> String {
        self.line(&HEADINGS.map(str::to_owned))
    }

    pub(super) fn line(&self, row: &Row) -> String {
        let padded = row.iter().zip(self.0).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

/// What it is about: why, or what was asked for.
fn what(told: &dyn Fn(Field) -> Option<String>) -> Option<String> {
    let asked = || Some(format!("{} {}", told(Field::Method)?, told(Field::Path)?));
    let first = [Field::Reason, Field::Why, Field::Operation, Field::Signal];
    first
        .into_iter()
        .find_map(told)
        .or_else(asked)
        .or_else(|| told(Field::Part))
        .or_else(|| told(Field::File))
}

fn cell(text: &str) -> String {
    let shown = visible(text);
    if shown.chars().count() <= WIDEST {
        return shown;
    }
    shown.chars().take(WIDEST - 1).chain(['…']).collect()
}

/// The columns of a spreadsheet: all fields of the table, and what intervals have.
static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let fields = Field::TABLE.iter().filter(|row| row.field != Field::V).map(|row| row.name);
    fields.chain(["until", "us_max", "latency"]).collect()
});

pub(super) fn csv_heading(out: &mut String) {
    push_csv(NAMES.iter().copied(), out);
}

pub(super) fn csv_row(event: &Event, out: &mut String) {
    let text = event.to_json();
    let Ok(seen) = Seen::read(text.as_bytes()) else { return };
    let cells: Vec<_> = NAMES
        .iter()
        .map(|name| seen.named(name).map(|value| value.joined("; ")).unwrap_or_default())
        .collect();
    push_csv(cells.iter().map(String::as_str), out);
}
