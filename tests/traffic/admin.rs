//! What operators see: health, metrics, one line a request.

use super::app::App;
use super::process::Gateway;
use super::wire::get;
use crate::support::until;

/// One that nobody reaches.
const AWAY: &str = "[providers.corp]\nissuer = \"https://127.0.0.1:1\"\nclient_id = \"x\"\naudiences = [\"https://api.example\"]\n\n";

#[test]
fn health_is_told_on_the_admin_listener_alone() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route("host = \"app.example\"\npath = \"/app\""));
    assert_eq!(get(gateway.admin, "/healthz", &[]).text(), "ok\n");
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(get(gateway.admin, path, &[]).status(), 200, "{path}");
        assert_eq!(gateway.get(path).status(), 404, "{path}");
    }
}

#[test]
fn readiness_says_what_is_missing() {
    let app = App::ok();
    let route = app.route("").replace("access = \"public\"", "accept = \"bearer\"\naccess = \"signed-in\"");
    let gateway = Gateway::start(&format!("{AWAY}{route}"));
    let mut told = serde_json::Value::Null;
    until("the provider to be missed", || {
        told = serde_json::from_slice(&get(gateway.admin, "/readyz", &[]).body).unwrap();
        told["missing"].as_array().is_some_and(|missing| !missing.is_empty())
    });
    assert_eq!(told["missing"][0]["what"], "provider corp");
    assert_eq!(gateway.metric("portcullis_provider_up{provider=\"corp\"}"), 0.0);
}

#[test]
fn requests_are_counted_by_route_and_outcome_with_their_time() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route("name = \"wiki\"\npath = \"/wiki\"\nmethods = \"GET\""));
    gateway.get("/wiki");
    gateway.get("/wiki/a/../b");
    gateway.get("/elsewhere");
    let counted = |name: &str| until(name, || gateway.metric(name) == 1.0);
    counted("portcullis_requests_total{route=\"wiki\",outcome=\"public\"}");
    counted("portcullis_request_duration_seconds_count{route=\"wiki\"}");
    let text = gateway.metrics();
    for part in ["outcome=\"bad-request\"} 1", "outcome=\"not-found\"} 1", "portcullis_upstream_up{"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn listeners_and_caches_are_counted() {
    let app = App::ok();
    let route = app.route("").replace("access = \"public\"", "accept = \"bearer\"\naccess = \"signed-in\"");
    let gateway = Gateway::start(&format!("{AWAY}{route}"));
    let listener = format!("listener=\"127.0.0.1:{}\"", gateway.port);
    let accepted = format!("portcullis_connections_accepted_total{{{listener}}}");
    gateway.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
    get(gateway.port, "/", &["Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"]);
    assert!(gateway.metric(&accepted) >= 2.0);
    assert_eq!(
        gateway.metric(&format!("portcullis_connections_refused_total{{{listener},reason=\"ambiguous\"}}")),
        1.0
    );
    assert_eq!(gateway.metric("portcullis_cache_lookups_total{cache=\"token\",result=\"miss\"}"), 1.0);
}

#[test]
fn each_request_leaves_one_line_whose_id_the_app_and_the_client_know() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route("name = \"wiki\""));
    let answer = gateway.get("/page");
    let line = gateway.line_for("/page");
    let id = line["id"].as_str();
    assert!(
        id.is_some() && id == app.last().header("x-request-id") && id == answer.header("x-request-id"),
        "{line}"
    );
    let told =
        (line["method"].as_str(), line["status"].as_u64(), line["bytes"].as_u64(), line["route"].as_str());
    assert_eq!(told, (Some("GET"), Some(200), Some(2), Some("wiki")));
    assert_eq!(gateway.lines_for("/page").len(), 1);
}

#[test]
fn invariant_15_the_log_tells_no_secret() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    let secrets = [
        "Authorization: Bearer s3cret-token",
        "Cookie: portcullis=s3cret-session; a=s3cret-other",
        "X-Api-Key: s3cret-key",
        "Referer: http://app.example/?code=s3cret-code",
    ];
    get(gateway.port, "/page?code=s3cret-query&state=s3cret", &secrets);
    get(gateway.port, "/a/../b?code=s3cret-query", &secrets);
    gateway.line_for("/page");
    assert!(!gateway.log().contains("s3cret"), "{}", gateway.log());
    assert!(!gateway.metrics().contains("s3cret"));
}
