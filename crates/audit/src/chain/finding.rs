//! What is wrong with a record, and where.

use std::fmt;

/// What has happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A line is not what was written.
    Changed,
    /// A line was not written there.
    Inserted,
    /// Lines or blocks are gone.
    Dropped,
    /// Lines or blocks stand elsewhere than where they were written.
    Moved,
    /// The footer of a block is not what was written, though the lines are.
    Footer,
    /// The end is gone.
    Cut,
    /// The beginning of a file is gone.
    Beheaded,
    /// A file is gone.
    Missing,
    /// The same blocks are there twice.
    Copied,
    /// A file is called otherwise than it was.
    Renamed,
    /// Blocks agree with one another, and not with what stands around them or was signed.
    Rewritten,
    /// In the place of a line is its hash alone.
    Hidden,
    /// A checkpoint is not what was signed, or by nobody whom this record knows.
    Unsigned,
    /// A checkpoint is of a time in which its key did not sign.
    OutsideItsKey,
    /// A checkpoint is gone.
    CheckpointMissing,
    /// Two checkpoints of one number say different things.
    TwoOfOneNumber,
    /// No checkpoint is signed by a key that leads to the one that was given.
    UnknownKey,
}

impl What {
    /// Its word, for programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Inserted => "inserted",
            Self::Dropped => "dropped",
            Self::Moved => "moved",
            Self::Footer => "footer",
            Self::Cut => "cut",
            Self::Beheaded => "beheaded",
            Self::Missing => "missing",
            Self::Copied => "copied",
            Self::Renamed => "renamed",
            Self::Rewritten => "rewritten",
            Self::Hidden => "hidden",
            Self::Unsigned => "unsigned",
            Self::OutsideItsKey => "outside-its-key",
            Self::CheckpointMissing => "checkpoint-missing",
            Self::TwoOfOneNumber => "two-of-one-number",
            Self::UnknownKey => "unknown-key",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, or what else holds it.
    pub place: String,
    /// The byte where it is, or behind which something is missing; none where it is about the whole.
    pub at: Option<u64>,
    /// The number of the line there.
    pub line: Option<u64>,
    /// What has happened.
    pub what: What,
    /// The same in words, without the place.
    pub words: String,
}

impl Finding {
    pub(crate) fn of(what: What, place: &str, words: impl Into<String>) -> Self {
        Self { place: place.to_owned(), at: None, line: None, what, words: words.into() }
    }

    pub(crate) fn at(self, line: u64, at: u64) -> Self {
        Self { at: Some(at), line: Some(line), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let (Some(line), Some(at)) = (self.line, self.at) {
            write!(f, ", line {line}, byte {at}")?;
        }
        write!(f, ": {}", self.words)
    }
}
