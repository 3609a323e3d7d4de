//! Metrics, traces and events at a collector of OpenTelemetry.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use http::Method;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;

use super::collector::{Collector, hex, said};
use crate::support::{App, Browser, Gateway, Provider, free_port, told, until, until_async};

const KEY: &str = "key-of-the-collector-0123456789";

fn telemetry(collector: &str, share: &str) -> String {
    format!(
        "[telemetry]\nsample = {share}\notlp = \"{collector}\"\ninterval = \"1s\"\nheaders = {{ x-key = {{ file = \"collector.key\" }} }}\n\n"
    )
}

fn wiki(app: &App) -> String {
    format!("[[routes]]\nname = \"wiki\"\nupstream = \"{}\"\naccess = \"public\"\n", app.url())
}

fn gateway(configuration: &str) -> Gateway {
    Gateway::with_files(free_port(), configuration, &[("collector.key", KEY)])
}

fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// What a collector calls a metric that it hands on to Prometheus.
fn as_prometheus(metric: &Metric) -> String {
    let unit = if metric.unit == "s" { "_seconds" } else { "" };
    let total = if matches!(metric.data, Some(Data::Sum(_))) { "_total" } else { "" };
    format!("{}{unit}{total}", metric.name)
}

/// The span of the whole request that the collector has of `path`.
async fn server_span(collector: &Collector, path: &str) -> Span {
    let find = || {
        let of_path = |span: &Span| said(&span.attributes).get("url.path").is_some_and(|it| it == path);
        collector.spans().into_iter().find(|span| span.kind == 2 && of_path(span))
    };
    until_async(&format!("the span of {path}"), || async { find().is_some() }).await;
    find().unwrap()
}

