//! A report for programs: one object, a row each an object by the names of the columns.

use portcullis_events::push_inert;
use serde_json::Value as Json;

use crate::reports::frame::{Cell, Column, Frame};
use crate::segments::moment;

/// Writes it in lines that a person can read: a row a line.
pub(super) fn write(frame: &Frame) -> String {
    let mut out = String::from("{");
    for (name, value) in head(frame) {
        out.push_str(&format!("{}:{},\n", quoted(name), quoted(&value)));
    }
    let notes: Vec<_> = frame.notes.iter().map(|note| quoted(note)).collect();
    let rows: Vec<_> = frame.rows.iter().map(|row| of_row(&frame.columns, row)).collect();
    out.push_str(&format!("\"notes\":[{}],\n\"rows\":[\n{}\n]}}\n", notes.join(","), rows.join(",\n")));
    out
}

fn head(frame: &Frame) -> [(&'static str, String); 4] {
    [
        ("report", frame.report.word().to_owned()),
        ("since", moment(frame.since)),
        ("until", moment(frame.until)),
        ("zone", frame.zone_name().to_owned()),
    ]
}

fn of_row(columns: &[Column], row: &[Cell]) -> String {
    let members = columns.iter().zip(row);
    let members: Vec<_> =
        members.map(|(column, cell)| format!("{}:{}", quoted(column.name), of_cell(cell))).collect();
    format!("{{{}}}", members.join(","))
}

/// What nobody knows is an object, so that it is no text and not nothing.
fn of_cell(cell: &Cell) -> String {
    match cell {
        Cell::None => Json::Null.to_string(),
        Cell::Unknown => "{\"unknown\":true}".into(),
        Cell::Text(text) => quoted(text),
        Cell::Number(number) => number.to_string(),
        Cell::Time(time) => quoted(&moment(*time)),
    }
}

fn quoted(text: &str) -> String {
    let mut out = vec![b'"'];
    push_inert(text, &mut out);
    out.push(b'"');
    String::from_utf8_lossy(&out).into_owned()
}
