//! Traces as `ExportTraceServiceRequest`.

use super::common::{attribute, export, nanos, number, text};
use super::protobuf::Message;
use crate::trace::{AttributeValue, FinishedTrace, Span, SpanKind, TraceId, TraceParent};

/// `STATUS_CODE_ERROR`.
const ERROR: u64 = 2;
/// That the trace is recorded, as `traceparent` says it.
const SAMPLED: u32 = 1;

pub(super) fn message(instance: &str, traces: &[FinishedTrace]) -> Message {
    let spans = traces.iter().flat_map(|trace| trace.spans.iter().map(|span| of_span(trace.trace, span)));
    export(instance, spans)
}

fn of_span(trace: TraceId, span: &Span) -> Message {
    let mut message = Message::default();
    message.bytes(1, &trace.bytes());
    message.bytes(2, &span.id.bytes());
    span.parent.iter().for_each(|parent| message.bytes(4, &parent.bytes()));
    message.bytes(5, span.name.as_bytes());
    message.number(6, kind(span.kind));
    message.fixed64(7, nanos(span.start.micros()));
    message.fixed64(8, nanos(span.end.micros()));
    for (name, value) in &span.attributes {
        let value = match value {
            AttributeValue::Text(value) => text(value),
            AttributeValue::Number(value) => number(*value),
        };
        message.message(9, &attribute(name, &value));
    }
    span.link.iter().for_each(|link| message.message(13, &of_link(link)));
    if let Some(why) = &span.failed {
        let mut status = Message::default();
        status.bytes(2, why.as_bytes());
        status.number(3, ERROR);
        message.message(15, &status);
    }
    message.fixed32(16, SAMPLED);
    message
}

fn of_link(link: &TraceParent) -> Message {
    let mut message = Message::default();
    message.bytes(1, &link.trace.bytes());
    message.bytes(2, &link.span.bytes());
    message
}

const fn kind(kind: SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
    }
}
