//! The PROXY protocol before HTTP.

use super::*;

fn behind_balancer() -> ListenerSettings {
    let any = ProxyProtocol { version: ProxyVersion::Any, from: None };
    ListenerSettings { proxy_protocol: Some(any), ..clear() }
}

#[tokio::test]
async fn the_header_names_the_peer_and_the_request_behind_it_is_kept() {
    let server = TestServer::start(&behind_balancer(), ConnectionLimits::default());
    let header = b"PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\r\n";
    let answer = server.exchange(&[&header[..], LAST].concat()).await;
    assert!(answer.ends_with("GET /last [] 192.0.2.7 http"), "{answer}");
}

#[tokio::test]
async fn invariant_10_the_header_is_mandatory_where_it_is_set_and_nothing_where_it_is_not() {
    let server = TestServer::start(&behind_balancer(), ConnectionLimits::default());
    assert_eq!(server.exchange(LAST).await, "");
    assert_eq!(server.refused(ConnectionRefusal::ProxyHeader), 1);
    let server = TestServer::plain();
    let header = b"PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\r\n";
    let answer = server.exchange(&[&header[..], LAST].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(server.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn invariant_14_a_header_that_does_not_come_is_not_waited_for() {
    let server = TestServer::start(&behind_balancer(), ConnectionLimits::default());
    let mut stream = server.connect().await;
    stream.write_all(b"PROXY TCP4 ").await.unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
    assert_eq!(server.refused(ConnectionRefusal::Slow), 1);
}
