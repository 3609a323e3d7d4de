//! Worker threads, each with a runtime of its own.

use std::future::Future;
use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::events;
use crate::request::WorkerId;

/// How often a timer that does nothing goes off on each worker. Where a new timer is due before all others,
/// tokio wakes the thread by a system call, though it is awake; beside one that is due sooner than any time
/// limit of a request, no timer of a request ever is.
const TICK: Duration = Duration::from_millis(500);

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
        events::enter_worker(index);
        runtime.spawn(tick());
        runtime.block_on(work);
        // Whatever still runs was told to end and did not.
        runtime.shutdown_background();
    })
}

async fn tick() {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
    }
}
