//! The store as the configuration means it.

use std::path::PathBuf;
use std::time::Duration;

/// A folder of segments, and how much of the past it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// The folder; it is made where it is missing, its parent is not.
    pub path: PathBuf,
    /// How old an event may become.
    pub keep: Duration,
    /// How many bytes everything in the folder may have.
    pub size: u64,
}

impl StoreSettings {
    /// How old an event may become where nothing is said: a year.
    pub const KEEP: Duration = Duration::from_secs(365 * 86_400);
    /// How many bytes there may be where nothing is said: 10 GiB.
    pub const SIZE: u64 = 10 << 30;
    /// The shortest time that can be kept: two segments, which hold a day each.
    pub const SHORTEST: Duration = Duration::from_secs(2 * 86_400);
    /// The fewest bytes that can be kept: two segments.
    pub const SMALLEST: u64 = 2 * Limits::WHOLE.bytes;
}

/// When a segment is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Rows.
    pub(crate) rows: u64,
    /// Bytes of the file.
    pub(crate) bytes: u64,
}

impl Limits {
    /// What is scanned in some 80 ms, for it has no index while it is written.
    pub(crate) const WHOLE: Self = Self { rows: 250_000, bytes: 256 << 20 };
}
