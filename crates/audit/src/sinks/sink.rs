//! What a sink is. Each is one file that implements this; the rest is the same for all of them.

use std::io;
use std::time::Instant;

use portcullis_events::{Block, EventHead, KindSet};

use super::settings::SinkKind;

/// Keeps events. It lives on a thread of its own, and may take as long as it likes.
pub(super) trait Sink: Send {
    /// Writes a batch: good is what has left this process. What fails is given to it again, until it is good.
    fn write(&mut self, batch: &Batch<'_>) -> Result<(), SinkError>;

    /// Writes a line that is no event.
    fn write_text(&mut self, _text: &[u8]) -> Result<(), SinkError> {
        Ok(())
    }

    /// Says that so many lines that are no events were lost before this one.
    fn write_missed(&mut self, _lines: u64) -> Result<(), SinkError> {
        Ok(())
    }

    /// Comes first: from now on it is in force.
    fn begin(&mut self) {}

    /// Whether what is written is where it was to come; false: it is on its way.
    fn is_the_end(&self) -> bool {
        true
    }

    /// Comes every second, whether there is something to write or not.
    fn beat(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Goes on by other settings of the same place.
    fn change(&mut self, _kind: &SinkKind) {}

    /// Comes in place of [`Sink::begin`] where it never came into force: what it has made for itself goes.
    fn discard(self: Box<Self>) {}

    /// Comes last.
    fn close(self: Box<Self>, _until: Instant) -> Result<(), SinkError> {
        Ok(())
    }
}

/// What a sink takes of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch<'a> {
    pub(super) block: &'a Block,
    pub(super) chosen: KindSet,
}

impl<'a> Batch<'a> {
    /// The heads of what it takes.
    pub(super) fn heads(self) -> impl Iterator<Item = &'a EventHead> {
        self.block.heads().iter().filter(move |head| self.chosen.has(head.kind))
    }
}

/// Why a sink does not take what it is given.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// There is no space left.
    #[error("there is no space left: {0}")]
    Full(#[source] io::Error),
    /// Whoever reads does not, for now.
    #[error("it cannot be written to: {0}")]
    Away(#[source] io::Error),
    /// It cannot be opened, or is nothing that can be written to.
    #[error("it cannot be opened: {0}")]
    Unusable(#[source] io::Error),
}

impl From<io::Error> for SinkError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let full = matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge);
        if full { Self::Full(error) } else { Self::Away(error) }
    }
}
