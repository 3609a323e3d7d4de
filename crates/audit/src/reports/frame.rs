//! A report as a table, before any format: every format writes the same.

use jiff::tz::TimeZone;

use super::question::{Question, Report};

/// What a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// Numbers.
    Number,
    /// Moments.
    Time,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, in words.
    pub name: &'static str,
    /// What it has.
    pub kind: Type,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// There is none, and that is known.
    None,
    /// Nobody knows.
    Unknown,
    /// A text, whoever wrote it.
    Text(String),
    /// A number.
    Number(u64),
    /// A moment, in microseconds since 1970.
    Time(u64),
}

impl Cell {
    /// A text; where there is none, that is known.
    pub(super) fn text(text: Option<&str>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::None, |text| Self::Text(text.to_owned()))
    }

    /// A moment; where there is none, that is known.
    pub(super) fn time(time: Option<u64>) -> Self {
        time.map_or(Self::None, Self::Time)
    }
}

/// A report.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Which one.
    pub report: Report,
    /// From when on it is about, in microseconds since 1970.
    pub since: u64,
    /// Before when.
    pub until: u64,
    /// The zone of its days and times.
    pub zone: TimeZone,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows: each has a cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// What whoever reads it must know.
    pub notes: Vec<String>,
}

impl Frame {
    /// An empty one.
    pub(super) fn new(question: &Question, columns: &[(&'static str, Type)]) -> Self {
        Self {
            report: question.report,
            since: question.since,
            until: question.until,
            zone: question.zone.clone(),
            columns: columns.iter().map(|(name, kind)| Column { name, kind: *kind }).collect(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn push<const N: usize>(&mut self, cells: [Cell; N]) {
        debug_assert_eq!(N, self.columns.len(), "a cell for each column");
        self.rows.push(cells.into());
    }
}
