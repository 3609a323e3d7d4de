//! The log on standard error: what the program says to whoever runs it, and events, in one order and by one thread, so that
//! no line stands within another.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

use super::health::Status;
use super::output::Output;
use super::queue::Queue;
use super::settings::{LineFormat, Stream};
use super::sink::SinkError;
use super::worker::Worker;
use crate::clock::Clock;

/// What may wait for a slow reader before it is known how much memory there is.
const BOUND: usize = 4 * 1024 * 1024;
/// How long the end of the program waits for a slow reader.
const PATIENCE: Duration = Duration::from_secs(5);

/// The log. It is there before the configuration is read, for what is wrong with that is said there; its drop writes out
/// what waits.
#[derive(Debug)]
pub struct LogSink {
    pub(super) queue: Arc<Queue>,
    pub(super) status: Arc<Status>,
}

impl LogSink {
    /// Starts its thread.
    ///
    /// # Errors
    /// Where there is no standard error, or no thread.
    pub fn start(format: LineFormat) -> Result<Self, SinkError> {
        Self::with(Output::open(Stream::Stderr, format)?)
    }

    /// One that writes elsewhere.
    ///
    /// # Errors
    /// Where there is no thread.
    pub fn to(out: Box<dyn Write + Send>, format: LineFormat) -> Result<Self, SinkError> {
        Self::with(Output::to(out, format))
    }

    fn with(output: Output) -> Result<Self, SinkError> {
        let (queue, status) = (Queue::new(BOUND), Arc::<Status>::default());
        let (sink, clock) = (Box::new(output), Clock::system());
        let worker = Worker { sink, queue: Arc::clone(&queue), status: Arc::clone(&status), clock };
        worker.ready("log").map_err(SinkError::Unusable)?.begin();
        Ok(Self { queue, status })
    }

    /// Takes lines.
    #[must_use]
    pub fn writer(&self) -> LogWriter {
        LogWriter(Arc::clone(&self.queue))
    }
}

impl Drop for LogSink {
    fn drop(&mut self) {
        let until = Instant::now() + PATIENCE;
        self.queue.close(until);
        self.queue.wait_end(until);
    }
}

/// Takes lines for the log, each in one piece. It never waits: where nobody reads them, they are counted.
#[derive(Clone, Debug)]
pub struct LogWriter(Arc<Queue>);

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push_text(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
