//! A socket that waits for nobody longer than until a moment, however slowly bytes come and go.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// A socket whose calls can be bounded.
pub(super) trait Socket: Read + Write {
    fn set_read(&self, left: Duration) -> io::Result<()>;
    fn set_write(&self, left: Duration) -> io::Result<()>;
    fn set_at_once(&self, at_once: bool) -> io::Result<()>;
}

pub(super) struct Deadline<S> {
    pub(super) stream: S,
    pub(super) until: Instant,
}

impl<S: Socket> Deadline<S> {
    pub(super) const fn new(stream: S, until: Instant) -> Self {
        Self { stream, until }
    }

    pub(super) fn write_by(&mut self, bytes: &[u8], until: Instant) -> io::Result<()> {
        self.until = until;
        self.write_all(bytes)
    }

    /// Reads what is there, and waits for nothing.
    pub(super) fn read_at_once(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_at_once(true)?;
        let read = self.stream.read(into);
        self.stream.set_at_once(false)?;
        read
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it takes too long"));
        }
        Ok(left.max(Duration::from_millis(1)))
    }
}

impl<S: Socket> Read for Deadline<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read(self.left()?)?;
        self.stream.read(into)
    }
}

impl<S: Socket> Write for Deadline<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
