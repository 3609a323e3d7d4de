//! Sinks as the configuration means them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::delivery::SpooledSettings;
use super::personal::Personal;
use portcullis_events::{Kind, KindSet, Level};

use crate::mapping::Schema;
use crate::segments::StoreSettings;

/// All sinks: the log, and those of the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What the log takes of events.
    pub log: Selection,
    /// The others. No two have one name, one file or one stream.
    pub sinks: Vec<SinkSettings>,
}

/// One sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSettings {
    /// What metrics and the record call it.
    pub name: Arc<str>,
    /// Where it writes, and how.
    pub kind: SinkKind,
    /// What it takes.
    pub selection: Selection,
    /// Whether requests are refused rather than let go while it has no room for what they leave.
    pub required: bool,
    /// What it gets of what is personal.
    pub personal: Personal,
}

/// Where a sink writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// Into a file.
    File(FileSettings),
    /// To where the process was told to write.
    Output(OutputSettings),
    /// Into the embedded store.
    Store(StoreSettings),
    /// To somebody else, by way of files that keep it until they have it.
    Spooled(SpooledSettings),
}

impl SinkKind {
    pub(super) const fn format(&self) -> LineFormat {
        match self {
            Self::File(file) => file.format,
            Self::Output(output) => output.format,
            Self::Store(_) | Self::Spooled(_) => LineFormat::Json,
        }
    }

    /// Whether both write to one place.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => one.path == other.path,
            (Self::Output(one), Self::Output(other)) => one.stream == other.stream,
            (Self::Store(one), Self::Store(other)) => one.path == other.path,
            (Self::Spooled(one), Self::Spooled(other)) => one.spool.folder == other.spool.folder,
            (Self::File(_) | Self::Output(_) | Self::Store(_) | Self::Spooled(_), _) => false,
        }
    }
}

/// A file, and those that it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// Its path. No link is followed there.
    pub path: PathBuf,
    /// Who may read and write it, such as `0o600`.
    pub mode: u32,
    /// When it goes on in a new one.
    pub rotation: Rotation,
    /// How a line looks.
    pub format: LineFormat,
    /// Whether what is written is chained, so that it shows when something of it is changed later.
    pub chain: bool,
}

/// When a file goes on in a new one, and how many old ones are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Before it would have more bytes than these.
    pub size: Option<u64>,
    /// When its first line is so old.
    pub every: Option<Duration>,
    /// So many old ones are kept; none: all.
    pub keep: Option<usize>,
    /// Old ones are kept while all files together have at most so many bytes.
    pub total: Option<u64>,
}

/// A stream of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A stream, and how it is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputSettings {
    /// Which one.
    pub stream: Stream,
    /// How a line looks.
    pub format: LineFormat,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFormat {
    /// As it was written: JSON.
    Json,
    /// For eyes.
    Human,
    /// The Common Log Format: requests alone.
    Common,
    /// The same with referrer, which is never told, and agent.
    Combined,
    /// JSON in the words of others.
    Mapped(Schema),
}

impl LineFormat {
    /// Whether it tells the agents of requests.
    pub(super) const fn needs_agent(self) -> bool {
        matches!(self, Self::Combined | Self::Common | Self::Mapped(_))
    }
}

/// Which events a sink takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection(KindSet);

impl Selection {
    /// Every one.
    pub const ALL: Self = Self(KindSet::ALL);
    /// None.
    pub const NONE: Self = Self(KindSet::NONE);

    /// Those that some pattern names (`access.*`, `signed-out`), and no other.
    ///
    /// # Errors
    /// Where a pattern names nothing.
    pub fn only<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, PatternError> {
        let add = |all: KindSet, pattern: &'a str| {
            let found = KindSet::matching(pattern).ok_or_else(|| PatternError(pattern.to_owned()))?;
            Ok(all.and(found))
        };
        patterns.into_iter().try_fold(KindSet::NONE, add).map(Self)
    }

    /// Those that no pattern names.
    ///
    /// # Errors
    /// Where a pattern names nothing.
    pub fn except<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, PatternError> {
        Self::only(patterns).map(|these| Self(KindSet::ALL.without(these.0)))
    }

    /// Of these, those that deserve so much attention or more.
    #[must_use]
    pub fn from_level(self, level: Level) -> Self {
        let below = Kind::TABLE.iter().filter(|row| row.level < level).map(|row| row.kind);
        Self(self.0.without(KindSet::of(below)))
    }

    /// The kinds.
    #[must_use]
    pub const fn kinds(self) -> KindSet {
        self.0
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self::ALL
    }
}

/// A pattern that names no kind of event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no event is called {0:?}")]
pub struct PatternError(pub String);
