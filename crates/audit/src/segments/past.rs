//! A store of what is said to have happened before: for showing what is made of one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portcullis_events::{Event, KindSet, Recorder};

use super::error::StoreError;
use super::settings::{Limits, StoreSettings};
use super::writer::Writer;
use crate::clock::{Clock, Moment, Timestamp};

/// Events between two writes.
const BATCH: u32 = 1_000;
/// The time between two looks after what goes on, in microseconds: each waits for the disk.
const BEAT: u64 = 60 * 60_000_000;
/// What events that are not written yet may hold, in bytes.
const MEMORY: usize = 16 << 20;

/// Writes a store by a clock of its own, which is moved by whoever tells what happened.
#[derive(Debug)]
pub struct Past {
    clock: Clock,
    recorder: Recorder,
    writer: Writer,
    waiting: u32,
    beat: u64,
}

impl Past {
    /// Begins at a moment. The folder is made where it is missing, its parent is not.
    ///
    /// # Errors
    /// Where the folder cannot be written, or holds something else.
    pub fn begin(folder: &Path, since: Timestamp) -> Result<Self, StoreError> {
        let settings =
            StoreSettings { path: folder.to_owned(), keep: StoreSettings::KEEP, size: StoreSettings::SIZE };
        let clock = Clock::manual(since);
        let recorder = Recorder::new(0, clock.clone(), MEMORY);
        recorder.want(KindSet::ALL, false);
        let process = Arc::from(recorder.process());
        let writer = Writer::open(&settings, &process, &clock, Limits::WHOLE)?;
        let beat = clock.moment().micros();
        Ok(Self { clock, recorder, writer, waiting: 0, beat })
    }

    /// Goes on to a moment; one that is before the last is that one.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn at(&mut self, moment: Moment) -> Result<(), StoreError> {
        let before = self.clock.moment().micros();
        self.clock.advance(Duration::from_micros(moment.micros().saturating_sub(before)));
        if moment.micros() >= self.beat.saturating_add(BEAT) {
            self.beat = moment.micros();
            self.write()?;
            self.writer.beat()?;
        }
        Ok(())
    }

    /// Tells what happens at this moment.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn tell(&mut self, event: &dyn Event) -> Result<(), StoreError> {
        self.recorder.emit(event);
        self.waiting += 1;
        if self.waiting >= BATCH { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.waiting = 0;
        let mut blocks = Vec::new();
        self.recorder.sweep(|block| blocks.push(block));
        for block in &blocks {
            let events = block.heads().iter().map(|head| (head, block.line(head)));
            self.writer.write(block.lane(), events)?;
        }
        Ok(())
    }

    /// Ends: what goes on is over, and everything is written.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn end(mut self) -> Result<(), StoreError> {
        self.write()?;
        self.writer.close()
    }
}
