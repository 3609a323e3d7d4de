//! The embedded store as a sink.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::health::{Note, Status};
use super::settings::SinkKind;
use super::sink::{Batch, Sink, SinkError};
use crate::clock::Clock;
use crate::segments::{Finding, Limits, StoreError, StoreSettings, Writer};

pub(super) struct StoreSink {
    writer: Writer,
    status: Arc<Status>,
}

impl StoreSink {
    pub(super) fn open(
        settings: &StoreSettings,
        process: &Arc<str>,
        clock: &Clock,
        status: &Arc<Status>,
    ) -> Result<Self, SinkError> {
        let writer = Writer::open(settings, process, clock, Limits::WHOLE)
            .map_err(|error| SinkError::Unusable(io::Error::other(error)))?;
        Ok(Self { writer, status: Arc::clone(status) })
    }

    fn tell(&self, finding: Finding) {
        match finding {
            Finding::Removed { file, count, bytes } => self.status.note(Note::Removed { file, count, bytes }),
            Finding::Damaged { file, reason } => self.status.note(Note::Damaged { file, reason }),
        }
    }
}

impl Sink for StoreSink {
    fn write(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let block = batch.block;
        self.writer.write(block.lane(), batch.heads().map(|head| (head, block.line(head))))?;
        Ok(())
    }

    fn beat(&mut self) -> Result<(), SinkError> {
        let findings = self.writer.beat()?;
        findings.into_iter().for_each(|finding| self.tell(finding));
        if let Some(file) = self.writer.file() {
            self.status.writes(file);
        }
        Ok(())
    }

    fn change(&mut self, kind: &SinkKind) {
        if let SinkKind::Store(settings) = kind {
            self.writer.change(settings);
        }
    }

    fn close(self: Box<Self>, _until: Instant) -> Result<(), SinkError> {
        Ok(self.writer.close()?)
    }
}

impl From<StoreError> for SinkError {
    fn from(error: StoreError) -> Self {
        if error.is_full() {
            Self::Full(io::Error::other(error))
        } else {
            Self::Away(io::Error::other(error))
        }
    }
}
