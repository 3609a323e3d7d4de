//! What is measured as `ExportMetricsServiceRequest`. Names are such that a collector which makes metrics for Prometheus of
//! them gives them the names that `/metrics` has.

use portcullis_telemetry::{Example, Family, Histogram, Labels, Points};

use super::common::{attribute, export, nanos, text};
use super::protobuf::Message;

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`: since the start.
const CUMULATIVE: u64 = 2;

/// From when to when it was counted, in nanoseconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Period {
    pub(super) start: u64,
    pub(super) now: u64,
}

pub(super) fn message(instance: &str, families: &[Family], period: Period) -> Message {
    let told = families.iter().filter(|family| !family.is_empty());
    export(instance, told.map(|family| of_family(family, period)))
}

fn of_family(family: &Family, period: Period) -> Message {
    let (name, mut metric) = (family.full_name(), Message::default());
    let name = family.unit().and_then(|unit| name.strip_suffix(unit)?.strip_suffix('_')).unwrap_or(&name);
    metric.bytes(1, name.as_bytes());
    metric.bytes(2, family.help.as_bytes());
    family.unit().iter().for_each(|_| metric.bytes(3, b"s"));
    let mut data = Message::default();
    match &family.points {
        Points::Counter(values) => {
            values.iter().for_each(|(labels, value)| data.message(1, &of_number(labels, *value, period)));
            data.number(2, CUMULATIVE);
            data.number(3, 1); // it never falls
            metric.message(7, &data);
        }
        Points::Gauge(values) => {
            values.iter().for_each(|(labels, value)| data.message(1, &of_number(labels, *value, period)));
            metric.message(5, &data);
        }
        Points::Histogram(values) => {
            values.iter().for_each(|(labels, value)| data.message(1, &of_histogram(labels, value, period)));
            data.number(2, CUMULATIVE);
            metric.message(9, &data);
        }
    }
    metric
}

fn of_number(labels: &Labels, value: f64, period: Period) -> Message {
    let mut point = Message::default();
    point.fixed64(2, period.start);
    point.fixed64(3, period.now);
    point.double(4, value);
    labels.iter().for_each(|(name, value)| point.message(7, &attribute(name, &text(value))));
    point
}

fn of_histogram(labels: &Labels, value: &Histogram, period: Period) -> Message {
    let mut point = Message::default();
    point.fixed64(2, period.start);
    point.fixed64(3, period.now);
    point.fixed64(4, value.buckets.iter().map(|bucket| bucket.count).sum());
    point.double(5, value.sum);
    point.packed(6, value.buckets.iter().map(|bucket| bucket.count));
    // The last bucket has no bound.
    let bounds = value.buckets.iter().map(|bucket| bucket.bound).filter(|bound| bound.is_finite());
    point.packed(7, bounds.map(f64::to_bits));
    let examples = value.buckets.iter().filter_map(|bucket| bucket.example);
    examples.for_each(|example| point.message(8, &of_example(&example)));
    labels.iter().for_each(|(name, value)| point.message(9, &attribute(name, &text(value))));
    point
}

fn of_example(example: &Example) -> Message {
    let mut message = Message::default();
    message.fixed64(2, nanos(example.at.micros()));
    message.double(3, example.took.as_secs_f64());
    message.bytes(5, &example.trace.bytes());
    message
}
