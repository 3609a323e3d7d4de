//! The process itself.

use std::time::Duration;

use super::{Event, micros};
use crate::field::Field;
use crate::kind::Kind;
use crate::line::Line;

/// The process serves.
#[derive(Clone, Copy, Debug)]
pub struct ProcessStarted<'a> {
    /// The program's version.
    pub version: &'a str,
    /// The number of the process.
    pub pid: u32,
    /// The process in whose place it serves, where there is one.
    pub before: Option<u32>,
    /// How many threads serve requests.
    pub workers: Option<u64>,
    /// The file of its configuration.
    pub file: Option<&'a str>,
}

impl Event for ProcessStarted<'_> {
    fn kind(&self) -> Kind {
        if self.before.is_some() { Kind::ProcessTookOver } else { Kind::ProcessStarted }
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Version, self.version);
        line.number(Field::Pid, self.pid.into());
        line.number_if(Field::Before, self.before.map(u64::from));
        line.number_if(Field::Workers, self.workers);
        line.text_if(Field::File, self.file);
    }
}

/// The process takes no new connections.
#[derive(Clone, Copy, Debug)]
pub struct ProcessDraining<'a> {
    /// The number of the process.
    pub pid: u32,
    /// Why.
    pub reason: Option<&'a str>,
}

impl Event for ProcessDraining<'_> {
    fn kind(&self) -> Kind {
        Kind::ProcessDraining
    }

    fn write(&self, line: &mut Line<'_>) {
        line.number(Field::Pid, self.pid.into());
        line.text_if(Field::Reason, self.reason);
    }
}

/// The process ends.
#[derive(Clone, Copy, Debug)]
pub struct ProcessEnded<'a> {
    /// The number of the process.
    pub pid: u32,
    /// Why.
    pub reason: Option<&'a str>,
    /// How long it has served.
    pub served: Option<Duration>,
}

impl Event for ProcessEnded<'_> {
    fn kind(&self) -> Kind {
        Kind::ProcessEnded
    }

    fn write(&self, line: &mut Line<'_>) {
        line.number(Field::Pid, self.pid.into());
        line.text_if(Field::Reason, self.reason);
        line.number_if(Field::Us, self.served.map(micros));
    }
}
