//! Spans: what one party did, from when to when, and what is to be known of it.

use std::borrow::Cow;

use portcullis_rules::clock::Moment;

use super::{SpanId, TraceId, TraceParent};

/// What a span is in the eyes of its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// Something that happens inside.
    Internal,
    /// A request that is answered.
    Server,
    /// A request that is sent.
    Client,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// Text.
    Text(Cow<'static, str>),
    /// A whole number.
    Number(i64),
}

/// Names, by the semantic conventions of OpenTelemetry where those have one, and values.
pub type Attributes = Vec<(&'static str, AttributeValue)>;

/// One span, over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What was done; not what it was done to.
    pub name: Cow<'static, str>,
    /// What it is for its neighbours.
    pub kind: SpanKind,
    /// Its identifier.
    pub id: SpanId,
    /// The span that it is a part of.
    pub parent: Option<SpanId>,
    /// When it began.
    pub start: Moment,
    /// When it was over; not before it began.
    pub end: Moment,
    /// What is to be known of it.
    pub attributes: Attributes,
    /// Why it failed, in a word.
    pub failed: Option<Cow<'static, str>>,
    /// What a stranger says it belongs to.
    pub link: Option<TraceParent>,
}

/// What one request has left of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedTrace {
    /// The trace.
    pub trace: TraceId,
    /// Its spans; that of the whole request last.
    pub spans: Vec<Span>,
}

impl From<&'static str> for AttributeValue {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u16> for AttributeValue {
    fn from(number: u16) -> Self {
        Self::Number(i64::from(number))
    }
}
