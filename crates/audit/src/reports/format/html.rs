//! A report as one page: no script, nothing that is fetched.

use super::{shown, title, visible};
use crate::reports::frame::{Cell, Frame, Type};

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
    <style>\n:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif }\n\
    table { border-collapse: collapse }\n\
    th, td { padding: .25em .75em; text-align: left; border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent) }\n\
    .n { text-align: right; font-variant-numeric: tabular-nums }\n.u { font-style: italic }\n</style>\n";

/// Writes the page.
pub(super) fn write(frame: &Frame) -> String {
    let title = escaped(&title(frame));
    let mut out = format!("{HEAD}<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n");
    out.push_str(&format!("<p>{}</p>\n<table>\n<thead>\n<tr>", escaped(frame.report.doc())));
    for column in &frame.columns {
        let class = class(column.kind == Type::Number, "n");
        out.push_str(&format!("<th scope=\"col\"{class}>{}</th>", escaped(column.name)));
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
    for row in &frame.rows {
        let cells: String = row.iter().map(|cell| cell_of(cell, frame)).collect();
        out.push_str(&format!("<tr>{cells}</tr>\n"));
    }
    out.push_str("</tbody>\n</table>\n");
    if frame.rows.is_empty() {
        out.push_str("<p>Nothing.</p>\n");
    }
    frame.notes.iter().for_each(|note| out.push_str(&format!("<p>{}</p>\n", escaped(note))));
    out + "</body>\n</html>\n"
}

fn cell_of(cell: &Cell, frame: &Frame) -> String {
    let class = match cell {
        Cell::Number(_) => class(true, "n"),
        Cell::Unknown => class(true, "u"),
        Cell::None | Cell::Text(_) | Cell::Time(_) => "",
    };
    format!("<td{class}>{}</td>", escaped(&shown(cell, frame)))
}

const fn class(is: bool, name: &str) -> &'static str {
    match (is, name.as_bytes()) {
        (true, b"n") => " class=\"n\"",
        (true, _) => " class=\"u\"",
        (false, _) => "",
    }
}

fn escaped(text: &str) -> String {
    let text = visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}
