//! What a far end is: whoever a spool is brought to. Each is one file that implements this; the rest is the same for all.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::health::Status;
use super::spool::Frame;
use crate::chain::Ties;
use crate::clock::Clock;
use crate::mapping::Schema;

/// Takes what lies in a spool. It lives on a thread of its own.
pub(super) trait Far: Send {
    /// Brings a batch, and is done by `until`. Good is what the far end has, or what is known to be lost by
    /// [`Far::check`] or the next of these within [`Far::unproved`].
    fn send(&mut self, batch: &Parcel<'_>, until: Instant) -> Result<(), FarError>;

    /// For how long after it was sent something may turn out not to have arrived. Until then it is kept, and sent again
    /// where something fails.
    fn unproved(&self) -> Duration {
        Duration::ZERO
    }

    /// Comes every second: whether what was sent and is not proved may still arrive.
    fn check(&mut self) -> Result<(), FarError> {
        Ok(())
    }

    /// Comes last; whether everything that was sent is known to have arrived.
    fn finish(&mut self, _until: Instant) -> bool {
        true
    }
}

/// Whom a far end works for.
#[derive(Clone, Debug)]
pub(super) struct FarContext {
    /// The sink's name.
    pub(super) sink: Arc<str>,
    /// This process, which may not be the one whose events it brings.
    pub(super) process: Arc<str>,
    /// Where the heads of chains are told.
    pub(super) ties: Ties,
    pub(super) status: Arc<Status>,
    pub(super) clock: Clock,
}

/// A batch on its way: lines of one process and one lane, in their order.
#[derive(Debug)]
pub(super) struct Parcel<'a> {
    /// Whose events they are.
    pub(super) process: &'a Arc<str>,
    pub(super) frame: &'a Frame,
    /// Whose words it is brought in, where they are not ours.
    pub(super) schema: Option<Schema>,
}

impl Parcel<'_> {
    /// All its lines, in the words that were asked for.
    pub(super) fn text(&self) -> Vec<u8> {
        let Some(schema) = self.schema else { return self.frame.text.clone() };
        let mut text = Vec::with_capacity(2 * self.frame.text.len());
        self.frame.lines().for_each(|line| schema.map(line, &mut text));
        text
    }

    /// A line in the words that were asked for, without its line feed.
    pub(super) fn said<'l>(&self, line: &'l [u8]) -> Cow<'l, [u8]> {
        let Some(schema) = self.schema else { return line.into() };
        let mut text = Vec::with_capacity(2 * line.len());
        schema.map(line, &mut text);
        text.pop();
        text.into()
    }

    /// What no other batch is called, and this one whenever it is sent again.
    pub(super) fn id(&self) -> String {
        let numbers = &self.frame.numbers;
        format!("{}-{}-{}-{}", self.process, numbers.lane, numbers.from, numbers.to)
    }
}

/// Why a far end does not take what it is brought.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FarError {
    /// It may take it later.
    #[error("{0}")]
    Away(String),
    /// It will never take this batch.
    #[error("{0}")]
    Refused(String),
}
