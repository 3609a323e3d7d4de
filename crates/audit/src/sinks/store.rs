//! The embedded store as a sink.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::health::{Note, Status};
use super::settings::SinkKind;
use super::sink::{Batch, Sink, SinkError};
use crate::chain::Ties;
use crate::clock::Clock;
use crate::segments::{Finding, Limits, Links, StoreError, StoreSettings, Writer};

pub(super) struct StoreSink {
    name: Arc<str>,
    settings: StoreSettings,
    process: Arc<str>,
    clock: Clock,
    ties: Ties,
    /// None: it could not be opened yet, as on a full disk. That stops no gateway from starting.
    writer: Option<Writer>,
    status: Arc<Status>,
}

impl StoreSink {
    pub(super) fn open(
        name: &Arc<str>,
        settings: &StoreSettings,
        process: &Arc<str>,
        clock: &Clock,
        status: &Arc<Status>,
        ties: &Ties,
    ) -> Result<Self, SinkError> {
        let (settings, process, clock) = (settings.clone(), Arc::clone(process), clock.clone());
        let (name, ties, status) = (Arc::clone(name), ties.clone(), Arc::clone(status));
        let mut sink = Self { name, settings, process, clock, ties, writer: None, status };
        match sink.writer() {
            Err(error) if !error.is_passing() => Err(SinkError::Unusable(io::Error::other(error))),
            Ok(_) | Err(_) => Ok(sink),
        }
    }

    fn writer(&mut self) -> Result<&mut Writer, StoreError> {
        Ok(match &mut self.writer {
            Some(writer) => writer,
            none => {
                let links = Links::new(&self.name, &self.process, &self.ties);
                none.insert(Writer::open(&self.settings, &self.process, &self.clock, Limits::WHOLE, links)?)
            }
        })
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
        let events = batch.heads().map(|head| (head, block.line(head)));
        Ok(self.writer()?.write(block.lane(), events)?)
    }

    fn beat(&mut self) -> Result<(), SinkError> {
        let writer = self.writer()?;
        let (findings, file) = (writer.beat()?, writer.file().map(std::path::Path::to_owned));
        findings.into_iter().for_each(|finding| self.tell(finding));
        if let Some(file) = file {
            self.status.writes(&file);
        }
        Ok(())
    }

    fn change(&mut self, kind: &SinkKind) {
        if let SinkKind::Store(settings) = kind {
            self.settings = settings.clone();
            if let Some(writer) = &mut self.writer {
                writer.change(settings);
            }
        }
    }

    fn close(self: Box<Self>, _until: Instant) -> Result<(), SinkError> {
        self.writer.map_or(Ok(()), |writer| Ok(writer.close()?))
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
