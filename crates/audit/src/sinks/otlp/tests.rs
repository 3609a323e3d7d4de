//! What is written, read by messages that the OpenTelemetry project has made from its own definitions: two hands know the
//! numbers of fields.

#![allow(clippy::unwrap_used, clippy::panic, reason = "it is a test")]

use std::collections::BTreeMap;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::metrics::v1::{exemplar, metric, number_data_point};
use opentelemetry_proto::tonic::resource::v1::Resource;
use portcullis_events::{Field, Kind, Recorder, samples};
use portcullis_telemetry::{Bucket, Example, Family, Histogram, Points};
use prost::Message as _;

use super::metrics::Period;
use super::{logs, metrics, protobuf, traces};
use crate::clock::{Clock, Moment, Timestamp};
use crate::trace::{FinishedTrace, Span, SpanId, SpanKind, TraceId, TraceParent};

fn trace_id() -> TraceId {
    TraceId::new(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes()).unwrap()
}

fn span_id(byte: u8) -> SpanId {
    SpanId::new([byte; 8]).unwrap()
}

fn said(attributes: &[KeyValue]) -> BTreeMap<String, Any> {
    let said = |pair: &KeyValue| (pair.key.clone(), pair.value.clone().unwrap().value.unwrap());
    attributes.iter().map(said).collect()
}

fn text(value: &str) -> Any {
    Any::StringValue(value.to_owned())
}

fn of_us(resource: Option<&Resource>) {
    let said = said(&resource.unwrap().attributes);
    assert_eq!((said.len(), &said["service.name"]), (3, &text("portcullis")));
    assert_eq!(said["service.instance.id"], text("9f2c41d07ab3"));
}

#[test]
fn spans_are_read_as_they_were_written() {
    let span = |id: u8, parent: Option<u8>, kind| Span {
        name: "GET wiki".into(),
        kind,
        id: span_id(id),
        parent: parent.map(span_id),
        start: Moment::from_micros(1_800_000_000_000_001),
        end: Moment::from_micros(1_800_000_000_000_003),
        attributes: vec![("http.route", "wiki".into()), ("http.response.status_code", 502_u16.into())],
        failed: None,
        link: None,
    };
    let link = Some(TraceParent { trace: trace_id(), span: span_id(9), sampled: false });
    let spans = vec![
        Span { failed: Some("refused".into()), ..span(2, Some(1), SpanKind::Client) },
        span(3, Some(1), SpanKind::Internal),
        Span { link, attributes: Vec::new(), ..span(1, None, SpanKind::Server) },
    ];
    let message = traces::message("9f2c41d07ab3", &[FinishedTrace { trace: trace_id(), spans }]);
    let request = ExportTraceServiceRequest::decode(&*message.into_bytes()).unwrap();
    let [of_resource] = request.resource_spans.as_slice() else { panic!("{request:?}") };
    of_us(of_resource.resource.as_ref());
    let [client, internal, server] = of_resource.scope_spans[0].spans.as_slice() else {
        panic!("{request:?}")
    };
    for span in [client, internal, server] {
        assert_eq!((span.trace_id.as_slice(), span.name.as_str()), (&trace_id().bytes()[..], "GET wiki"));
        assert_eq!(
            (span.start_time_unix_nano, span.end_time_unix_nano, span.flags),
            (1_800_000_000_000_001_000, 1_800_000_000_000_003_000, 1)
        );
    }
    assert_eq!([client.kind, internal.kind, server.kind], [3, 1, 2]);
    assert_eq!((client.span_id.as_slice(), client.parent_span_id.as_slice()), (&[2; 8][..], &[1; 8][..]));
    assert!(server.parent_span_id.is_empty() && server.attributes.is_empty());
    let attributes = said(&client.attributes);
    assert_eq!(attributes["http.route"], text("wiki"));
    assert_eq!(attributes["http.response.status_code"], Any::IntValue(502));
    let status = client.status.as_ref().unwrap();
    assert_eq!((status.code, status.message.as_str(), &server.status), (2, "refused", &None));
    assert_eq!((server.links[0].span_id.as_slice(), server.links[0].trace_id.len()), (&[9; 8][..], 16));
}

