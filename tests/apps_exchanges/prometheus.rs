//! Prometheus: a page for people around a path for programs, and a scrape.

use http::Method;

use crate::support::{Browser, World, told};

const ROUTES: &str = r#"
[[routes]]
path = "/prometheus"
upstream = "{app}"
access = "signed-in"

[[routes]]
path = "/prometheus/metrics"
upstream = "{app}"
accept = "bearer"
allow = { scopes = ["orders:read"] }
"#;

/// What Prometheus sends names a text format that is no page, and wants 401 or the metrics: it follows a redirect to
/// a sign-in page and then cannot read what it finds.
#[tokio::test]
async fn a_scrape_is_answered_by_status_and_never_sent_to_sign_in() {
    let world = World::open(ROUTES).await;
    let scrape = [
        ("user-agent", "Prometheus/2.42.0+ds"),
        (
            "accept",
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        ),
        ("accept-encoding", "gzip"),
        ("x-prometheus-scrape-timeout-seconds", "10"),
    ];
    let ask = async |path: &str, more: &[(&str, &str)]| {
        Browser::new().send(Method::GET, &world.gateway.url(path), &[&scrape[..], more].concat(), "").await
    };
    for path in ["/prometheus/metrics", "/prometheus/federate?match[]=up"] {
        let refused = ask(path, &[]).await;
        assert_eq!(
            (refused.status, refused.header("www-authenticate")),
            (401, "Bearer realm=\"portcullis\""),
            "{path}"
        );
    }
    let bearer = format!("Bearer {}", world.provider.access_token("orders:read").await);
    let scraped = ask("/prometheus/metrics", &[("authorization", &bearer)]).await;
    assert_eq!(
        (scraped.status, &scraped.json()["target"]),
        (200, &"/prometheus/metrics".into()),
        "{}",
        scraped.body
    );
    assert_eq!(told(&scraped, "x-prometheus-scrape-timeout-seconds"), ["10"]);
    let federated = ask("/prometheus/federate?match[]=up", &[("authorization", &bearer)]).await;
    assert_eq!(federated.json()["target"], "/prometheus/federate?match[]=up");
}
