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
        match format {
            LineFormat::Json => out.extend_from_slice(line),
            LineFormat::Mapped(schema) => schema.map(line, out),
            LineFormat::Human => seen(line, out, human::write),
            LineFormat::Common => seen(line, out, |seen, out| combined::write(seen, false, out)),
            LineFormat::Combined => seen(line, out, |seen, out| combined::write(seen, true, out)),
        }
    }
}

fn seen(line: &[u8], out: &mut Vec<u8>, write: fn(&Seen<'_>, &mut Vec<u8>)) {
    if let Ok(seen) = Seen::read(line) {
        write(&seen, out);
    }
}
