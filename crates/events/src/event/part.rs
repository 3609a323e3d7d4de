//! What we need, and may lose.

use std::time::Duration;

use super::{Event, micros};
use crate::field::Field;
use crate::kind::Kind;
use crate::line::Line;

/// What we need, and may lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A provider.
    Provider,
    /// The store of sessions.
    Store,
    /// An upstream.
    Upstream,
    /// Counts that gateways share.
    SharedCounts,
}

/// Something that we need cannot be used any more.
#[derive(Clone, Copy, Debug)]
pub struct PartLost<'a> {
    /// What it is.
    pub part: Part,
    /// Which one: its name.
    pub name: &'a str,
    /// The route of an upstream.
    pub route: Option<&'a str>,
    /// Why, in words.
    pub reason: &'a str,
}

impl Event for PartLost<'_> {
    fn kind(&self) -> Kind {
        match self.part {
            Part::Provider => Kind::ProviderLost,
            Part::Store => Kind::StoreLost,
            Part::Upstream => Kind::UpstreamLost,
            Part::SharedCounts => Kind::SharedCountsLost,
        }
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Part, self.name);
        line.text_if(Field::Route, self.route);
        line.text(Field::Reason, self.reason);
    }
}

/// Something that was lost can be used again.
#[derive(Clone, Copy, Debug)]
pub struct PartBack<'a> {
    /// What it is.
    pub part: Part,
    /// Which one: its name.
    pub name: &'a str,
    /// The route of an upstream.
    pub route: Option<&'a str>,
    /// How long it was away.
    pub away: Option<Duration>,
}

impl Event for PartBack<'_> {
    fn kind(&self) -> Kind {
        match self.part {
            Part::Provider => Kind::ProviderBack,
            Part::Store => Kind::StoreBack,
            Part::Upstream => Kind::UpstreamBack,
            Part::SharedCounts => Kind::SharedCountsBack,
        }
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Part, self.name);
        line.text_if(Field::Route, self.route);
        line.number_if(Field::Us, self.away.map(micros));
    }
}

/// A provider has published other keys.
#[derive(Clone, Copy, Debug)]
pub struct ProviderKeysChanged<'a> {
    /// The provider.
    pub name: &'a str,
    /// How many keys it has now.
    pub count: Option<u64>,
}

impl Event for ProviderKeysChanged<'_> {
    fn kind(&self) -> Kind {
        Kind::ProviderKeysChanged
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Part, self.name);
        line.number_if(Field::Count, self.count);
    }
}

/// What others told through the store was missed.
#[derive(Clone, Copy, Debug)]
pub struct StoreMissed<'a> {
    /// The part of the store.
    pub name: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// How long it was away.
    pub away: Option<Duration>,
}

impl Event for StoreMissed<'_> {
    fn kind(&self) -> Kind {
        Kind::StoreMissed
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Part, self.name);
        line.text(Field::Reason, self.reason);
        line.number_if(Field::Us, self.away.map(micros));
    }
}
