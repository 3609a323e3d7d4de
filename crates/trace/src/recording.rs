//! The spans of a request while it is under way. Whatever does a part of it opens a span, which is nothing where the request
//! is not recorded: nobody has to be handed anything.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portcullis_rules::clock::{Clock, Moment};

use super::span::{AttributeValue, Attributes, FinishedTrace, Span, SpanKind};
use super::{SpanId, TraceIds, TraceParent};

/// Spans of one request at most, its own not counted: a request that makes more calls is not told whole.
const MOST: usize = 63;

thread_local! {
    /// The request that this thread works for at the moment, where that is recorded.
    static CURRENT: RefCell<Option<Arc<Recording>>> = const { RefCell::new(None) };
}

/// The spans of one request.
#[derive(Debug)]
pub struct Recording {
    own: TraceParent,
    ids: Arc<TraceIds>,
    clock: Clock,
    /// When it began: by the clock of the machine, and by one that is never set back.
    began: (Moment, Duration),
    spans: Mutex<Spans>,
}

#[derive(Debug)]
struct Spans {
    /// Those that are over; none where the request itself is.
    over: Option<Vec<Span>>,
    /// The one that is under way and has begun last.
    current: SpanId,
}

/// What is known of a request once it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSpan {
    /// What was asked for: a method and a route.
    pub name: String,
    /// The span that it is a part of.
    pub parent: Option<SpanId>,
    /// What is to be known of it.
    pub attributes: Attributes,
    /// Why it failed, in a word.
    pub failed: Option<Cow<'static, str>>,
    /// What a stranger says it belongs to.
    pub link: Option<TraceParent>,
}

impl Recording {
    /// Begins with the request, whose span is `own`.
    #[must_use]
    pub fn begin(own: TraceParent, ids: Arc<TraceIds>, clock: Clock) -> Arc<Self> {
        let began = (clock.moment(), clock.monotonic());
        let spans = Mutex::new(Spans { over: Some(Vec::new()), current: own.span });
        Arc::new(Self { own, ids, clock, began, spans })
    }

    /// All of it, once the request is over; none where that has been told already. What goes on behind it is not told.
    pub fn finish(&self, request: ServerSpan) -> Option<FinishedTrace> {
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner).over.take()?;
        spans.push(Span {
            name: Cow::Owned(request.name),
            kind: SpanKind::Server,
            id: self.own.span,
            parent: request.parent,
            start: self.began.0,
            end: self.now(),
            attributes: request.attributes,
            failed: request.failed,
            link: request.link,
        });
        Some(FinishedTrace { trace: self.own.trace, spans })
    }

    /// Now, on a clock that began with the request and is not set back while it lasts.
    fn now(&self) -> Moment {
        let passed = self.clock.monotonic().saturating_sub(self.began.1);
        Moment::from_micros(self.began.0.micros() + u64::try_from(passed.as_micros()).unwrap_or(u64::MAX / 2))
    }

    fn open(self: Arc<Self>, name: &'static str, kind: SpanKind) -> OpenSpan {
        let (id, start) = (self.ids.next_span(), self.now());
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        let parent = std::mem::replace(&mut spans.current, id);
        drop(spans);
        let span = Span {
            name: Cow::Borrowed(name),
            kind,
            id,
            parent: Some(parent),
            start,
            end: start,
            attributes: Vec::new(),
            failed: None,
            link: None,
        };
        OpenSpan(Some(Box::new((self, span))))
    }

    fn close(&self, mut span: Span) {
        span.end = self.now();
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parent) = span.parent.filter(|_| spans.current == span.id) {
            spans.current = parent;
        }
        let over = mutant!(spans.over.as_mut(), "span-after-end" => Some(spans.over.get_or_insert_default()));
        if let Some(over) = over.filter(|over| over.len() < MOST) {
            over.push(span);
        }
    }
}

/// Does a step of a request's work: the spans that are opened meanwhile are its own. Without a recording that is nothing but
/// the step.
pub fn within<T>(recording: Option<&Arc<Recording>>, step: impl FnOnce() -> T) -> T {
    let Some(recording) = recording else { return step() };
    let before = CURRENT.replace(Some(Arc::clone(recording)));
    let _left = Left(before);
    step()
}

/// Puts back which request the thread works for, however the step ends.
struct Left(Option<Arc<Recording>>);