#[tokio::test]
async fn a_recorded_request_is_told_span_by_span() {
    let (app, collector) = (App::start().await, Collector::start().await);
    let port = free_port();
    let provider = Provider::start(&format!("http://127.0.0.1:{port}"));
    let route = wiki(&app).replace("access = \"public\"", "access = \"signed-in\"");
    let configuration = format!("{}{}{route}", telemetry(&collector.url(), "1"), provider.configuration());
    let gateway = Gateway::with_files(port, &configuration, &[("collector.key", KEY)]);
    let answer = Browser::new().visit(&gateway.url("/page?secret=1")).await;
    assert_eq!(answer.status, 200);
    let callback = server_span(&collector, "/.portcullis/callback").await;
    // The last one of the sign-in: the page was asked for before it as well.
    let parent = told(&answer, "traceparent").concat();
    let of_trace = |trace: &str| -> Vec<Span> {
        collector.spans().into_iter().filter(|span| hex(&span.trace_id) == trace).collect()
    };
    until_async("the spans of the page", || async {
        !named(&of_trace(&parent[3..35]), "GET wiki").is_empty()
    })
    .await;
    let spans = of_trace(&parent[3..35]);
    let [request] = named(&spans, "GET wiki")[..] else { panic!("{spans:?}") };
    let attributes = said(&request.attributes);
    for (name, value) in [
        ("http.request.method", "GET"),
        ("http.route", "wiki"),
        ("http.response.status_code", "200"),
        ("url.path", "/page"),
        ("url.scheme", "http"),
        ("server.address", "127.0.0.1"),
        ("client.address", "127.0.0.1"),
        ("portcullis.outcome", "allowed"),
    ] {
        assert_eq!(attributes.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(request.parent_span_id.is_empty() && request.status.is_none(), "{request:?}");
    for part in ["authentication", "policy", "upstream"] {
        let [span] = named(&spans, part)[..] else { panic!("{part}: {spans:?}") };
        assert_eq!(span.parent_span_id, request.span_id, "{part}");
        assert!(span.start_time_unix_nano >= request.start_time_unix_nano, "{part}");
        assert!(span.end_time_unix_nano <= request.end_time_unix_nano, "{part}");
    }
    let upstream = named(&spans, "upstream")[0];
    assert_eq!(hex(&upstream.span_id), parent[36..52], "the app is below the call to it");
    assert_eq!((upstream.kind, said(&upstream.attributes)["http.response.status_code"].as_str()), (3, "200"));
    let sign_in = of_trace(&hex(&callback.trace_id));
    let provider_calls = named(&sign_in, "provider");
    assert!(!provider_calls.is_empty() && !named(&sign_in, "store").is_empty(), "{sign_in:?}");
    for call in &provider_calls {
        let attributes = said(&call.attributes);
        assert!(!attributes["url.full"].contains('?') && call.kind == 3, "{attributes:?}");
    }
    let everything = format!("{:?}", collector.spans());
    assert!(!everything.contains("secret=1") && !everything.contains("code="), "a query is told");
}

#[tokio::test]
async fn what_is_not_sampled_is_not_told() {
    let (app, collector) = (App::start().await, Collector::start().await);
    let gateway = gateway(&format!("{}{}", telemetry(&collector.url(), "0"), wiki(&app)));
    assert_eq!(Browser::new().get(&gateway.url("/")).await.status, 200);
    let counted = |collector: &Collector| {
        collector
            .metrics()
            .iter()
            .any(|metric| metric.name == "portcullis_requests" && format!("{metric:?}").contains("public"))
    };
    until_async("the metrics", || async { counted(&collector) }).await;
    assert!(collector.spans().is_empty(), "{:?}", collector.spans());
}

#[tokio::test]
async fn a_stranger_is_linked_and_a_method_that_nobody_knows_is_one_word() {
    let (app, collector) = (App::start().await, Collector::start().await);
    let gateway = gateway(&format!("{}{}", telemetry(&collector.url(), "1"), wiki(&app)));
    let stranger = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let method = Method::from_bytes(b"BREW").unwrap();
    Browser::new().send(method, &gateway.url("/pot"), &[("traceparent", stranger)], "").await;
    let span = server_span(&collector, "/pot").await;
    let link = &span.links[0];
    assert_eq!(
        (hex(&link.trace_id), hex(&link.span_id)),
        (stranger[3..35].to_owned(), stranger[36..52].to_owned())
    );
    assert_ne!(hex(&span.trace_id), stranger[3..35]);
    assert_eq!(
        (span.name.as_str(), said(&span.attributes)["http.request.method"].as_str()),
        ("HTTP wiki", "_OTHER")
    );
}

#[tokio::test]
async fn the_collector_is_told_what_a_scrape_tells_and_shown_its_key() {
    let (app, collector) = (App::start().await, Collector::start().await);
    let gateway = gateway(&format!("{}{}", telemetry(&collector.url(), "1"), wiki(&app)));
    assert_eq!(Browser::new().get(&gateway.url("/")).await.status, 200);
    server_span(&collector, "/").await;
    let of_a_scrape = || async {
        let scrape = Browser::new().get(&gateway.admin_url("/metrics")).await.body;
        let types = scrape.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        types.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    until_async("the same metrics", || async {
        let told: BTreeSet<String> = collector.metrics().iter().map(as_prometheus).collect();
        told.contains("portcullis_requests_total") && told == of_a_scrape().await
    })
    .await;
    let calls = collector.calls();
    assert!(
        calls
            .iter()
            .all(|(_, head)| head["x-key"] == KEY && head["content-type"] == "application/x-protobuf")
    );
    assert!(!gateway.log().contains(KEY));
}

#[tokio::test]
async fn events_come_as_logs() {
    let (app, collector) = (App::start().await, Collector::start().await);
    let sink = format!(
        "[[audit.sinks]]\nkind = \"otlp\"\nurl = \"{}\"\nheaders = {{ x-key = {{ file = \"collector.key\" }} }}\n\n",
        collector.url()
    );
    let gateway = gateway(&format!("[telemetry]\n\n{sink}{}", wiki(&app)));
    let answer = Browser::new().get(&gateway.url("/page?secret=1")).await;
    let trace = told(&answer, "traceparent").concat()[3..35].to_owned();
    until_async("the event", || async {
        collector.logs().iter().any(|log| log.event_name == "access.granted")
    })
    .await;
    let logs = collector.logs();
    let granted = logs.iter().find(|log| log.event_name == "access.granted").unwrap();
    let attributes = said(&granted.attributes);
    assert_eq!(hex(&granted.trace_id), trace);
    assert_eq!((granted.severity_text.as_str(), attributes["url.path"].as_str()), ("INFO", "/page"));
    assert_eq!(
        (attributes["http.response.status_code"].as_str(), attributes["portcullis.outcome"].as_str()),
        ("200", "public")
    );
    assert!(logs.iter().any(|log| log.event_name == "process.started"), "{logs:?}");
    let heads = collector.calls();
    assert!(heads.iter().all(|(path, head)| path == "/v1/logs" && head["x-key"] == KEY), "{heads:?}");
}

#[tokio::test]
async fn while_the_collector_is_away_requests_go_on_and_it_gets_their_spans_later() {
    let app = App::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, url) =
        (listener.local_addr().unwrap(), format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let gateway = gateway(&format!("{}{}", telemetry(&url, "1"), wiki(&app)));
    until("the trouble to be told", || {
        gateway.log().contains("the collector takes no metrics and no traces")
    });
    assert_eq!(Browser::new().get(&gateway.url("/early")).await.status, 200);
    let scrape = Browser::new().get(&gateway.admin_url("/metrics")).await.body;
    assert!(scrape.contains("portcullis_collector_up 0\n"), "{scrape}");
    let collector = Collector::listen(TcpListener::bind(address).await.unwrap());
    server_span(&collector, "/early").await;
    until("the end of the trouble", || {
        gateway.log().contains("the collector takes metrics and traces again")
    });
    assert_eq!(gateway.log().matches("the collector takes no").count(), 1, "it is told once");
}

#[tokio::test]
async fn what_a_collector_refuses_for_good_is_lost_and_counted() {
    let (app, collector) = (App::start().await, Collector::start().await);
    collector.answer(400);
    let gateway = gateway(&format!("{}{}", telemetry(&collector.url(), "1"), wiki(&app)));
    assert_eq!(Browser::new().get(&gateway.url("/refused")).await.status, 200);
    until_async("the loss", || async {
        let scrape = Browser::new().get(&gateway.admin_url("/metrics")).await.body;
        scrape.lines().any(|line| {
            line.strip_prefix("portcullis_collector_spans_total{result=\"lost\"} ")
                .is_some_and(|lost| lost != "0")
        })
    })
    .await;
    collector.answer(200);
    assert_eq!(Browser::new().get(&gateway.url("/taken")).await.status, 200);
    server_span(&collector, "/taken").await;
    let paths: Vec<_> =
        collector.spans().iter().filter_map(|span| said(&span.attributes).remove("url.path")).collect();
    assert!(!paths.contains(&"/refused".to_owned()), "{paths:?}");
}

/// One that takes connections and says nothing.
#[tokio::test]
async fn a_collector_that_is_silent_holds_up_no_end() {
    let app = App::start().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut gateway = gateway(&format!("{}{}", telemetry(&url, "1"), wiki(&app)));
    assert_eq!(Browser::new().get(&gateway.url("/")).await.status, 200);
    let begun = Instant::now();
    gateway.signal("TERM");
    assert_eq!(gateway.wait(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_happened_last_is_told_before_the_end() {
    let (app, collector) = (App::start().await, Collector::start().await);
    let mut gateway = gateway(&format!("{}{}", telemetry(&collector.url(), "1"), wiki(&app)));
    assert_eq!(Browser::new().get(&gateway.url("/last")).await.status, 200);
    gateway.signal("TERM");
    let ended = tokio::task::spawn_blocking(move || gateway.wait()).await.unwrap();
    assert_eq!(ended, Some(0));
    server_span(&collector, "/last").await;
}
