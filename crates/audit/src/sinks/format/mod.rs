//! How lines look. Whatever stands in them is inert on a terminal, as it is in the lines that they are made of.

mod combined;
mod human;

use portcullis_events::Seen;

use super::settings::LineFormat;
use super::sink::Batch;

/// Writes the lines of a batch.
pub(super) fn render(format: LineFormat, batch: &Batch<'_>, out: &mut Vec<u8>) {
    for head in batch.heads() {
        let line = batch.block.line(head);
        if format == LineFormat::Json {
            out.extend_from_slice(line);
        } else if let Ok(seen) = Seen::read(line) {
            render_seen(format, &seen, out);
        }
    }
}

fn render_seen(format: LineFormat, seen: &Seen<'_>, out: &mut Vec<u8>) {
    match format {
        LineFormat::Json => {}
        LineFormat::Human => human::write(seen, out),
        LineFormat::Common => combined::write(seen, false, out),
        LineFormat::Combined => combined::write(seen, true, out),
    }
}
