//! A report for spreadsheets (RFC 4180). What a stranger wrote is text there, and nothing that is calculated; a number is a
//! number.

use super::visible;
use crate::reports::calendar::local;
use crate::reports::frame::{Cell, Frame};
use crate::segments::{begins_formula, push_row};

/// Writes a heading, and a line for each row.
pub(super) fn write(frame: &Frame) -> String {
    let mut out = String::new();
    push_row(frame.columns.iter().map(|column| text(column.name)), &mut out);
    for row in &frame.rows {
        push_row(row.iter().map(|cell| cell_of(cell, frame)), &mut out);
    }
    out
}

fn cell_of(cell: &Cell, frame: &Frame) -> String {
    match cell {
        Cell::None => String::new(),
        Cell::Unknown => "unknown".into(),
        Cell::Text(written) => text(written),
        Cell::Number(number) => {
            mutant!(number.to_string(), "csv-guard-spoils-numbers" => format!("'{number}"))
        }
        Cell::Time(time) => local(*time, &frame.zone),
    }
}

fn text(written: &str) -> String {
    let guard = if mutant!(begins_formula(written.trim_start_matches(' ')), "report-csv-formula-runs" => false)
    {
        "'"
    } else {
        ""
    };
    let inert = format!("{guard}{}", visible(written));
    if inert.contains([',', '"', '\'', ' ', ';']) {
        format!("\"{}\"", inert.replace('"', "\"\""))
    } else {
        inert
    }
}
