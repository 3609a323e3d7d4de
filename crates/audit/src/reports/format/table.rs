//! A report for a terminal.

use super::{shown, title};
use crate::reports::frame::{Frame, Type};

/// Characters of a cell at most.
const WIDEST: usize = 80;

/// Writes it: columns as wide as what stands in them.
pub(super) fn write(frame: &Frame) -> String {
    let mut out = title(frame) + "\n\n";
    if frame.rows.is_empty() {
        out.push_str("nothing\n");
    } else {
        push_rows(frame, &mut out);
    }
    frame.notes.iter().for_each(|note| out.push_str(&format!("\nnote: {}\n", super::visible(note))));
    out
}

fn push_rows(frame: &Frame, out: &mut String) {
    let heading: Vec<String> = frame.columns.iter().map(|column| column.name.to_uppercase()).collect();
    let rows: Vec<Vec<String>> =
        frame.rows.iter().map(|row| row.iter().map(|cell| cut(&shown(cell, frame))).collect()).collect();
    let width = |index: usize| {
        let cells = rows.iter().chain([&heading]).filter_map(|row| row.get(index));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    for row in [&heading].into_iter().chain(&rows) {
        let mut line = String::new();
        for ((cell, width), column) in row.iter().zip(&widths).zip(&frame.columns) {
            let space = " ".repeat(width - cell.chars().count());
            let padded =
                if column.kind == Type::Number { format!("{space}{cell}") } else { format!("{cell}{space}") };
            line.push_str(&padded);
            line.push_str("  ");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= WIDEST {
        return text.to_owned();
    }
    text.chars().take(WIDEST - 1).chain(['…']).collect()
}