#[test]
fn metrics_are_read_as_they_were_written() {
    let wiki = || vec![("route", "wiki".to_owned())];
    let example = Example { trace: trace_id(), took: Duration::from_millis(2), at: Moment::from_micros(7) };
    let bucket = |bound, count, example| Bucket { bound, count, example };
    let buckets = vec![bucket(0.001, 0, None), bucket(0.5, 3, Some(example)), bucket(f64::INFINITY, 1, None)];
    let families = [
        Family { name: "requests", help: "Requests", points: Points::Counter(vec![(wiki(), 4.0)]) },
        Family { name: "age_seconds", help: "Age", points: Points::Gauge(vec![(Vec::new(), 1.5)]) },
        Family { name: "nothing", help: "Nothing", points: Points::Gauge(Vec::new()) },
        Family {
            name: "request_duration_seconds",
            help: "Time",
            points: Points::Histogram(vec![(wiki(), Histogram { buckets, sum: 31.5 })]),
        },
    ];
    let message = metrics::message("9f2c41d07ab3", &families, Period { start: 5, now: 6 });
    let request = ExportMetricsServiceRequest::decode(&*message.into_bytes()).unwrap();
    let [of_resource] = request.resource_metrics.as_slice() else { panic!("{request:?}") };
    of_us(of_resource.resource.as_ref());
    let [requests, age, duration] = of_resource.scope_metrics[0].metrics.as_slice() else {
        panic!("{request:?}")
    };
    let Some(metric::Data::Sum(sum)) = &requests.data else { panic!("{requests:?}") };
    assert_eq!((requests.name.as_str(), requests.unit.as_str()), ("portcullis_requests", ""));
    assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
    let point = &sum.data_points[0];
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (5, 6));
    assert_eq!(point.value, Some(number_data_point::Value::AsDouble(4.0)));
    assert_eq!(said(&point.attributes)["route"], text("wiki"));
    let Some(metric::Data::Gauge(gauge)) = &age.data else { panic!("{age:?}") };
    assert_eq!((age.name.as_str(), age.unit.as_str()), ("portcullis_age", "s"));
    assert_eq!(gauge.data_points[0].value, Some(number_data_point::Value::AsDouble(1.5)));
    let Some(metric::Data::Histogram(histogram)) = &duration.data else { panic!("{duration:?}") };
    let point = &histogram.data_points[0];
    assert_eq!(
        (duration.name.as_str(), histogram.aggregation_temporality),
        ("portcullis_request_duration", 2)
    );
    assert_eq!((point.count, point.sum), (4, Some(31.5)));
    assert_eq!((&point.bucket_counts, &point.explicit_bounds), (&vec![0, 3, 1], &vec![0.001, 0.5]));
    let exemplar = &point.exemplars[0];
    assert_eq!((exemplar.time_unix_nano, exemplar.trace_id.as_slice()), (7_000, &trace_id().bytes()[..]));
    assert_eq!(exemplar.value, Some(exemplar::Value::AsDouble(0.002)));
}

/// The lines of every kind, with all its fields.
fn lines() -> Vec<Vec<u8>> {
    let recorder = Recorder::new(0, Clock::manual(Timestamp::from_seconds(1_800_000_000)), 0);
    recorder.want(portcullis_events::KindSet::ALL, true);
    let mut lines = Vec::new();
    samples::full("0af7651916cd43dd8448eb211c80319c", &mut |event| {
        recorder.emit(event);
        recorder.sweep(|block| lines.push(block.text().trim_ascii_end().to_vec()));
    });
    lines
}

