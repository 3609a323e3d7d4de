//! Traces that are over, on their way to whoever takes them: bounded, and no request ever waits.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::span::FinishedTrace;

/// Where recorded traces wait. Clones are one queue.
#[derive(Clone, Debug)]
pub struct TraceQueue(Arc<Waiting>);

#[derive(Debug)]
struct Waiting {
    /// Whether somebody takes them.
    wanted: AtomicBool,
    /// Spans at most.
    bound: usize,
    traces: Mutex<(VecDeque<FinishedTrace>, usize)>,
    /// Spans for which there was no room.
    lost: AtomicU64,
}

impl TraceQueue {
    /// One for so many spans, of which nobody wants any yet.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        let (wanted, traces, lost) = (AtomicBool::new(false), Mutex::default(), AtomicU64::new(0));
        Self(Arc::new(Waiting { wanted, bound, traces, lost }))
    }

    /// Says whether somebody takes traces from now on; where nobody does, those that wait go.
    pub fn want(&self, wanted: bool) {
        self.0.wanted.store(wanted, Relaxed);
        if !wanted {
            *self.0.traces.lock().unwrap_or_else(PoisonError::into_inner) = Default::default();
        }
    }

    /// Whether somebody takes them.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.0.wanted.load(Relaxed)
    }

    /// Puts a trace in, where there is room; otherwise it is lost, and counted.
    pub fn put(&self, trace: FinishedTrace) {
        let count = trace.spans.len();
        let mut traces = self.0.traces.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_wanted() {
            return;
        }
        if traces.1 + count > self.0.bound {
            self.0.lost.fetch_add(count as u64, Relaxed);
            return;
        }
        traces.0.push_back(trace);
        traces.1 += count;
    }

    /// Takes the oldest traces, of so many spans at most, and one in any case.
    #[must_use]
    pub fn take(&self, most: usize) -> Vec<FinishedTrace> {
        let mut traces = self.0.traces.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut taken, mut count) = (Vec::new(), 0);
        while let Some(next) = traces.0.front().map(|next| next.spans.len()) {
            if count > 0 && count + next > most {
                break;
            }
            count += next;
            taken.extend(traces.0.pop_front());
        }
        traces.1 -= count;
        taken
    }

    /// Spans that were lost for want of room, since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_rules::clock::Moment;

    use super::*;
    use crate::{Span, SpanId, SpanKind, TraceId};

    fn trace(spans: usize) -> FinishedTrace {
        let span = Span {
            name: "a".into(),
            kind: SpanKind::Server,
            id: SpanId::new([1; 8]).unwrap(),
            parent: None,
            start: Moment::default(),
            end: Moment::default(),
            attributes: Vec::new(),
            failed: None,
            link: None,
        };
        FinishedTrace { trace: TraceId::new([1; 16]).unwrap(), spans: vec![span; spans] }
    }

    #[test]
    fn what_finds_no_room_is_lost_and_counted() {
        let queue = TraceQueue::new(10);
        queue.put(trace(4));
        assert!(queue.take(100).is_empty() && queue.lost() == 0, "nobody wants any");
        queue.want(true);
        [4, 4, 4].map(trace).into_iter().for_each(|trace| queue.put(trace));
        assert_eq!((queue.take(5).len(), queue.lost()), (1, 4));
        queue.put(trace(6));
        assert_eq!((queue.take(1).len(), queue.take(100).len(), queue.lost()), (1, 1, 4));
    }

    #[test]
    fn where_nobody_takes_them_any_more_they_go() {
        let queue = TraceQueue::new(10);
        queue.want(true);
        queue.put(trace(10));
        queue.want(false);
        queue.want(true);
        queue.put(trace(10));
        assert_eq!((queue.take(100).len(), queue.lost()), (1, 0));
    }
}
