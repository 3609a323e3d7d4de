//! The record itself.

use std::time::Duration;

use super::{Event, micros};
use crate::field::Field;
use crate::kind::Kind;
use crate::line::Line;

/// Events are lost.
#[derive(Clone, Copy, Debug)]
pub struct RecordLost<'a> {
    /// The sink that lost them; none: all of them.
    pub sink: Option<&'a str>,
    /// The process whose events they are, where it is an earlier one.
    pub process: Option<&'a str>,
    /// The lane of the events.
    pub lane: u16,
    /// The first number.
    pub from: u64,
    /// The last number.
    pub to: u64,
    /// How many of these numbers are lost: fewer where the sink would not have taken all.
    pub count: u64,
    /// What filled up or failed: `memory`, `queue`, `spool`, `sink` or `stop`; `refused`: the far end does not take them, and
    /// they lie in a file beside.
    pub cause: &'static str,
}

impl Event for RecordLost<'_> {
    fn kind(&self) -> Kind {
        Kind::RecordLost
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text_if(Field::Sink, self.sink);
        line.text_if(Field::Process, self.process);
        line.number(Field::Lane, self.lane.into());
        line.number(Field::From, self.from);
        line.number(Field::To, self.to);
        line.number(Field::Count, self.count);
        line.text(Field::Cause, self.cause);
    }
}

/// A file of the record is closed, and the record goes on in a new one.
#[derive(Clone, Copy, Debug)]
pub struct RecordRotated<'a> {
    /// The sink.
    pub sink: &'a str,
    /// What the closed file is called now.
    pub file: &'a str,
    /// The file in which it goes on.
    pub next: &'a str,
    /// Bytes of the closed file.
    pub bytes: u64,
}

impl Event for RecordRotated<'_> {
    fn kind(&self) -> Kind {
        Kind::RecordRotated
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Sink, self.sink);
        line.text(Field::File, self.file);
        line.text(Field::Next, self.next);
        line.number(Field::Bytes, self.bytes);
    }
}

/// Old files of the record are removed.
#[derive(Clone, Copy, Debug)]
pub struct RecordRemoved<'a> {
    /// The sink.
    pub sink: &'a str,
    /// The newest of them.
    pub file: &'a str,
    /// How many they are.
    pub count: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

impl Event for RecordRemoved<'_> {
    fn kind(&self) -> Kind {
        Kind::RecordRemoved
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Sink, self.sink);
        line.text(Field::File, self.file);
        line.number(Field::Count, self.count);
        line.number(Field::Bytes, self.bytes);
    }
}

/// The file of a sink is written by another process.
#[derive(Clone, Copy, Debug)]
pub struct RecordBeside<'a> {
    /// The sink.
    pub sink: &'a str,
    /// The file that it was to write.
    pub file: &'a str,
    /// The file that it writes.
    pub next: &'a str,
}

impl Event for RecordBeside<'_> {
    fn kind(&self) -> Kind {
        Kind::RecordBeside
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Sink, self.sink);
        line.text(Field::File, self.file);
        line.text(Field::Next, self.next);
    }
}

/// A file of the record cannot be read, and is left as it is.
#[derive(Clone, Copy, Debug)]
pub struct RecordDamaged<'a> {
    /// The sink.
    pub sink: &'a str,
    /// The file.
    pub file: &'a str,
    /// What is wrong with it, in words.
    pub reason: &'a str,
}

impl Event for RecordDamaged<'_> {
    fn kind(&self) -> Kind {
        Kind::RecordDamaged
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Sink, self.sink);
        line.text(Field::File, self.file);
        line.text(Field::Reason, self.reason);
    }
}

/// Something of the record is not as it was written.
#[derive(Clone, Copy, Debug)]
pub struct RecordAltered<'a> {
    /// The file.
    pub file: &'a str,
    /// What was found there, in words.
    pub reason: &'a str,
    /// How much was found altogether.
    pub count: u64,
}

impl Event for RecordAltered<'_> {
    fn kind(&self) -> Kind {
        Kind::RecordAltered
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::File, self.file);
        line.text(Field::Reason, self.reason);
        line.number(Field::Count, self.count);
    }
}

/// What the record holds was signed.
#[derive(Clone, Copy, Debug)]
pub struct RecordCheckpoint<'a> {
    /// The id of the key that signed.
    pub key: &'a str,
    /// The number of the checkpoint.
    pub number: u64,
    /// The checkpoint, a signed note.
    pub note: &'a str,
}

impl Event for RecordCheckpoint<'_> {
    fn kind(&self) -> Kind {
        Kind::RecordCheckpoint
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Key, self.key);
        line.number(Field::Number, self.number);
        line.text(Field::Note, self.note);
    }
}

/// Another key signs what the record holds.
#[derive(Clone, Copy, Debug)]
pub struct RecordKeyRotated<'a> {
    /// The id of the key that signs from now on.
    pub key: &'a str,
    /// From when on it signs, in microseconds since 1970.
    pub signs_from: u64,
    /// The word of the key before for it, a signed note.
    pub note: &'a str,
}

impl Event for RecordKeyRotated<'_> {
    fn kind(&self) -> Kind {
        Kind::KeyRotated
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Key, self.key);
        line.time(Field::SignsFrom, self.signs_from);
        line.text(Field::Note, self.note);
    }
}

/// A sink could not be written to for a while, and can again.
#[derive(Clone, Copy, Debug)]
pub struct RecordGap<'a> {
    /// The sink.
    pub sink: &'a str,
    /// Since when, in microseconds since 1970.
    pub since: u64,
    /// For how long.
    pub away: Duration,
    /// Why, in words.
    pub reason: &'a str,
}

impl Event for RecordGap<'_> {
    fn kind(&self) -> Kind {
        Kind::RecordGap
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Sink, self.sink);
        line.time(Field::Since, self.since);
        line.number(Field::Us, micros(self.away));
        line.text(Field::Reason, self.reason);
    }
}

/// Strangers have brought about more events than a lane takes, and the rest is left out.
#[derive(Clone, Copy, Debug)]
pub struct RecordLeftOut {
    /// The lane of the events.
    pub lane: u16,
    /// How many were left out.
    pub count: u64,
    /// Since when, in microseconds since 1970.
    pub since: u64,
    /// For how long.
    pub within: Duration,
}

impl Event for RecordLeftOut {
    fn kind(&self) -> Kind {
        Kind::RecordLeftOut
    }

    fn write(&self, line: &mut Line<'_>) {
        line.number(Field::Lane, self.lane.into());
        line.number(Field::Count, self.count);
        line.time(Field::Since, self.since);
        line.number(Field::Us, micros(self.within));
    }
}

/// The clock of the machine has been set back.
#[derive(Clone, Copy, Debug)]
pub struct ClockSetBack {
    /// By how much, at least.
    pub by: Duration,
}

impl Event for ClockSetBack {
    fn kind(&self) -> Kind {
        Kind::ClockSetBack
    }

    fn write(&self, line: &mut Line<'_>) {
        line.number(Field::Us, micros(self.by));
    }
}
