//! Uses of sessions on their way to the store, away from the requests that made them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::Touch;

/// Touches that may wait for the next flush; further ones are noted again by a later request.
const QUEUE: usize = 16_384;

/// The shortest and the longest time between two writes of one family's use.
const OFTEN: Duration = Duration::from_secs(60);
const SELDOM: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(super) struct TouchQueue {
    noted: mpsc::Sender<Touch>,
    queue: Mutex<mpsc::Receiver<Touch>>,
}

impl TouchQueue {
    pub(super) fn new() -> Self {
        let (noted, queue) = mpsc::channel(QUEUE);
        Self { noted, queue: Mutex::new(queue) }
    }

    /// False where the queue is full.
    pub(super) fn note(&self, touch: Touch) -> bool {
        self.noted.try_send(touch).is_ok()
    }

    /// Everything noted so far.
    pub(super) fn drain(&self) -> Vec<Touch> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| queue.try_recv().ok()).take(QUEUE).collect()
    }
}

/// How often a family's use is written: a tenth of the idle time, from one to five minutes; for very short
/// idle times a quarter of it, so that a restart ends nobody's session early by much.
pub(super) fn interval(idle_timeout: Duration) -> Duration {
    (idle_timeout / 10).clamp(OFTEN, SELDOM).min(idle_timeout / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_is_written_seldom_but_well_within_the_idle_time() {
        let written = |idle| interval(Duration::from_secs(idle)).as_secs();
        assert_eq!([60, 600, 1800, 3600, 86_400].map(written), [15, 60, 180, 300, 300]);
    }

    #[test]
    fn the_queue_is_bounded_invariant_14() {
        let activity = TouchQueue::new();
        let touch = Touch { root: crate::session::SessionId::from_bytes([0; 32]), at: Default::default() };
        assert_eq!((0..2 * QUEUE).filter(|_| activity.note(touch)).count(), QUEUE);
        assert_eq!(activity.drain().len(), QUEUE);
        assert!(activity.note(touch));
    }
}
