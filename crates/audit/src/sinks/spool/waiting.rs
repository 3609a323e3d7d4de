//! How much lies in a spool, and how long its room will do.

use std::fmt;
use std::time::{Duration, Instant};

/// By how much a second counts among those before it: what is told is that of about the last minute.
const WEIGHT: f64 = 1.0 / 60.0;

/// What lies on disk until the far end takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Bytes that wait.
    pub bytes: u64,
    /// Bytes that there is room for.
    pub bound: u64,
    /// How long the room that is left will do if as much happens as did lately; none: nothing happens.
    pub lasts: Option<Duration>,
    /// When the oldest event that waits happened, in microseconds since 1970, where it is known.
    pub oldest: Option<u64>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB wait on disk, with room for {} KiB", self.bytes / 1024, self.bound / 1024)?;
        match self.lasts {
            Some(lasts) if self.bytes < self.bound => write!(f, ", which will do for {} s", lasts.as_secs()),
            Some(_) | None => Ok(()),
        }
    }
}

/// Bytes a second that are added.
#[derive(Debug)]
pub(super) struct Rate {
    mean: f64,
    added: u64,
    since: Instant,
}

impl Rate {
    pub(super) fn new() -> Self {
        Self { mean: 0.0, added: 0, since: Instant::now() }
    }

    pub(super) const fn add(&mut self, bytes: u64) {
        self.added += bytes;
    }

    /// A second is over, or about one.
    pub(super) fn turn(&mut self) {
        let span = self.since.elapsed().as_secs_f64().max(0.001);
        self.turn_after(span);
        self.since = Instant::now();
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody adds 2^53 bytes in a second")]
    fn turn_after(&mut self, span: f64) {
        let now = self.added as f64 / span;
        let weight = if self.mean == 0.0 { 1.0 } else { (span * WEIGHT).min(1.0) };
        self.mean += (now - self.mean) * weight;
        self.added = 0;
    }

    /// How long so many bytes will do.
    #[expect(clippy::cast_precision_loss, reason = "a spool is smaller than 2^53 bytes")]
    pub(super) fn lasts(&self, bytes: u64) -> Option<Duration> {
        (self.mean >= 1.0)
            .then(|| Duration::try_from_secs_f64(bytes as f64 / self.mean).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_does_as_long_as_little_happens() {
        let mut rate = Rate::new();
        assert_eq!(rate.lasts(1000), None);
        rate.add(100);
        rate.turn_after(1.0);
        assert_eq!(rate.lasts(1000), Some(Duration::from_secs(10)));
        (0..600).for_each(|_| rate.turn_after(1.0));
        assert_eq!(rate.lasts(1000), None, "nothing has happened for ten minutes");
    }

    #[test]
    fn it_is_told_in_words() {
        let waiting =
            Waiting { bytes: 2048, bound: 4096, lasts: Some(Duration::from_secs(60)), oldest: None };
        let words = "2 KiB wait on disk, with room for 4 KiB, which will do for 60 s";
        assert_eq!(waiting.to_string(), words);
        let full = Waiting { bytes: 4096, ..waiting };
        assert_eq!(full.to_string(), "4 KiB wait on disk, with room for 4 KiB");
    }
}