#[test]
fn every_kind_of_event_is_read_as_it_was_written() {
    let lines = lines();
    let message = logs::message("9f2c41d07ab3", lines.iter().map(Vec::as_slice), 77);
    let request = ExportLogsServiceRequest::decode(&*message.into_bytes()).unwrap();
    let [of_resource] = request.resource_logs.as_slice() else { panic!("{request:?}") };
    of_us(of_resource.resource.as_ref());
    let records = &of_resource.scope_logs[0].log_records;
    assert_eq!(records.len(), lines.len());
    assert!(records.len() >= Kind::TABLE.len());
    for (record, line) in records.iter().zip(&lines) {
        let json: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line).unwrap();
        assert_eq!(serde_json::Value::from(record.event_name.as_str()), json["type"]);
        assert_eq!(
            (record.time_unix_nano, record.observed_time_unix_nano),
            (1_800_000_000_000_000_000, 77_000)
        );
        let attributes = said(&record.attributes);
        for (name, value) in
            json.iter().filter(|(name, _)| !["v", "time", "type", "trace"].contains(&name.as_str()))
        {
            let row = Field::TABLE.iter().find(|row| row.name == name).unwrap();
            let told = row.otel.map_or_else(|| format!("portcullis.{name}"), str::to_owned);
            // OTLP has no larger number.
            let expected = match value.as_u64() {
                Some(number) => number.min(i64::MAX as u64).into(),
                None => value.clone(),
            };
            assert_eq!(as_json(&attributes[&told], value), expected, "{told}");
        }
        let trace = json.get("trace").map(|_| trace_id().bytes().to_vec()).unwrap_or_default();
        assert_eq!(record.trace_id, trace, "{json:?}");
    }
}

/// The value of an attribute as the line has it.
fn as_json(value: &Any, like: &serde_json::Value) -> serde_json::Value {
    match value {
        Any::StringValue(text) if !like.is_string() => serde_json::from_str(text).unwrap(),
        Any::StringValue(text) => text.as_str().into(),
        Any::BoolValue(flag) => (*flag).into(),
        Any::IntValue(number) => (*number).into(),
        Any::ArrayValue(list) => {
            list.values.iter().map(|value| as_json(value.value.as_ref().unwrap(), &"".into())).collect()
        }
        Any::DoubleValue(_) | Any::BytesValue(_) | Any::KvlistValue(_) | Any::StringValueStrindex(_) => {
            panic!("{value:?}")
        }
    }
}

#[test]
fn how_severe_an_event_is_goes_along() {
    let line =
        |word: &str| format!("{{\"v\":1,\"time\":\"2027-01-15T08:00:00.000001Z\",\"type\":\"{word}\"}}");
    let lines = [line("access.granted"), line("record.lost"), line("what.comes-later"), "no line".to_owned()];
    let message = logs::message("9f2c41d07ab3", lines.iter().map(String::as_bytes), 77);
    let request = ExportLogsServiceRequest::decode(&*message.into_bytes()).unwrap();
    let records = &request.resource_logs[0].scope_logs[0].log_records;
    let told: Vec<_> =
        records.iter().map(|record| (record.severity_number, record.severity_text.as_str())).collect();
    let level = |word: &str| match Kind::named(word).unwrap().row().level {
        portcullis_events::Level::Info => (9, "INFO"),
        portcullis_events::Level::Warn => (13, "WARN"),
        portcullis_events::Level::Error => (17, "ERROR"),
    };
    assert_eq!(told, [level("access.granted"), level("record.lost"), (9, "INFO")]);
    assert_eq!(records[2].time_unix_nano, 1_800_000_000_000_001_000);
}

#[test]
fn how_many_a_collector_has_not_taken_is_read_from_its_answer() {
    let partial =
        |rejected| Some(ExportTracePartialSuccess { rejected_spans: rejected, error_message: "full".into() });
    let untaken = |answer: &[u8]| protobuf::number_within(answer, 1, 1);
    let answer = |rejected| ExportTraceServiceResponse { partial_success: partial(rejected) }.encode_to_vec();
    assert_eq!(untaken(&answer(300)), Some(300));
    assert_eq!(untaken(&answer(0)), None);
    for nonsense in [
        &b""[..],
        b"{\"a\":1}",
        b"\x0a\xff",
        b"\x0a\x02\x08",
        b"\x08\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        assert_eq!(untaken(nonsense), None, "{nonsense:?}");
    }
}
