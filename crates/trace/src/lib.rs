//! Which trace a request belongs to (W3C Trace Context), whether it is recorded, and the spans of those that are.
//!
//! Nothing here waits for anybody. A request that is not recorded pays a look at whether it is.

#[macro_use(mutant)]
extern crate portcullis_rules;

mod context;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod ids;
mod queue;
mod recording;
mod request;
mod sampler;
mod span;
mod state;

pub use context::{Digits, SpanId, TraceId, TraceParent};
pub use ids::TraceIds;
pub use queue::TraceQueue;
pub use recording::{OpenSpan, Recording, ServerSpan, span, within};
pub use request::{RequestTrace, TraceMaker, Tracer};
pub use sampler::Sampler;
pub use span::{AttributeValue, Attributes, FinishedTrace, Span, SpanKind};

use http::HeaderName;

/// The field that says which trace a request belongs to.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The field in which systems of tracing keep what is theirs.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
