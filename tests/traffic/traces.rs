//! Which trace a request belongs to (W3C Trace Context): a trusted proxy says so, and nobody else.

use super::app::App;
use super::process::Gateway;
use super::wire::{Message, get};
use crate::support::until;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SAMPLED: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const UNSAMPLED: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
const STATE: &str = "tracestate: a=1,b=2";

/// The tests' own address is a proxy's.
const TRUSTED: &str = "trusted_proxies = [\"127.0.0.1\"]\n";

fn recording(share: &str) -> String {
    format!("[telemetry]\nsample = {share}\n\n")
}

/// What the app is told of a request with these fields, and the trace in its line in the log.
fn told(server: &str, telemetry: &str, fields: &[&str]) -> (Message, Option<String>) {
    let app = App::ok();
    let gateway = Gateway::with(server, &format!("{telemetry}{}", app.route("name = \"wiki\"")));
    assert_eq!(get(gateway.port, "/page", fields).status(), 200);
    let trace = gateway.line_for("/page")["trace"].as_str().map(str::to_owned);
    (app.last(), trace)
}

/// Trace, span and flags.
fn parent(told: &Message) -> Vec<String> {
    let value = told.header("traceparent").unwrap_or_else(|| panic!("no trace in {}", told.head));
    let parts: Vec<String> = value.split('-').map(str::to_owned).collect();
    assert!(parts.len() == 4 && parts[0] == "00" && value.len() == 55, "{value}");
    parts[1..].to_vec()
}

#[test]
fn a_strangers_trace_reaches_neither_the_app_nor_the_log() {
    for telemetry in ["", &recording("0"), &recording("1")] {
        let (told, trace) = told("", telemetry, &[SAMPLED, STATE]);
        assert!(!told.head.contains(TRACE) && told.header("tracestate").is_none(), "{}", told.head);
        assert_ne!(trace.as_deref(), Some(TRACE));
        assert_eq!(trace.is_some(), !telemetry.is_empty(), "a trace is made where one is asked for");
    }
}

#[test]
fn a_stranger_neither_forces_nor_silences_the_recording() {
    for (share, field, flags) in [("0", SAMPLED, "00"), ("1", UNSAMPLED, "01"), ("1.0", "accept: */*", "01")]
    {
        let (told, trace) = told("", &recording(share), &[field]);
        let parent = parent(&told);
        assert_eq!((parent[2].as_str(), Some(&parent[0])), (flags, trace.as_ref()), "{share} {field}");
    }
}

#[test]
fn a_trusted_proxys_trace_goes_on_and_is_recorded_where_it_says_so() {
    for (share, field, flags) in [("0", SAMPLED, "01"), ("1", UNSAMPLED, "00")] {
        let (told, trace) = told(TRUSTED, &recording(share), &[field, STATE]);
        let parent = parent(&told);
        assert_eq!((parent[0].as_str(), parent[2].as_str(), trace.as_deref()), (TRACE, flags, Some(TRACE)));
        assert_ne!(parent[1], "b7ad6b7169203331", "the app is below the gateway");
        assert_eq!(told.header("tracestate"), Some("a=1,b=2"));
    }
}

#[test]
fn without_traces_of_its_own_the_gateway_passes_a_trusted_proxys_on_as_it_came() {
    let (told, trace) = told(TRUSTED, "", &[SAMPLED, STATE]);
    assert_eq!(told.header("traceparent"), SAMPLED.strip_prefix("traceparent: "));
    assert_eq!((told.header("tracestate"), trace.as_deref()), (Some("a=1,b=2"), Some(TRACE)));
}

#[test]
fn what_is_wrong_in_a_trusted_proxys_words_begins_a_new_trace() {
    let wrong = "traceparent: 00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01";
    for fields in [&[wrong, STATE][..], &[SAMPLED, SAMPLED, STATE], &[STATE]] {
        let (told, _) = told(TRUSTED, &recording("0"), fields);
        assert_ne!(parent(&told)[0].to_lowercase(), TRACE, "{fields:?}");
        assert_eq!(told.header("tracestate"), None, "{fields:?}");
    }
}

#[test]
fn an_example_of_a_recorded_request_stands_in_open_metrics_alone() {
    let app = App::ok();
    let gateway = Gateway::with("", &format!("{}{}", recording("1"), app.route("name = \"wiki\"")));
    gateway.get("/page");
    let line = gateway.line_for("/page");
    let example = format!(" # {{trace_id=\"{}\"}} ", line["trace"].as_str().unwrap());
    let open = || get(gateway.admin, "/metrics", &["Accept: application/openmetrics-text"]).text();
    until("the example", || open().contains(&example));
    let lines: Vec<String> = open().lines().filter(|line| line.contains(" # {")).map(str::to_owned).collect();
    assert!(lines.iter().all(|line| line.starts_with("portcullis_request_duration_seconds_bucket{")));
    assert_eq!(lines.len(), 1, "one request, one example: {lines:?}");
    assert!(!gateway.metrics().contains("trace_id"), "the older text has no examples");
}

#[test]
fn a_reload_says_anew_what_is_recorded() {
    let app = App::ok();
    let route = app.route("name = \"wiki\"");
    let gateway = Gateway::with("", &route);
    let recorded = || gateway.get("/page").status() == 200 && app.last().header("traceparent").is_some();
    assert!(!recorded());
    gateway.reload("", &format!("{}{route}", recording("0.5")));
    assert!(recorded());
}
