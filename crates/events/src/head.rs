//! What is known of a line without reading it.

use std::ops::BitOr;

use super::kind::Kind;
use super::outcome::Outcome;

/// What is so of an event, beside its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// It tells of a person.
    pub const PERSONAL: Self = Self(1);
    /// A value was too long and ends early.
    pub const TRUNCATED: Self = Self(2);
    /// It is about a public route.
    pub const PUBLIC: Self = Self(4);
    /// Its answer waits until a sink has it.
    pub const REQUIRED: Self = Self(8);
    /// Any stranger can bring it about, as often as they like.
    pub const STRANGER: Self = Self(16);
    /// The clock has been set back since the event before it.
    pub const CLOCK_SET_BACK: Self = Self(32);

    /// Whether all of these are set.
    #[must_use]
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The head of an event: where its line stands in its block, and what sinks choose, order and count by.
#[derive(Clone, Copy, Debug)]
pub struct EventHead {
    /// Where the line begins in the block's text.
    pub start: u32,
    /// How long the line is, its line feed included.
    pub len: u32,
    /// What has happened.
    pub kind: Kind,
    /// What is so of it.
    pub flags: Flags,
    /// How the request ended, where it is about one that has.
    pub outcome: Option<Outcome>,
    /// Status of the response; 0: none.
    pub status: u16,
    /// Microseconds since 1970.
    pub time: u64,
    /// Its number in its lane.
    pub seq: u64,
    /// The first eight bytes of the session's digest; 0: none.
    pub session: u64,
    /// The route's number; 0: none.
    pub route: u32,
    /// How long it took, in microseconds; at most some 71 minutes.
    pub us: u32,
    /// Bytes of the response's body.
    pub bytes: u64,
}

impl EventHead {
    /// One of this kind, of which nothing else is known.
    pub(crate) const fn new(kind: Kind, time: u64, seq: u64) -> Self {
        Self {
            start: 0,
            len: 0,
            kind,
            flags: Flags::NONE,
            outcome: None,
            status: 0,
            time,
            seq,
            session: 0,
            route: 0,
            us: 0,
            bytes: 0,
        }
    }
}
