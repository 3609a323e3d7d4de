//! The trace of one request: the one that a trusted proxy says it belongs to, or a new one.

use http::{HeaderMap, HeaderValue};

use super::{Sampler, SpanId, TRACEPARENT, TRACESTATE, TraceIds, TraceParent, state};

/// Which trace a request belongs to, and where in it.
#[derive(Clone, Debug)]
pub struct RequestTrace {
    /// What the app is told to be below: the gateway's own span, or the proxy's where the gateway makes none.
    pub own: TraceParent,
    /// The proxy's span, where the gateway's is below it.
    pub parent: Option<SpanId>,
    /// What a stranger says it belongs to. It is told beside, and decides nothing.
    pub claimed: Option<TraceParent>,
    state: Option<HeaderValue>,
}

impl RequestTrace {
    /// Tells the app, whose head says nothing of traces any more.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(TRACEPARENT, self.own.value());
        if let Some(state) = &self.state {
            headers.insert(TRACESTATE, state.clone());
        }
    }
}

/// Says of each request which trace it belongs to.
#[derive(Debug, Default)]
pub struct Tracer(Option<(TraceIds, Sampler)>);

impl Tracer {
    /// Makes spans for all requests, and a trace for each that has none; `sampler` says which of those are recorded.
    #[must_use]
    pub fn new(sampler: Sampler) -> Self {
        Self(Some((TraceIds::random(), sampler)))
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
        let Some((ids, sampler)) = &self.0 else {
            return said.map(|own| RequestTrace {
                own,
                parent: None,
                claimed: None,
                state: state::of(headers),
            });
        };
        let (trace, span) = ids.next();
        Some(match said.filter(|_| believed) {
            Some(said) => RequestTrace {
                own: TraceParent { span, ..said },
                parent: Some(said.span),
                claimed: None,
                state: state::of(headers),
            },
            None => {
                let sampled = mutant!(
                    sampler.takes(trace),
                    "sampling-forced-from-outside" => said.map_or(sampler.takes(trace), |said| said.sampled)
                );
                let own = TraceParent { trace, span, sampled };
                RequestTrace { own, parent: None, claimed: said, state: None }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

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
        let (never, always) = (Tracer::new(Sampler::new(0.0)), Tracer::new(Sampler::new(1.0)));
        let trace = never.trace(&head(SAMPLED), true).unwrap();
        assert_eq!(trace.own.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(trace.parent.unwrap().to_string(), "b7ad6b7169203331");
        assert!(trace.own.sampled && trace.claimed.is_none() && Some(trace.own.span) != trace.parent);
        assert_eq!(told(&trace).1.as_deref(), Some("a=1"));
        assert!(!always.trace(&head(UNSAMPLED), true).unwrap().own.sampled);
    }

    #[test]
    fn a_stranger_is_told_beside_and_decides_nothing() {
        let (never, always) = (Tracer::new(Sampler::new(0.0)), Tracer::new(Sampler::new(1.0)));
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
    fn what_a_proxy_says_wrongly_begins_a_new_trace() {
        let tracer = Tracer::new(Sampler::new(1.0));
        let trace = tracer.trace(&head("00-0-0-01"), true).unwrap();
        assert!(trace.parent.is_none() && trace.claimed.is_none() && told(&trace).1.is_none());
    }
}
