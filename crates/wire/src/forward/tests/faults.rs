//! Upstreams that fail, each in its own way.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use tokio::io::AsyncReadExt;
use tokio::join;
use tokio::time::timeout;

use super::support::{FakeUpstream, Rig, data, fed, get, text};
use crate::forward::*;

async fn fault_of(response: &str) -> ForwardFault {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let upstream = async {
        let (hand, _) = fake.answer(response).await;
        drop(hand);
    };
    join!(rig.fault(), upstream).0
}

#[tokio::test]
async fn nobody_listens() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let port = fake.port();
    drop(fake);
    let error = rig.get("/").await.unwrap_err();
    assert_eq!(error.fault(), ForwardFault::Connect);
    assert_eq!(error.server(), Some(format!("127.0.0.1:{port}").as_str()));
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn invalid_http_is_a_bad_gateway() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 banana OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n folded: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: \u{0}\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ] {
        assert_eq!(fault_of(garbage).await, ForwardFault::InvalidResponse, "{garbage:?}");
    }
}

#[tokio::test]
async fn a_closed_or_reset_connection_is_a_bad_gateway() {
    assert_eq!(fault_of("").await, ForwardFault::Reset);
    assert_eq!(fault_of("HTTP/1.1 200 OK\r\nContent-").await, ForwardFault::Reset);
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let upstream = async {
        let mut hand = fake.accept().await;
        hand.head().await;
        hand.reset();
    };
    assert_eq!(join!(rig.fault(), upstream).0, ForwardFault::Reset);
}

#[tokio::test]
async fn endless_heads_are_cut_off() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: 1\r\n".repeat(101));
    assert_eq!(fault_of(&many).await, ForwardFault::HeadersTooLarge);
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.max_fields = 102;
    let rig = Rig::new(settings, &fixtures::forward_settings());
    let (answer, _hand) = join!(rig.get("/"), fake.answer(&many));
    assert_eq!(answer.unwrap().headers().get_all("x").iter().count(), 101, "as many as the operator allows");
    let long = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(70_000));
    assert_eq!(fault_of(&long).await, ForwardFault::HeadersTooLarge);
}

#[tokio::test]
async fn a_silent_upstream_is_a_gateway_timeout() {
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.timeout.response = Duration::from_millis(20);
    let rig = Rig::new(settings, &fixtures::forward_settings());
    let (answer, hand) = join!(rig.get("/"), fake.accept());
    let error = answer.unwrap_err();
    assert_eq!(error.fault(), ForwardFault::ResponseTimeout);
    assert!(hand.rest().await.starts_with("GET / "), "and the connection is closed");
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_a_gateway_timeout() {
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.servers[0].address =
        ServerAddress::Tcp { host: "127.0.0.1".into(), port: fake.port(), tls: true };
    settings.tls.ca =
        Some(rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.pem().into());
    settings.timeout.connect = Duration::from_millis(20);
    let rig = Rig::new(settings, &fixtures::forward_settings());
    let error = rig.get("/").await.unwrap_err();
    assert_eq!(error.fault(), ForwardFault::ConnectTimeout);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_taken_for_whole() {
    for part in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhalf",
    ] {
        let fake = FakeUpstream::new().await;
        let rig = fake.rig();
        let upstream = async { drop(fake.answer(part).await) };
        let answer = join!(rig.get("/"), upstream).0.unwrap();
        assert!(matches!(text(answer).await, Err(BodyError::Reset(_))), "{part:?}");
        assert_eq!(rig.upstream.state()[0].idle, 0);
    }
}

#[tokio::test]
async fn a_silent_body_is_broken_off() {
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.timeout.idle = Duration::from_millis(20);
    let rig = Rig::new(settings, &fixtures::forward_settings());
    let (answer, (hand, _)) =
        join!(rig.get("/"), fake.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"));
    assert!(matches!(text(answer.unwrap()).await, Err(BodyError::Silent)));
    assert_eq!(hand.rest().await, "", "the connection is closed");
}

#[tokio::test]
async fn a_post_whose_connection_breaks_is_never_sent_twice() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    for method in [http::Method::POST, http::Method::GET] {
        let mut request = get("/");
        *request.method_mut() = method;
        let upstream = async {
            let mut hand = fake.accept().await;
            hand.head().await;
        };
        let (answer, ()) = join!(rig.send(request), upstream);
        assert_eq!(answer.unwrap_err().fault(), ForwardFault::Reset, "its bytes had left");
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over_and_bounded() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let borne = format!("{}{ok}", interim.repeat(1000));
    let (answer, _hand) = join!(rig.get("/"), fake.answer(&borne));
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
    assert_eq!(fault_of(&format!("{}{ok}", interim.repeat(1001))).await, ForwardFault::InvalidResponse);
}

#[tokio::test]
async fn a_head_that_comes_in_drops_is_read() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let upstream = async {
        let mut hand = fake.accept().await;
        hand.head().await;
        for drop in "HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 2\r\n\r\nok".split_inclusive(|_| true) {
            hand.say(drop).await;
            tokio::task::yield_now().await;
        }
        hand
    };
    let (answer, _hand) = join!(rig.get("/"), upstream);
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
}

/// `413` and an end, from a server that does not read what it has refused.
#[tokio::test]
async fn an_answer_counts_though_its_server_stops_reading() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let large = Bytes::from(vec![b'x'; 16 << 20]);
    let request = http::Request::post("/").body(Full::new(large)).unwrap();
    let upstream = async {
        let mut hand = fake.accept().await;
        hand.head().await;
        hand.say("HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno").await;
        hand
    };
    let (answer, _hand) = join!(rig.send(request), upstream);
    let answer = answer.unwrap();
    assert_eq!((answer.status().as_u16(), text(answer).await.unwrap().as_str()), (413, "no"));
    assert_eq!(rig.upstream.state()[0].idle, 0);
}

/// A server that reads no more and says nothing has the time limit of any other, though its client still waits
/// to send.
#[tokio::test]
async fn a_broken_upload_leaves_the_time_limit_of_the_answer() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let mut settings = fixtures::upstream_settings(vec![fixtures::server(ServerAddress::Unix(path))]);
    settings.timeout.response = Duration::from_millis(20);
    let rig = Rig::new(settings, &fixtures::forward_settings());
    let (feed, body) = fed();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut head).await.unwrap();
        }
        // Of a Unix socket the writer learns it, and can still read.
        socket2::SockRef::from(&stream).shutdown(std::net::Shutdown::Read).unwrap();
        feed.send(data("x")).await.unwrap();
        stream
    };
    let exchange = async { join!(rig.send(http::Request::post("/").body(body).unwrap()), server) };
    let (answer, _stream) = timeout(Duration::from_secs(20), exchange).await.expect("no time limit");
    assert_eq!(answer.unwrap_err().fault(), ForwardFault::ResponseTimeout);
}
