//! What a client is told before its answer (RFC 9110, section 15.2).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Response;

/// Bytes of interim answers that wait to be written. Beyond, they are dropped: who does not read is told less, and
/// costs no more memory (invariant 14).
const MOST: usize = 64 * 1024;

/// What an answer counts for beside its fields, and a field beside its text, in bytes.
const REST: usize = 64;

/// Interim answers to the request that a connection carries at the moment, from whoever forwards it to whoever
/// writes to the client. One that nobody has sent costs a look at a flag.
#[derive(Clone, Debug, Default)]
pub struct InterimAnswers(Arc<WaitingAnswers>);

#[derive(Debug, Default)]
struct WaitingAnswers {
    any: AtomicBool,
    queue: Mutex<AnswerQueue>,
}

#[derive(Debug, Default)]
struct AnswerQueue {
    answers: Vec<Response<()>>,
    size: usize,
}

impl InterimAnswers {
    /// Hands one on, to be written as soon as the client takes it. It holds nothing but what may go to the client.
    pub fn send(&self, answer: Response<()>) {
        let mut queue = self.lock();
        let size = queue.size + size(&answer);
        if mutant!(size <= MOST, "interim-answers-without-bound" => true) {
            queue.answers.push(answer);
            queue.size = size;
            self.0.any.store(true, Ordering::Release);
        }
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.0.any.load(Ordering::Acquire)
    }

    /// All that wait, in their order.
    pub fn take(&self) -> Vec<Response<()>> {
        if self.is_empty() {
            return Vec::new();
        }
        // Before the queue is emptied: an answer that comes in between sets it again, and is at worst looked for in vain.
        self.0.any.store(false, Ordering::Release);
        std::mem::take(&mut *self.lock()).answers
    }

    fn lock(&self) -> MutexGuard<'_, AnswerQueue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(answer: &Response<()>) -> usize {
    let fields = answer.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + REST);
    fields.sum::<usize>() + REST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_14_a_client_that_does_not_read_holds_only_so_many() {
        let interim = InterimAnswers::default();
        let answer = || Response::builder().header("link", "x".repeat(1000)).body(()).unwrap();
        (0..1000).for_each(|_| interim.send(answer()));
        let held: usize = interim.take().iter().map(|answer| answer.headers()["link"].len()).sum();
        assert!(held <= MOST && held > MOST / 2, "{held}");
        assert!(interim.take().is_empty());
        interim.send(answer());
        assert_eq!(interim.take().len(), 1, "there is room again");
    }
}
