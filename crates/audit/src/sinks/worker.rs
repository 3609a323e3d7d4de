//! A sink's thread. It never ends while its sink is asked for: what cannot be written is tried again.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};
use std::{io, thread};

use super::health::{Part, Status};
use super::queue::{Item, Next, Queue};
use super::sink::{Batch, Sink, SinkError};
use crate::clock::Clock;

/// How often a sink looks after itself.
const BEAT: Duration = Duration::from_secs(1);
/// How long a sink that failed is left alone.
const RETRY: Duration = Duration::from_millis(250);

pub(super) struct Worker {
    pub(super) sink: Box<dyn Sink>,
    pub(super) queue: Arc<Queue>,
    pub(super) status: Arc<Status>,
    pub(super) clock: Clock,
}

/// A worker that has its thread and waits for its first word. Where this is dropped, what the sink has made goes as well.
#[derive(Debug)]
pub(super) struct Ready(SyncSender<()>);

impl Ready {
    /// Has it begin.
    pub(super) fn begin(self) {
        // It waits for nothing else, so that somebody takes it.
        let _ = self.0.send(());
    }
}

impl Worker {
    /// Gets a thread of this name, on which it goes on by itself once it is told to.
    pub(super) fn ready(self, name: &str) -> io::Result<Ready> {
        let (begin, begun) = sync_channel(1);
        let run = move || match begun.recv() {
            Ok(()) => self.run(),
            Err(_) => self.sink.discard(),
        };
        thread::Builder::new().name(format!("sink {name}")).spawn(run).map(|_| Ready(begin))
    }

    fn run(mut self) {
        let queue = Arc::clone(&self.queue);
        self.sink.begin();
        let mut beat = Instant::now() + BEAT;
        loop {
            match queue.next(beat) {
                Next::Item(item) if self.write(&item) => queue.done(),
                // There is no time left; what waits is counted by whoever closed it.
                Next::Item(_) => break,
                Next::Change(kind) => self.sink.change(&kind),
                Next::Nothing => {}
                Next::Closed(until) => {
                    let _ = self.sink.close(until);
                    break;
                }
            }
            if Instant::now() >= beat {
                self.beat();
                beat = Instant::now() + BEAT;
            }
        }
        queue.end();
    }

    /// Writes until it is written; whether it is.
    fn write(&mut self, item: &Item) -> bool {
        loop {
            match attempt(self.sink.as_mut(), item) {
                Ok(events) => {
                    if self.sink.is_the_end() {
                        self.status.wrote(events);
                    }
                    self.status.works(Part::Writing, &self.clock);
                    return true;
                }
                Err(error) => self.status.fails(Part::Writing, &error, &self.clock),
            }
            match self.queue.pause(RETRY) {
                Some(until) if Instant::now() >= until => return false,
                Some(_) => thread::park_timeout(RETRY / 5),
                None => {}
            }
            let _ = self.sink.beat();
        }
    }

    fn beat(&mut self) {
        match self.sink.beat() {
            Ok(()) => self.status.works(Part::Upkeep, &self.clock),
            Err(error) => self.status.fails(Part::Upkeep, &error, &self.clock),
        }
    }
}

/// Gives how many events were written.
fn attempt(sink: &mut dyn Sink, item: &Item) -> Result<u64, SinkError> {
    match item {
        Item::Events(block, chosen) => {
            let batch = Batch { block, chosen: *chosen };
            sink.write(&batch).map(|()| batch.heads().count() as u64)
        }
        Item::Text(text) => sink.write_text(text).map(|()| 0),
        Item::Missed(lines) => sink.write_missed(*lines).map(|()| 0),
    }
}
