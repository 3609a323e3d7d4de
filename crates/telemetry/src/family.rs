//! What is measured, as data: gathered once, then written as either text or sent elsewhere.

use std::time::Duration;

use portcullis_rules::clock::Moment;
use portcullis_trace::TraceId;

/// Names and values of labels.
pub type Labels = Vec<(&'static str, String)>;

/// All values of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Its name without the prefix of the program, and without what the kind of its values adds.
    pub name: &'static str,
    /// What it means; no full stop.
    pub help: &'static str,
    /// Its values, each with its labels.
    pub points: Points,
}

/// The values of a metric, by their kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Points {
    /// Numbers that only grow.
    Counter(Vec<(Labels, f64)>),
    /// Values as they are at the moment.
    Gauge(Vec<(Labels, f64)>),
    /// Counts by size.
    Histogram(Vec<(Labels, Histogram)>),
}

/// How often something was how large.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// From the smallest to the largest; the last one has no bound.
    pub buckets: Vec<Bucket>,
    /// The sum of all that was counted.
    pub sum: f64,
}

/// What was counted between two bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// The upper bound, which belongs to it; infinite for the last one.
    pub bound: f64,
    /// How often, without the buckets before it.
    pub count: u64,
    /// The latest that belongs to a trace which is recorded.
    pub example: Option<Example>,
}

/// One of those that were counted, and where more is told of it. OpenMetrics calls it an exemplar; what it is named by is
/// shorter than the 128 letters that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// The trace.
    pub trace: TraceId,
    /// How long it took.
    pub took: Duration,
    /// When it was counted.
    pub at: Moment,
}

impl Family {
    /// The name with the prefix of the program.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("portcullis_{}", self.name)
    }

    /// The unit of its values, which its name ends with.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        self.name.ends_with("_seconds").then_some("seconds")
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.points {
            Points::Counter(values) | Points::Gauge(values) => values.is_empty(),
            Points::Histogram(values) => values.is_empty(),
        }
    }
}

/// A count as the value of a metric.
#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
pub(super) const fn as_value(count: u64) -> f64 {
    count as f64
}
