//! Which columns of a report stand side by side, and which below another one: a page is not as wide as a file.

use crate::console::text;
use crate::reports::{Cell, Frame, Report, Type};

/// A column of the page: one of the report, and those that stand below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) is_number: bool,
    at: usize,
    below: Vec<usize>,
}

/// A value as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    /// Its class in the style sheet.
    pub(super) class: &'static str,
    /// The whole moment, where it is one.
    pub(super) exact: Option<String>,
    /// What it is called, where it stands below another one and does not speak for itself.
    pub(super) label: Option<&'static str>,
}

/// Columns that stand below another one.
const fn below(report: Report) -> &'static [(&'static str, &'static str)] {
    match report {
        Report::AccessReview => &[
            ("provider", "person"),
            ("by", "may"),
            ("last used", "times used"),
            ("reviewer", "mark"),
            ("marked", "mark"),
            ("why", "mark"),
        ],
        Report::People => &[
            ("provider", "person"),
            ("first seen", "last seen"),
            ("failed sign-ins", "sign-ins"),
            ("refused", "requests"),
        ],
        Report::Refusals => &[("outcome", "app"), ("rule", "reason"), ("first", "last")],
        Report::Sessions => &[("device", "person"), ("session", "person"), ("why", "ended")],
        Report::Anomalies => &[("what else it could be", "what was seen"), ("time", "finding")],
        Report::Changes => &[("event", "what")],
        Report::SignIns | Report::Access | Report::Apps | Report::Providers | Report::Dormant => &[],
    }
}

/// Names that are clear from the value.
const CLEAR: [&str; 9] =
    ["provider", "by", "why", "rule", "device", "outcome", "what else it could be", "time", "event"];

impl Column {
    /// The columns of a report.
    pub(super) fn of(frame: &Frame) -> Vec<Self> {
        let places = below(frame.report);
        let is_below = |name: &str| places.iter().any(|(below, _)| *below == name);
        let at = |name: &str| frame.columns.iter().position(|column| column.name == name);
        let own = frame.columns.iter().enumerate().filter(|(_, column)| !is_below(column.name));
        own.map(|(index, column)| Self {
            name: column.name,
            is_number: column.kind == Type::Number,
            at: index,
            below: places
                .iter()
                .filter(|(_, above)| *above == column.name)
                .filter_map(|(below, _)| at(below))
                .collect(),
        })
        .collect()
    }

    /// What stands in a row, the column's own value first.
    pub(super) fn cells(&self, frame: &Frame, row: &[Cell]) -> Vec<Shown> {
        let own = row.get(self.at).map(|cell| shown(cell, frame, None));
        let below = self.below.iter().filter_map(|at| {
            let (cell, name) = (row.get(*at)?, frame.columns.get(*at)?.name);
            let label = (!CLEAR.contains(&name)).then_some(name);
            (*cell != Cell::None).then(|| shown(cell, frame, label))
        });
        own.into_iter().chain(below).collect()
    }
}

fn shown(cell: &Cell, frame: &Frame, label: Option<&'static str>) -> Shown {
    let (text, class, exact) = match cell {
        Cell::None => ("–".to_owned(), "soft", None),
        Cell::Unknown => ("unknown".to_owned(), "soft", None),
        Cell::Text(text) => (text::long(text), "", None),
        Cell::Number(number) => (text::grouped(number), "", None),
        Cell::Time(time) => (frame.clock(*time), "", Some(frame.exact(*time))),
    };
    Shown { text, class, exact, label }
}
