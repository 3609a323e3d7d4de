//! The trace of one request: the one that a trusted proxy says it belongs to, or a new one.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use portcullis_rules::clock::Clock;

use super::{Recording, Sampler, SpanId, TRACEPARENT, TRACESTATE, TraceIds, TraceParent, TraceQueue, state};

/// Which trace a request belongs to, and where in it.
#[derive(Clone, Debug)]
pub struct RequestTrace {
    /// What the app is told to be below: the gateway's own span, or the proxy's where the gateway makes none.
    pub own: TraceParent,
    /// The proxy's span, where the gateway's is below it.
    pub parent: Option<SpanId>,
    /// What a stranger says it belongs to. It is told beside, and decides nothing.
    pub claimed: Option<TraceParent>,
    /// Its spans, where they are recorded.
    pub recording: Option<Arc<Recording>>,
    state: Option<HeaderValue>,
}

impl RequestTrace {
    /// The same for what is below a span of the gateway's.
    #[must_use]
    pub fn below(&self, span: SpanId) -> Self {
        Self { own: TraceParent { span, ..self.own }, ..self.clone() }
    }

    /// Tells the app, whose head says nothing of traces any more.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(TRACEPARENT, self.own.value());
        if let Some(state) = &self.state {
            headers.insert(TRACESTATE, state.clone());
        }
    }
}

/// What makes traces: it outlives a configuration. Clones make the same.
#[derive(Clone, Debug)]
pub struct TraceMaker {
    ids: Arc<TraceIds>,
    clock: Clock,
    /// Where traces go that are recorded.
    queue: TraceQueue,
}

impl TraceMaker {
    /// One whose recorded traces wait to be taken, so many spans of them.
    #[must_use]
    pub fn new(clock: Clock, bound: usize) -> Self {
        Self { ids: Arc::new(TraceIds::random()), clock, queue: TraceQueue::new(bound) }
    }

    /// Where recorded traces wait.
    #[must_use]
    pub const fn queue(&self) -> &TraceQueue {
        &self.queue
    }

    /// Begins to record, where somebody takes what is recorded.
    fn record(&self, own: TraceParent) -> Option<Arc<Recording>> {
        let wanted = own.sampled && self.queue.is_wanted();
        wanted.then(|| Recording::begin(own, Arc::clone(&self.ids), self.clock.clone()))
    }
}

/// Says of each request which trace it belongs to.
#[derive(Debug, Default)]
pub struct Tracer(Option<(TraceMaker, Sampler)>);

impl Tracer {
    /// Makes spans for all requests, and a trace for each that has none; `sampler` says which of those are recorded.
    #[must_use]
    pub fn new(sampler: Sampler, maker: &TraceMaker) -> Self {
        Self(Some((maker.clone(), sampler)))
    }

    /// Makes nothing: what a trusted proxy says is passed on.
    #[must_use]
    pub const fn passing() -> Self {
        Self(None)
    }

    /// The trace of a request with this head. A proxy that is trusted says which one it is, and whether it is recorded; a
    /// stranger could force or silence the recording, and lead into somebody else's trace.
    pub fn trace(&self, headers: &HeaderMap, trusted: bool) -> Option<RequestTrace> {
        let believed = mutant!(trusted, "trace-context-of-a-stranger" => true);
        if self.0.is_none() && !believed {
            return None;
        }
        let said = TraceParent::of(headers);
        let Some((maker, sampler)) = &self.0 else {
            let state = said.and_then(|_| state::of(headers));
            return said.map(|own| RequestTrace { own, parent: None, claimed: None, recording: None, state });
        };
        let (trace, span) = maker.ids.next();
        let (own, parent, claimed) = match said.filter(|_| believed) {
            Some(said) => (TraceParent { span, ..said }, Some(said.span), None),
            None => {
                let sampled = mutant!(
                    sampler.takes(trace),
                    "sampling-forced-from-outside" => said.map_or(sampler.takes(trace), |said| said.sampled)
                );
                (TraceParent { trace, span, sampled }, None, said)
            }
        };
        let state = parent.and_then(|_| state::of(headers));
        Some(RequestTrace { own, parent, claimed, recording: maker.record(own), state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    fn tracer(share: f64) -> Tracer {
        Tracer::new(Sampler::new(share), &TraceMaker::new(Clock::system(), 100))
    }

    fn head(parent: &'static str) -> HeaderMap {
        let field = |name, value| (name, HeaderValue::from_static(value));
        HeaderMap::from_iter([field(TRACEPARENT, parent), field(TRACESTATE, "a=1")])
    }

    fn told(trace: &RequestTrace) -> (String, Option<String>) {
        let mut headers = HeaderMap::new();
        trace.write(&mut headers);
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (text(TRACEPARENT).unwrap(), text(TRACESTATE))
    }

    #[test]
    fn a_trusted_proxy_says_which_trace_and_whether_it_is_recorded() {
        let (never, always) = (tracer(0.0), tracer(1.0));
        let trace = never.trace(&head(SAMPLED), true).unwrap();
        assert_eq!(trace.own.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(trace.parent.unwrap().to_string(), "b7ad6b7169203331");
        assert!(trace.own.sampled && trace.claimed.is_none() && Some(trace.own.span) != trace.parent);
        assert_eq!(told(&trace).1.as_deref(), Some("a=1"));
        assert!(!always.trace(&head(UNSAMPLED), true).unwrap().own.sampled);
    }

    #[test]
    fn a_stranger_is_told_beside_and_decides_nothing() {
        let (never, always) = (tracer(0.0), tracer(1.0));
        for (tracer, parent, sampled) in [(&never, SAMPLED, false), (&always, UNSAMPLED, true)] {
            let trace = tracer.trace(&head(parent), false).unwrap();
            let claimed = trace.claimed.unwrap();
            assert_eq!(claimed.value(), parent);
            assert_ne!(trace.own.trace, claimed.trace);
            assert_eq!((trace.own.sampled, trace.parent, told(&trace).1), (sampled, None, None));
        }
    }

    #[test]
    fn where_no_spans_are_made_a_proxys_context_is_passed_on_and_a_strangers_is_not() {
        let tracer = Tracer::passing();
        let trace = tracer.trace(&head(SAMPLED), true).unwrap();
        assert_eq!(told(&trace), (SAMPLED.to_owned(), Some("a=1".to_owned())));
        assert!(tracer.trace(&head(SAMPLED), false).is_none());
        assert!(tracer.trace(&head("nonsense"), true).is_none());
        assert!(tracer.trace(&HeaderMap::new(), true).is_none());
    }

    #[test]
    fn what_is_sampled_is_recorded_where_somebody_takes_it() {
        let maker = TraceMaker::new(Clock::system(), 100);
        let recorded = |share: f64| {
            let tracer = Tracer::new(Sampler::new(share), &maker);
            tracer.trace(&HeaderMap::new(), false).unwrap().recording.is_some()
        };
        assert!(!recorded(1.0));
        maker.queue().want(true);
        assert!(recorded(1.0) && !recorded(0.0));
    }

    #[test]
    fn what_a_proxy_says_wrongly_begins_a_new_trace() {
        let tracer = tracer(1.0);
        let trace = tracer.trace(&head("00-0-0-01"), true).unwrap();
        assert!(trace.parent.is_none() && trace.claimed.is_none() && told(&trace).1.is_none());
    }
}