impl Drop for Left {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// A span that is under way, and ends when it is dropped; nothing where the request is not recorded.
#[derive(Debug)]
#[must_use]
pub struct OpenSpan(Option<Box<(Arc<Recording>, Span)>>);

/// Opens a span of the request that this thread works for.
pub fn span(name: &'static str, kind: SpanKind) -> OpenSpan {
    let current = CURRENT.with_borrow(Clone::clone);
    current.map_or(OpenSpan(None), |recording| recording.open(name, kind))
}

impl OpenSpan {
    /// What others are to be told that they are below.
    #[must_use]
    pub fn id(&self) -> Option<SpanId> {
        self.0.as_ref().map(|open| open.1.id)
    }

    /// Says something of it. The value is made only where it is told.
    pub fn attribute<V: Into<AttributeValue>>(&mut self, name: &'static str, value: impl FnOnce() -> V) {
        if let Some(open) = &mut self.0 {
            open.1.attributes.push((name, value().into()));
        }
    }

    /// Says that it failed, and why, in a word.
    pub fn failed(&mut self, why: &'static str) {
        if let Some(open) = &mut self.0 {
            open.1.failed = Some(Cow::Borrowed(why));
        }
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            let (recording, span) = *open;
            recording.close(span);
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_rules::clock::Timestamp;

    use super::*;

    fn recording(clock: &Clock) -> Arc<Recording> {
        let ids = Arc::new(TraceIds::random());
        let (trace, span) = ids.next();
        Recording::begin(TraceParent { trace, span, sampled: true }, ids, clock.clone())
    }

    fn clock() -> Clock {
        Clock::manual(Timestamp::from_seconds(1_800_000_000))
    }

    fn request() -> ServerSpan {
        ServerSpan { name: "GET wiki".into(), parent: None, attributes: Vec::new(), failed: None, link: None }
    }

    #[test]
    fn spans_stand_in_one_another_and_within_their_request() {
        let clock = clock();
        let recording = recording(&clock);
        within(Some(&recording), || {
            clock.advance(Duration::from_millis(1));
            let mut outer = span("authentication", SpanKind::Internal);
            outer.attribute("a", || "b");
            {
                let mut inner = span("store", SpanKind::Client);
                clock.advance(Duration::from_millis(2));
                inner.failed("away");
            }
            drop(outer);
            drop(span("policy", SpanKind::Internal));
        });
        clock.advance(Duration::from_millis(1));
        let told = recording.finish(request()).unwrap();
        let [store, authentication, policy, whole] = told.spans.as_slice() else { panic!("{told:?}") };
        assert_eq!((whole.name.as_ref(), whole.id, whole.parent), ("GET wiki", recording.own.span, None));
        assert_eq!([authentication.parent, policy.parent], [Some(whole.id); 2]);
        assert_eq!((store.parent, store.failed.as_deref()), (Some(authentication.id), Some("away")));
        assert_eq!(authentication.attributes, [("a", "b".into())]);
        let took = |span: &Span| span.end.micros() - span.start.micros();
        assert_eq!([store, authentication, policy, whole].map(took), [2_000, 2_000, 0, 4_000]);
        assert!(told.spans.iter().all(|span| span.start >= whole.start && span.end <= whole.end));
    }

    #[test]
    fn what_ends_behind_its_request_is_not_told() {
        let recording = recording(&clock());
        let late = within(Some(&recording), || span("late", SpanKind::Internal));
        assert_eq!(recording.finish(request()).unwrap().spans.len(), 1);
        drop(late);
        assert_eq!(recording.finish(request()), None);
    }

    #[test]
    fn without_a_recording_there_is_nothing() {
        let mut none = span("nothing", SpanKind::Internal);
        none.attribute("a", || -> &'static str { panic!("the value is not asked for") });
        assert_eq!((none.id(), within(None, || 7)), (None, 7));
    }

    #[test]
    fn a_thread_works_for_one_request_at_a_time_and_for_none_afterwards() {
        let clock = clock();
        let (one, other) = (recording(&clock), recording(&clock));
        within(Some(&one), || {
            within(Some(&other), || drop(span("b", SpanKind::Internal)));
            drop(span("a", SpanKind::Internal));
        });
        assert!(span("c", SpanKind::Internal).id().is_none());
        let names = |recording: &Recording| {
            let told = recording.finish(request()).unwrap();
            told.spans.iter().map(|span| span.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            (names(&one), names(&other)),
            (vec!["a".into(), "GET wiki".into()], vec!["b".into(), "GET wiki".into()])
        );
    }

    #[test]
    fn the_spans_of_one_request_have_a_bound() {
        let recording = recording(&clock());
        within(Some(&recording), || (0..1_000).for_each(|_| drop(span("again", SpanKind::Internal))));
        assert_eq!(recording.finish(request()).unwrap().spans.len(), MOST + 1);
    }
}
