//! Several servers: turns, failures, health checks.

use std::time::Duration;

use tokio::join;

use super::support::{FakeUpstream, Rig, text};
use crate::forward::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CLOSING: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

async fn pair() -> (FakeUpstream, FakeUpstream, UpstreamSettings) {
    let (one, two) = (FakeUpstream::new().await, FakeUpstream::new().await);
    let mut settings = one.settings();
    settings.servers.push(fixtures::tcp(two.port()));
    settings.ejection = Ejection { after: 1, pause: Duration::from_secs(3600) };
    (one, two, settings)
}

fn rig(settings: UpstreamSettings) -> Rig {
    Rig::new(settings, &fixtures::forward_settings())
}

async fn served_by(rig: &Rig, fake: &FakeUpstream) {
    let (answer, _seen) = join!(rig.get("/"), fake.answer(OK));
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
}

#[tokio::test]
async fn servers_take_turns() {
    let (one, two, settings) = pair().await;
    let rig = rig(UpstreamSettings { keep_idle: 0, ..settings });
    for fake in [&one, &two, &one] {
        served_by(&rig, fake).await;
    }
}

#[tokio::test]
async fn the_server_with_the_fewest_requests_is_next() {
    let (one, two, settings) = pair().await;
    let rig = rig(UpstreamSettings { balance: Balance::LeastRequests, ..settings });
    let (held, _seen) = join!(rig.get("/"), one.answer(OK));
    for _ in 0..2 {
        let (answer, _hand) = join!(rig.get("/"), two.answer(CLOSING));
        text(answer.unwrap()).await.unwrap();
    }
    assert_eq!(rig.upstream.state()[0].active, 1);
    text(held.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_takes_no_connection_is_passed_over_and_put_aside() {
    let (one, two, settings) = pair().await;
    drop(one);
    let rig = rig(UpstreamSettings { keep_idle: 0, ..settings });
    served_by(&rig, &two).await;
    assert!(rig.upstream.state()[0].ejected);
    served_by(&rig, &two).await;
    served_by(&rig, &two).await;
}

#[tokio::test]
async fn where_all_are_put_aside_all_are_tried() {
    let (one, two, settings) = pair().await;
    let (first, second) = (one.port(), two.port());
    drop((one, two));
    let rig = rig(settings);
    assert_eq!(rig.fault().await, ForwardFault::Connect);
    assert!(rig.upstream.state().iter().all(|server| server.ejected));
    let again = tokio::net::TcpListener::bind(("127.0.0.1", second)).await.unwrap();
    let answer = async {
        let mut hand = super::support::RawConnection::new(again.accept().await.unwrap().0);
        hand.head().await;
        hand.say(OK).await;
        hand
    };
    assert_ne!(first, second);
    let (response, _hand) = join!(rig.get("/"), answer);
    text(response.unwrap()).await.unwrap();
    assert!(!rig.upstream.state()[1].ejected, "an answer brings it back");
}

#[tokio::test]
async fn health_checks_put_servers_aside_and_bring_them_back() {
    let (one, two, settings) = pair().await;
    let check = HealthCheck {
        path: "/healthz?x".into(),
        interval: Duration::from_millis(1),
        timeout: Duration::from_secs(60),
        healthy_after: 1,
        unhealthy_after: 1,
    };
    let rig = rig(UpstreamSettings { health: Some(check), keep_idle: 0, ..settings });
    let checks = tokio::spawn(std::sync::Arc::clone(&rig.upstream).run_health_checks(|_, _| {}));
    let (_hand, head) = one.answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n").await;
    assert!(head.starts_with("GET /healthz?x HTTP/1.1\r\n") && head.contains("host: 127.0.0.1:"));
    let next = one.accept().await;
    assert!(!rig.upstream.state()[0].up, "the next check comes after the verdict of the last");
    let _asked = two.answer(OK).await;
    let mut next = next;
    next.head().await;
    next.say("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n").await;
    drop(one.accept().await);
    assert!(rig.upstream.state()[0].up);
    checks.abort();
}

#[tokio::test]
async fn an_upstream_that_cannot_be_is_not_set_up() {
    let none = fixtures::upstream_settings(Vec::new());
    assert!(matches!(Upstream::new(none, 1), Err(UpstreamError::NoServer)));
    let tls = |host: &str, ca: &str| {
        let address = ServerAddress::Tcp { host: host.into(), port: 1, tls: true };
        let mut settings = fixtures::upstream_settings(vec![fixtures::server(address)]);
        settings.tls.ca = Some(ca.into());
        Upstream::new(settings, 1).err()
    };
    assert!(matches!(tls("a.example", "no pem"), Some(UpstreamError::Ca(_))));
    let pem = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.pem();
    assert!(matches!(tls("not a name", &pem), Some(UpstreamError::ServerName(_))));
    assert!(tls("a.example", &pem).is_none() && tls("[::1]", &pem).is_none());
}
