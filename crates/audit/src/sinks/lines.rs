//! Lines on their way into something that may take a part of them.

use std::io::{self, Write};

use super::format;
use super::settings::LineFormat;
use super::sink::Batch;

/// Lines that are being written. What failed half-way goes on where it stopped: no line is torn, and none is there twice.
#[derive(Debug)]
pub(super) struct Lines {
    format: LineFormat,
    text: Vec<u8>,
    done: usize,
}

impl Lines {
    pub(super) const fn new(format: LineFormat) -> Self {
        Self { format, text: Vec::new(), done: 0 }
    }

    /// How lines look from the next batch on.
    pub(super) const fn change(&mut self, format: LineFormat) {
        self.format = format;
    }

    pub(super) const fn format(&self) -> LineFormat {
        self.format
    }

    /// Makes the lines of a batch, unless they are being written already.
    pub(super) fn prepare(&mut self, batch: &Batch<'_>) {
        if self.text.is_empty() {
            format::render(self.format, batch, &mut self.text);
        }
    }

    /// Takes a line as it is, unless it is being written already.
    pub(super) fn prepare_text(&mut self, line: &[u8]) {
        if self.text.is_empty() {
            self.text.extend_from_slice(line);
        }
    }

    /// Bytes that are to be written, where none of them is yet.
    pub(super) const fn fresh(&self) -> Option<usize> {
        if self.done == 0 { Some(self.text.len()) } else { None }
    }

    /// Writes what is left; `wrote` is told of each part.
    pub(super) fn write_to(&mut self, out: &mut dyn Write, mut wrote: impl FnMut(usize)) -> io::Result<()> {
        while self.done < self.text.len() {
            match out.write(&self.text[self.done..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(part) => {
                    self.done += part;
                    wrote(part);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.text.clear();
        self.done = 0;
        Ok(())
    }

    /// What is left.
    pub(super) fn left(&self) -> &[u8] {
        &self.text[self.done..]
    }

    /// So much of what is left is written.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.done += bytes;
        if self.done >= self.text.len() {
            self.text.clear();
            self.done = 0;
        }
    }

    /// Goes back to the beginning of the line that is half written, for it is to stand elsewhere.
    pub(super) fn rewind(&mut self) {
        let whole = self.text[..self.done].iter().rposition(|byte| *byte == b'\n');
        self.done = whole.map_or(0, |at| at + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, and then none until it is emptied.
    struct Small(Vec<u8>, usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.1 - self.0.len();
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let part = bytes.len().min(room);
            self.0.extend_from_slice(&bytes[..part]);
            Ok(part)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_stopped_half_way_goes_on_there() {
        let (mut lines, mut disk, mut wrote) = (Lines::new(LineFormat::Json), Small(Vec::new(), 7), 0);
        lines.prepare_text(b"one\ntwo\nthree\n");
        assert!(lines.write_to(&mut disk, |part| wrote += part).is_err());
        assert_eq!((lines.fresh(), wrote), (None, 7));
        disk.1 = 99;
        lines.prepare_text(b"one\ntwo\nthree\n");
        lines.write_to(&mut disk, |part| wrote += part).unwrap();
        assert_eq!((disk.0.as_slice(), wrote), (&b"one\ntwo\nthree\n"[..], 14));
        assert_eq!(lines.fresh(), Some(0));
    }

    #[test]
    fn in_another_file_a_half_line_begins_anew() {
        let (mut lines, mut disk) = (Lines::new(LineFormat::Json), Small(Vec::new(), 6));
        lines.prepare_text(b"one\ntwo\nthree\n");
        assert!(lines.write_to(&mut disk, |_| ()).is_err());
        lines.rewind();
        let mut other = Small(Vec::new(), 99);
        lines.write_to(&mut other, |_| ()).unwrap();
        assert_eq!(other.0, b"two\nthree\n");
    }
}
