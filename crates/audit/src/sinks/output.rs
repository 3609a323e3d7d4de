//! Where the process was told to write: standard output, and the log on standard error.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd as _, OwnedFd};

use super::lines::Lines;
use super::settings::{LineFormat, SinkKind, Stream};
use super::sink::{Batch, Sink, SinkError};

pub(super) struct Output {
    out: Box<dyn Write + Send>,
    lines: Lines,
}

impl Output {
    /// One that writes to a stream, past the buffer of the standard library.
    pub(super) fn open(stream: Stream, format: LineFormat) -> Result<Self, SinkError> {
        let descriptor: io::Result<OwnedFd> = match stream {
            Stream::Stdout => io::stdout().as_fd().try_clone_to_owned(),
            Stream::Stderr => io::stderr().as_fd().try_clone_to_owned(),
        };
        Ok(Self::to(Box::new(File::from(descriptor.map_err(SinkError::Unusable)?)), format))
    }

    pub(super) fn to(out: Box<dyn Write + Send>, format: LineFormat) -> Self {
        Self { out, lines: Lines::new(format) }
    }

    fn put(&mut self) -> Result<(), SinkError> {
        self.lines.write_to(&mut self.out, |_| ())?;
        Ok(self.out.flush()?)
    }
}

impl Sink for Output {
    fn write(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        self.lines.prepare(batch);
        self.put()
    }

    fn write_text(&mut self, text: &[u8]) -> Result<(), SinkError> {
        self.lines.prepare_text(text);
        self.put()
    }

    fn write_missed(&mut self, lines: u64) -> Result<(), SinkError> {
        let words = format!("{lines} lines of the log were lost here: nobody read them in time");
        let line = match self.lines.format() {
            LineFormat::Human => format!(" WARN {words}\n"),
            LineFormat::Json | LineFormat::Common | LineFormat::Combined | LineFormat::Mapped(_) => {
                format!("{{\"level\":\"WARN\",\"message\":\"{words}\"}}\n")
            }
        };
        self.write_text(line.as_bytes())
    }

    fn change(&mut self, kind: &SinkKind) {
        self.lines.change(kind.format());
    }
}
