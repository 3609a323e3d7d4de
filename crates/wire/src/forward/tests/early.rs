//! Answers that begin before their request has ended.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::join;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::support::{BodyFeed, FakeUpstream, RawConnection, Rig, client, connected, data, fed, text};
use crate::forward::*;

/// More than sockets and the gateway hold between them.
const LARGE: usize = 8 << 20;

/// Beyond it nothing moves any more.
const STALLED: Duration = Duration::from_secs(20);

const HALF: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha";

/// Answers as soon as it has the head, reads and writes at the same time, and says when it has read all.
async fn answer_early(fake: &FakeUpstream, size: usize, read: oneshot::Sender<()>) -> RawConnection {
    let mut hand = fake.accept().await;
    hand.head().await;
    hand.say(&format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")).await;
    let left = LARGE - hand.read.len();
    let (mut from, mut to) = hand.stream.split();
    let reading = async {
        let mut request = vec![0; left];
        from.read_exact(&mut request).await.unwrap();
        read.send(()).unwrap();
    };
    let answer = vec![b'a'; size];
    // A client that has seen enough may have left.
    let _ = join!(reading, to.write_all(&answer));
    hand
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_is_not_stalled_by_an_early_answer() {
    let fake = FakeUpstream::new().await;
    let rig = Arc::new(fake.rig());
    let (read, _all_read) = oneshot::channel();
    let exchange = async {
        let mut browser = client(&rig).await;
        let head = format!("POST / HTTP/1.1\r\nHost: wiki.corp.example\r\nContent-Length: {LARGE}\r\n\r\n");
        browser.say(&head).await;
        browser.stream.write_all(&vec![b'u'; LARGE]).await.unwrap();
        let head = browser.head().await;
        assert!(head.contains(&format!("content-length: {LARGE}\r\n")), "{head}");
        let mut answer = vec![0; LARGE - browser.read.len()];
        browser.stream.read_exact(&mut answer).await.unwrap();
    };
    let both = async { join!(exchange, answer_early(&fake, LARGE, read)) };
    let ((), _hand) = timeout(STALLED, both).await.expect("stalled");
    assert_eq!(rig.upstream.state()[0].idle, 1, "both directions are whole");
}

async fn ask_http2(rig: &Arc<Rig>) -> Response<hyper::body::Incoming> {
    let io = TokioIo::new(connected(rig, true).await);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let body = Full::new(Bytes::from(vec![b'u'; LARGE]));
    sender.send_request(Request::post("http://wiki.corp.example/").body(body).unwrap()).await.unwrap()
}

#[tokio::test]
async fn nor_is_one_that_speaks_http2() {
    let fake = FakeUpstream::new().await;
    let rig = Arc::new(fake.rig());
    let (read, all_read) = oneshot::channel();
    let exchange = async {
        let answer = ask_http2(&rig).await;
        all_read.await.unwrap();
        answer.into_body().collect().await.unwrap().to_bytes().len()
    };
    let both = async { join!(exchange, answer_early(&fake, LARGE, read)) };
    let (size, _hand) = timeout(STALLED, both).await.expect("stalled");
    assert_eq!(size, LARGE);
}

#[tokio::test]
async fn invariant_14_an_early_answer_that_nobody_reads_stops_its_server_but_not_the_request() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (read, all_read) = oneshot::channel();
    let request = Request::post("/").body(Full::new(Bytes::from(vec![b'u'; LARGE]))).unwrap();
    let mut server = Box::pin(answer_early(&fake, 8 * LARGE, read));
    let asking = async {
        let answer = rig.send(request).await.unwrap();
        all_read.await.unwrap();
        answer
    };
    let answer = tokio::select! {
        answer = timeout(STALLED, asking) => answer.expect("stalled"),
        _ = &mut server => unreachable!("nobody has read"),
    };
    assert!(timeout(Duration::from_millis(200), &mut server).await.is_err(), "all of it was buffered");
    drop(answer);
    timeout(STALLED, server).await.expect("the connection is closed");
}

/// An exchange whose answer `said` is there while its request goes on.
async fn early(
    fake: &FakeUpstream,
    rig: &Rig,
    said: &str,
) -> (Response<UpstreamBody>, BodyFeed, RawConnection) {
    let (feed, body) = fed();
    let server = async {
        feed.send(data("half")).await.unwrap();
        let (mut hand, _) = fake.answer(said).await;
        hand.until("half\r\n").await;
        hand
    };
    let (answer, hand) = join!(rig.send(Request::post("/").body(body).unwrap()), server);
    (answer.unwrap(), feed, hand)
}

/// A server that is put aside at its first fault.
fn strict(fake: &FakeUpstream, idle: Duration, max_body: Option<u64>) -> Rig {
    let mut settings = fake.settings();
    settings.ejection.after = 1;
    settings.timeout.idle = idle;
    Rig::new(settings, &ForwardSettings { max_body, ..fixtures::forward_settings() })
}

fn is_ejected(rig: &Rig) -> bool {
    rig.upstream.state()[0].ejected
}

#[tokio::test]
async fn the_length_of_an_early_answer_is_known_to_its_end() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (answer, _feed, mut hand) = early(&fake, &rig, HALF).await;
    let mut body = answer.into_body();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(4), false));
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "ha");
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(2), false));
    hand.say("lf").await;
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "lf");
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(0), true));
    assert!(body.frame().await.is_none());
    assert_eq!(hand.rest().await, "", "the request is not whole");
}

