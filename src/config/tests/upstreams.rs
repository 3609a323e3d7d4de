//! What upstreams mean.

use super::meaning::route;
use crate::forward::{Balance, Protocol, ServerAddress};

#[test]
fn upstreams_are_reached_as_written() {
    let (upstream, _) = route(
        "upstream = [\"http://a\", \"https://B.example\", \"h2c://[::1]:81\", \"unix:/run/app.sock\"]\nbalance = \"least-requests\"\nkeep_idle = 0",
    );
    let tcp = |host: &str, port, tls| ServerAddress::Tcp { host: host.into(), port, tls };
    let addresses: Vec<_> = upstream.servers.iter().map(|server| server.address.clone()).collect();
    assert_eq!(
        addresses,
        [
            tcp("a", 80, false),
            tcp("b.example", 443, true),
            tcp("[::1]", 81, false),
            ServerAddress::Unix("/run/app.sock".into())
        ]
    );
    let protocols: Vec<_> = upstream.servers.iter().map(|server| server.protocol).collect();
    assert_eq!(protocols, [Protocol::Auto, Protocol::Auto, Protocol::Http2, Protocol::Auto]);
    assert_eq!((upstream.balance, upstream.keep_idle), (Balance::LeastRequests, 0));
    let spoken = |word: &str| route(&format!("upstream_protocol = \"{word}\"")).0.servers[0].protocol;
    assert_eq!(
        (spoken("http1"), spoken("http2"), spoken("auto")),
        (Protocol::Http1, Protocol::Http2, Protocol::Auto)
    );
}

#[test]
fn upstreams_are_watched_and_bounded_as_written() {
    let (upstream, forward) = route(
        "health = { path = \"/h?x\", interval = \"1s\", timeout = \"100ms\", healthy_after = 1, unhealthy_after = 4 }\n\
         ejection = { after = 0, pause = \"1m\" }\ntimeout = { connect = \"1s\", response = \"2s\", idle = \"3s\" }\nmax_body = \"1MB\"\nmin_body_rate = \"1KiB\"",
    );
    let health = upstream.health.unwrap();
    assert_eq!(
        (health.path.as_str(), health.interval.as_secs(), health.timeout.as_millis()),
        ("/h?x", 1, 100)
    );
    assert_eq!((health.healthy_after, health.unhealthy_after), (1, 4));
    assert_eq!((upstream.ejection.after, upstream.ejection.pause.as_secs()), (0, 60));
    let timeout = upstream.timeout;
    assert_eq!([timeout.connect, timeout.response, timeout.idle].map(|span| span.as_secs()), [1, 2, 3]);
    assert_eq!((forward.max_body, forward.min_body_rate), (Some(1_000_000), Some(1024)));
}

#[test]
fn tls_towards_upstreams_is_as_written() {
    let (upstream, _) = route(
        "upstream = \"https://a\"\nupstream_tls = { ca = { file = \"tls.crt\" }, cert = { file = \"tls.crt\" }, key = { file = \"tls.key\" }, server_name = \"b.example\" }",
    );
    assert!(upstream.tls.ca.is_some() && upstream.tls.client.is_some());
    assert_eq!(upstream.tls.server_name.as_deref(), Some("b.example"));
}
