//! A report for spreadsheets (RFC 4180). What a stranger wrote is text there, and nothing that is calculated; a number is a
//! number.

use super::visible;
use crate::reports::calendar::local;
use crate::reports::frame::{Cell, Frame};

/// Writes a heading, and a line for each row.
pub(super) fn write(frame: &Frame) -> String {
    let mut out = String::new();
    push_row(frame.columns.iter().map(|column| text(column.name)), &mut out);
    for row in &frame.rows {
        push_row(row.iter().map(|cell| cell_of(cell, frame)), &mut out);
    }
    out
}

fn push_row(cells: impl Iterator<Item = String>, out: &mut String) {
    for (index, cell) in cells.enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        out.push_str(&cell);
    }
    out.push_str("\r\n");
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
    let guard = if mutant!(is_formula(written), "report-csv-formula-runs" => false) { "'" } else { "" };
    let inert = format!("{guard}{}", visible(written));
    if inert.contains([',', '"', '\'', ' ', ';']) {
        format!("\"{}\"", inert.replace('"', "\"\""))
    } else {
        inert
    }
}

/// Whether a spreadsheet would calculate it.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}
