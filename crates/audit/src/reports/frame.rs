//! A report as a table, before any format: every format writes the same.

use std::ops::Range;

use jiff::tz::TimeZone;
use portcullis_events::Field;

use super::calendar::{local, timestamp};
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

/// Which events a row is made of: what the store is asked for to see them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    /// What events have, in the words of a filter.
    pub terms: Vec<(Field, String)>,
    /// When they were, in microseconds since 1970; none: in the whole time of the report.
    pub time: Option<Range<u64>>,
    /// Whom the row is about: provider and subject.
    pub person: Option<(String, String)>,
}

impl Lead {
    /// To what happened on a route.
    pub(super) fn to(route: &str) -> Self {
        Self::default().and(Field::Route, route)
    }

    pub(super) fn and(mut self, field: Field, value: &str) -> Self {
        self.terms.push((field, value.to_owned()));
        self
    }

    pub(super) fn at(self, time: Range<u64>) -> Self {
        Self { time: Some(time), ..self }
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
    /// Where each row leads, in the order of the rows.
    pub leads: Vec<Lead>,
    /// What whoever reads it must know.
    pub notes: Vec<String>,
    /// Whether there was no time for all of it.
    pub is_cut: bool,
}

/// Rows of a report at most: beyond them nobody reads it, and it would fill the memory.
const ROWS: usize = 200_000;

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
            leads: Vec::new(),
            notes: Vec::new(),
            is_cut: false,
        }
    }

    pub(super) fn push(&mut self, cells: impl Into<Vec<Cell>>, lead: Lead) {
        let cells = cells.into();
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell for each column");
        if self.rows.len() >= ROWS {
            let many = format!("there are more than {ROWS} rows: ask for less");
            if !self.notes.contains(&many) {
                self.notes.push(many);
            }
            return;
        }
        self.rows.push(cells);
        self.leads.push(lead);
    }

    /// A moment as people of its zone write it, to the second and with the distance from UTC.
    #[must_use]
    pub fn exact(&self, micros: u64) -> String {
        local(micros, &self.zone)
    }

    /// The same to the minute, for whoever knows the zone.
    #[must_use]
    pub fn clock(&self, micros: u64) -> String {
        timestamp(micros).to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// The name of its zone.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }
}
