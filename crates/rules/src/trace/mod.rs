//! Which trace a request belongs to (W3C Trace Context), and whether that trace is looked at closely.

mod context;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod ids;
mod request;
mod sampler;
mod state;

pub use context::{Digits, SpanId, TraceId, TraceParent};
pub use ids::TraceIds;
pub use request::{RequestTrace, Tracer};
pub use sampler::Sampler;

use http::HeaderName;

/// The field that says which trace a request belongs to.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The field in which systems of tracing keep what is theirs.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
