//! What happens on a day, before it is told.

use std::net::IpAddr;

use crate::clock::Moment;
use crate::events::Event;

pub(super) const SECOND: u64 = 1_000_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

/// Somebody who is signed in somewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    /// The number of the colleague.
    pub(super) who: usize,
    pub(super) session: u64,
    pub(super) from: IpAddr,
    pub(super) device: &'static str,
}

pub(super) enum What {
    SignIn(Visit),
    /// A sign-in that comes to nothing, and who is to blame for it.
    NoSignIn {
        from: IpAddr,
        device: &'static str,
        provider_failed: bool,
        reason: &'static str,
    },
    /// Somebody asks an app of a route for this path.
    Use {
        visit: Visit,
        route: &'static str,
        path: &'static str,
    },
    Refresh(Visit),
    SignOut(Visit),
    /// A session ends by something else: why, and by whom.
    End {
        visit: Visit,
        why: &'static str,
        by: Option<&'static str>,
        cut: Option<u64>,
    },
    /// A program uses its token: the first time of that token, or again.
    Call {
        machine: usize,
        token: u64,
        is_first: bool,
    },
    /// A token is refused.
    BadToken {
        from: IpAddr,
        reason: &'static str,
    },
    /// Nobody is signed in.
    Stranger {
        from: IpAddr,
        path: &'static str,
    },
    /// What anybody may see.
    Public {
        from: IpAddr,
    },
    /// The app of a route does not answer somebody.
    NoAnswer {
        visit: Visit,
        route: &'static str,
    },
    /// Something that needs nobody.
    Told(Box<dyn Event>),
}

pub(super) struct Happening {
    /// In microseconds since 1970.
    pub(super) at: u64,
    pub(super) what: What,
}

/// A day.
pub(super) struct Plan {
    midnight: u64,
    happenings: Vec<Happening>,
}

impl Plan {
    pub(super) const fn new(midnight: u64) -> Self {
        Self { midnight, happenings: Vec::new() }
    }

    /// Something happens so long after midnight.
    pub(super) fn at(&mut self, after: u64, what: What) {
        self.happenings.push(Happening { at: self.midnight + after, what });
    }

    /// Whether people work on it.
    pub(super) const fn is_weekday(&self) -> bool {
        // The first day of 1970 was a Thursday.
        (self.midnight / DAY + 3) % 7 < 5
    }

    pub(super) fn in_order(mut self, until: Moment) -> impl Iterator<Item = Happening> {
        self.happenings.sort_by_key(|happening| happening.at);
        self.happenings.into_iter().take_while(move |happening| happening.at < until.micros())
    }
}
