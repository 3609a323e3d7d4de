//! Worker threads, each with a runtime of its own.

use std::future::Future;
use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::request::WorkerId;

/// For each timer that is due before every other one tokio wakes the thread by a call into the kernel, though
/// it is awake. A beat that comes sooner than any time limit of a request leaves no such timer.
const BEAT: Duration = Duration::from_millis(500);

/// Threads named `worker-0`, `worker-1`, …; on each a single-threaded runtime runs one future to its end.
#[derive(Debug)]
pub struct Workers(Vec<JoinHandle<()>>);

impl Workers {
    /// Starts `count` threads, at least one. `work` makes what each of them does; tasks that it spawns
    /// end with it.
    ///
    /// # Errors
    /// Where the system gives no thread or no runtime; then those already started end by themselves as
    /// soon as their work does.
    pub fn start<F, W>(count: usize, work: W) -> io::Result<Self>
    where
        W: Fn(WorkerId) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        (0..count.max(1))
            .map(|index| spawn(index, work(WorkerId(index))))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Waits for all of them; tells how many have panicked outside of any connection.
    #[must_use]
    pub fn join(self) -> usize {
        self.0.into_iter().map(JoinHandle::join).filter(Result::is_err).count()
    }
}

fn spawn(index: usize, work: impl Future<Output = ()> + Send + 'static) -> io::Result<JoinHandle<()>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
        runtime.spawn(beat());
        runtime.block_on(work);
        // Whatever still runs was told to end and did not.
        runtime.shutdown_background();
    })
}

async fn beat() {
    let mut beat = tokio::time::interval(BEAT);
    loop {
        beat.tick().await;
    }
}
