//! Both texts of `/metrics`, read by Prometheus.

use std::collections::BTreeSet;
use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use super::prometheus::promtool;
use super::{Prometheus, visited};
use crate::support::{Answer, App, Browser, Gateway, told, until_async};

/// What Prometheus 2.42 says of itself.
const WANTS_OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

async fn scrape(url: &str, accept: Option<&str>) -> Answer {
    let accept: Vec<(&str, &str)> = accept.map(|accept| ("accept", accept)).into_iter().collect();
    Browser::new().send(Method::GET, url, &accept, "").await
}

#[tokio::test]
async fn each_reader_gets_the_text_that_it_asks_for() {
    let (gateway, _app) = visited().await;
    let url = gateway.admin_url("/metrics");
    let open = scrape(&url, Some(WANTS_OPEN_METRICS)).await;
    assert_eq!(open.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_eq!(open.header("vary"), "accept");
    assert!(open.body.ends_with("\n# EOF\n") && open.body.matches("# EOF").count() == 1, "{}", open.body);
    assert!(open.body.contains("# TYPE portcullis_requests counter\n"), "{}", open.body);
    assert!(open.body.contains("\nportcullis_requests_total{"), "{}", open.body);
    for accept in [None, Some("*/*"), Some("text/html,*/*;q=0.8"), Some("application/json")] {
        let text = scrape(&url, accept).await;
        assert_eq!(text.header("content-type"), "text/plain; version=0.0.4; charset=utf-8", "{accept:?}");
        assert!(!text.body.contains("# EOF") && !text.body.contains("# UNIT"), "{}", text.body);
        assert!(text.body.contains("# TYPE portcullis_requests_total counter\n"), "{}", text.body);
    }
}

#[tokio::test]
async fn the_tool_of_prometheus_finds_nothing_wrong() {
    let (gateway, _app) = visited().await;
    let text = scrape(&gateway.admin_url("/metrics"), None).await.body;
    let checked = promtool(&["check", "metrics"], &text);
    assert!(checked.status.success(), "{checked:?}\n{text}");
}

/// Series without what says which job read them.
fn series(found: &[Value]) -> BTreeSet<String> {
    let name = |value: &Value| {
        let mut labels = value["metric"].as_object().unwrap().clone();
        labels.retain(|label, _| label != "job" && label != "instance");
        Value::Object(labels).to_string()
    };
    found.iter().map(name).collect()
}

#[tokio::test]
async fn prometheus_reads_the_same_from_both_texts() {
    let (gateway, _app) = visited().await;
    let text = without_accept(gateway.admin_url("/metrics")).await;
    let prometheus = Prometheus::start(&format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n{}{}",
        job("open", gateway.admin),
        job("text", text)
    ))
    .await;
    prometheus.has_scraped(2).await;
    let of = async |job: &str| {
        series(&prometheus.query(&format!("{{job=\"{job}\",__name__=~\"portcullis_.*\"}}")).await)
    };
    let (open, text) = (of("open").await, of("text").await);
    assert_eq!(open, text);
    assert!(text.len() > 30, "{text:?}");
    let counted = prometheus.query("portcullis_requests_total{route=\"once\",outcome=\"limited\"}").await;
    let values: Vec<&str> = counted.iter().filter_map(|value| value["value"][1].as_str()).collect();
    assert_eq!(values, ["1", "1"]);
}

#[tokio::test]
async fn a_point_on_a_curve_leads_to_a_trace() {
    let app = App::start().await;
    let route = format!("[[routes]]\nname = \"wiki\"\nupstream = \"{}\"\naccess = \"public\"\n", app.url());
    let gateway = Gateway::start(&format!("[telemetry]\nsample = 1\n\n{route}"));
    let answer = Browser::new().get(&gateway.url("/")).await;
    let trace = told(&answer, "traceparent").concat()[3..35].to_owned();
    let prometheus = Prometheus::start(&format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n{}",
        job("open", gateway.admin)
    ))
    .await;
    until_async("the trace", || async {
        let found = prometheus.exemplars("portcullis_request_duration_seconds_bucket{route=\"wiki\"}").await;
        found.iter().any(|exemplar| exemplar["labels"]["trace_id"] == *trace)
    })
    .await;
}

fn job(name: &str, port: u16) -> String {
    format!("- job_name: {name}\n  static_configs: [{{ targets: ['127.0.0.1:{port}'] }}]\n")
}

/// A door to `url` for a reader who is not to say which text it wants: Prometheus always does.
async fn without_accept(url: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let url = url.clone();
            let service = service_fn(move |_| {
                let url = url.clone();
                async move { Ok::<_, Infallible>(passed_on(scrape(&url, None).await)) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    port
}

fn passed_on(answer: Answer) -> Response<Full<Bytes>> {
    let response = Response::builder().header("content-type", answer.header("content-type"));
    response.body(Full::from(answer.body)).unwrap()
}
