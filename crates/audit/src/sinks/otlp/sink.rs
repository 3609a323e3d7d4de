//! A sink of the kind `otlp`: events for a collector, as logs.

use std::time::Instant;

use super::client::{Client, OtlpSettings, Signal};
use super::logs;
use crate::clock::Clock;
use crate::sinks::far::{Far, FarError, Parcel};

pub(in crate::sinks) struct OtlpSink {
    client: Client,
    clock: Clock,
}

impl OtlpSink {
    pub(in crate::sinks) fn open(settings: &OtlpSettings, clock: &Clock) -> Result<Self, FarError> {
        Ok(Self { client: Client::open(settings)?, clock: clock.clone() })
    }
}

impl Far for OtlpSink {
    fn send(&mut self, parcel: &Parcel<'_>, until: Instant) -> Result<(), FarError> {
        let message = logs::message(parcel.process, parcel.frame.lines(), self.clock.moment().micros());
        let untaken = self.client.send(Signal::Logs, message, until)?;
        if untaken > 0 {
            // To send them again would bring the others twice (OTLP 1.x, "Partial Success").
            tracing::error!(batch = parcel.id(), events = untaken, "a collector has not taken some events");
        }
        Ok(())
    }
}