#[tokio::test]
async fn the_trailers_of_an_early_answer_are_its_end() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let said = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 2\r\nSet-Cookie: a=1\r\n\r\n";
    let (answer, _feed, _hand) = early(&fake, &rig, said).await;
    let whole = answer.into_body().collect().await.unwrap();
    assert_eq!(whole.trailers(), Some(&fixtures::map(&[("x-sum", "2")])));
    assert_eq!(whole.to_bytes(), "ok");
}

#[tokio::test]
async fn whoever_drops_an_early_answer_breaks_off_its_request() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    for taken in [false, true] {
        let (mut answer, feed, hand) = early(&fake, &rig, HALF).await;
        if taken {
            answer.body_mut().frame().await.unwrap().unwrap();
        }
        // So that whoever drives the exchange waits for what the answer lacks.
        feed.send(data("more")).await.unwrap();
        tokio::task::yield_now().await;
        drop(answer);
        timeout(STALLED, feed.closed()).await.expect("nobody takes the request's body");
        let rest = timeout(STALLED, hand.rest()).await.expect("the connection is closed");
        assert!(!rest.ends_with("0\r\n\r\n"), "never taken for whole: {rest:?}");
        assert_eq!((rig.upstream.state()[0].active, rig.upstream.state()[0].idle), (0, 0));
    }
}

#[tokio::test]
async fn an_early_answer_that_breaks_off_or_falls_silent_is_its_server_s_fault() {
    let fake = FakeUpstream::new().await;
    let rig = strict(&fake, Duration::from_secs(60), None);
    let (answer, _feed, hand) = early(&fake, &rig, HALF).await;
    drop(hand);
    assert!(matches!(text(answer).await, Err(BodyError::Reset(_))));
    assert!(is_ejected(&rig));
    let rig = strict(&fake, Duration::from_millis(20), None);
    let (answer, feed, _hand) = early(&fake, &rig, HALF).await;
    drop(feed);
    assert!(matches!(text(answer).await, Err(BodyError::Silent)));
    assert!(is_ejected(&rig));
}

#[tokio::test]
async fn silence_of_an_early_answer_means_nothing_while_its_request_goes_on() {
    let fake = FakeUpstream::new().await;
    let rig = strict(&fake, Duration::from_millis(50), None);
    let (answer, feed, mut hand) = early(&fake, &rig, HALF).await;
    let server = async {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            feed.send(data("x")).await.unwrap();
        }
        hand.say("lf").await;
    };
    assert_eq!(join!(text(answer), server).0.unwrap(), "half");
}

/// A client that breaks off, sends too much, or falls silent puts no server aside.
#[tokio::test]
async fn a_client_that_spoils_its_own_request_is_not_its_server_s_fault() {
    let fake = FakeUpstream::new().await;
    let (short, long) = (Duration::from_millis(20), Duration::from_secs(60));
    let rig = strict(&fake, long, Some(5));
    let (answer, feed, hand) = early(&fake, &rig, HALF).await;
    feed.fail().await;
    assert!(matches!(text(answer).await, Err(BodyError::Reset(_))));
    assert!(!is_ejected(&rig) && hand.rest().await.is_empty());
    let (answer, feed, hand) = early(&fake, &rig, HALF).await;
    feed.send(data("toolarge")).await.unwrap();
    assert!(matches!(text(answer).await, Err(BodyError::Reset(_))));
    assert!(!is_ejected(&rig) && hand.rest().await.is_empty());
    let rig = strict(&fake, short, None);
    let (answer, _feed, hand) = early(&fake, &rig, HALF).await;
    assert!(matches!(text(answer).await, Err(BodyError::Reset(_))));
    assert!(!is_ejected(&rig) && hand.rest().await.is_empty());
}
