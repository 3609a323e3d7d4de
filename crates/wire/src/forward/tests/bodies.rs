//! Bodies: streamed, bounded, watched; trailers; `Expect`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::join;

use super::support::{FakeUpstream, Rig, client, data, fed, get, text};
use crate::forward::body::{BodyLimits, OutboundBody};
use crate::forward::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn bodies_flow_before_they_are_whole_in_both_directions() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (feed, body) = fed();
    let upstream = async {
        let mut hand = fake.accept().await;
        assert!(hand.head().await.contains("transfer-encoding: chunked\r\n"));
        feed.send(data("one")).await.unwrap();
        hand.until("3\r\none\r\n").await;
        feed.send(data("two")).await.unwrap();
        drop(feed);
        hand.until("3\r\ntwo\r\n0\r\n\r\n").await;
        hand.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsse\r\n").await;
        hand
    };
    let (answer, mut hand) = join!(rig.send(Request::post("/").body(body).unwrap()), upstream);
    let mut body = answer.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "sse");
    hand.say("3\r\nend\r\n0\r\n\r\n").await;
    assert_eq!(body.collect().await.unwrap().to_bytes(), "end");
    assert_eq!(rig.upstream.state()[0].idle, 1);
}

#[tokio::test]
async fn invariant_14_an_upstream_that_does_not_read_stops_the_client() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (feed, body) = fed();
    let mut taken = 0_usize;
    let chunk = Bytes::from(vec![b'x'; 256 * 1024]);
    let mut answer = Box::pin(rig.send(Request::post("/").body(body).unwrap()));
    let upstream = async {
        let mut hand = fake.accept().await;
        hand.head().await;
        hand
    };
    let _unread = tokio::select! {
        hand = upstream => hand,
        _ = &mut answer => unreachable!("nobody has answered"),
    };
    // What sockets and hyper hold between them is a few MiB; a gateway that buffers takes it all.
    while taken < 256 {
        tokio::select! {
            sent = feed.send(Frame::data(chunk.clone())) => {
                sent.unwrap();
                taken += 1;
            }
            _ = &mut answer => unreachable!("nobody has answered"),
            () = tokio::time::sleep(Duration::from_millis(200)) => break,
        }
    }
    assert!(taken < 128, "{taken} chunks");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_sent() {
    let fake = FakeUpstream::new().await;
    let mut settings = fixtures::forward_settings();
    settings.max_body = Some(4);
    let rig = Rig::new(fake.settings(), &settings);
    let request = Request::post("/").body(Full::new(Bytes::from_static(b"12345"))).unwrap();
    let error = rig.send(request).await.unwrap_err();
    assert_eq!(error.fault(), ForwardFault::BodyTooLarge);
    assert_eq!(rig.upstream.state()[0].idle, 0);
    let exact = Request::post("/").body(Full::new(Bytes::from_static(b"1234"))).unwrap();
    let (answer, _seen) = join!(rig.send(exact), fake.answer(OK));
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
}

#[tokio::test]
async fn a_streamed_body_over_the_limit_is_broken_off() {
    let fake = FakeUpstream::new().await;
    let mut settings = fixtures::forward_settings();
    settings.max_body = Some(4);
    let mut upstream = fake.settings();
    upstream.ejection.after = 1;
    let rig = Rig::new(upstream, &settings);
    let frames = [data("123"), data("45")].map(Ok::<_, std::io::Error>);
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let (answer, hand) = join!(rig.send(Request::post("/").body(body).unwrap()), fake.accept());
    let error = answer.unwrap_err();
    assert_eq!((error.fault(), error.blame()), (ForwardFault::BodyTooLarge, ForwardBlame::Client));
    let seen = hand.rest().await;
    assert!(!seen.contains("45") && !seen.ends_with("0\r\n\r\n"), "never taken for whole: {seen:?}");
    assert!(!rig.upstream.state()[0].ejected, "not the server's fault");
}

#[tokio::test]
async fn a_client_that_breaks_off_or_falls_silent_is_to_blame() {
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.timeout.idle = Duration::from_millis(20);
    let rig = Rig::new(settings, &fixtures::forward_settings());
    let broken =
        StreamBody::new(futures_util::stream::iter([Err::<Frame<Bytes>, _>(std::io::Error::other("gone"))]));
    let (answer, _hand) = join!(rig.send(Request::post("/").body(broken).unwrap()), fake.accept());
    assert_eq!(answer.unwrap_err().fault(), ForwardFault::ClientBody);
    let (_feed, body) = fed();
    let (answer, _hand) = join!(rig.send(Request::post("/").body(body).unwrap()), fake.accept());
    assert_eq!(answer.unwrap_err().fault(), ForwardFault::ClientTimeout);
}

/// How long a body lasts whose client sends a byte every so often, and why it ends.
async fn lasts(rate: Option<u64>, every: Duration, bytes: usize) -> (u64, Option<ForwardFault>) {
    let reserved = Arc::new(ReservedHeaders::new([]));
    let limits = BodyLimits { max: None, idle: Duration::from_secs(60), rate, reserved };
    let (feed, body) = fed();
    let (mut body, exchange) = OutboundBody::new(body, limits);
    let start = tokio::time::Instant::now();
    let drip = async {
        for _ in 0..bytes {
            tokio::time::sleep(every).await;
            let _ = feed.send(data("x")).await;
        }
        std::future::pending::<()>().await;
    };
    let read = async { while let Some(Ok(_)) = body.frame().await {} };
    tokio::select! { () = read => {}, () = drip => {} }
    (start.elapsed().as_secs(), exchange.unwrap().fault())
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_has_its_time_and_no_more_and_one_that_drips_is_cut_where_the_route_says_so() {
    let second = Duration::from_secs(1);
    let late = Some(ForwardFault::ClientTimeout);
    assert_eq!(lasts(None, second, 0).await, (60, late));
    assert_eq!(lasts(None, 30 * second, 1).await, (90, late), "from the last byte, not twice that");
    assert_eq!(lasts(None, second, 100_000).await, (100_060, late), "without a rate it may drip for ever");
    let (lasted, fault) = lasts(Some(100), second, 100_000).await;
    assert!(lasted < 30 && fault == late, "{lasted} {fault:?}");
    assert_eq!(lasts(Some(1), second, 1000).await, (1020, late), "fast enough, until it falls silent");
}

#[tokio::test]
async fn the_route_says_how_slowly_a_client_may_send() {
    let fake = FakeUpstream::new().await;
    let mut settings = fixtures::forward_settings();
    settings.min_body_rate = Some(1000);
    let rig = Rig::new(fake.settings(), &settings);
    let (feed, body) = fed();
    let drip = async {
        let hand = fake.accept().await;
        tokio::time::pause();
        while feed.send(data("x")).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        hand
    };
    let (answer, _hand) = join!(rig.send(Request::put("/").body(body).unwrap()), drip);
    let error = answer.unwrap_err();
    assert_eq!(error.fault(), ForwardFault::ClientTimeout);
}

#[tokio::test]
async fn the_time_for_an_answer_begins_when_all_of_an_upload_is_there_and_is_not_doubled() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (feed, body) = fed();
    let upload = async {
        let mut hand = fake.accept().await;
        hand.head().await;
        tokio::time::pause();
        let start = tokio::time::Instant::now();
        tokio::time::sleep(Duration::from_secs(50)).await;
        feed.send(data("x")).await.unwrap();
        drop(feed);
        (hand, start)
    };
    let (answer, (_hand, start)) = join!(rig.send(Request::put("/").body(body).unwrap()), upload);
    assert_eq!(answer.unwrap_err().fault(), ForwardFault::ResponseTimeout);
    assert_eq!(start.elapsed().as_secs(), 50 + 60);
}

#[tokio::test]
async fn a_slow_upload_does_not_use_up_the_time_for_the_answer() {
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.timeout.response = Duration::from_millis(20);
    let rig = Rig::new(settings, &fixtures::forward_settings());
    let (feed, body) = fed();
    let upstream = async {
        let mut hand = fake.accept().await;
        hand.head().await;
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            feed.send(data("x")).await.unwrap();
        }
        drop(feed);
        hand.until("0\r\n\r\n").await;
        hand.say(OK).await;
        hand
    };
    let (answer, _hand) = join!(rig.send(Request::put("/").body(body).unwrap()), upstream);
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
}

#[tokio::test]
async fn invariant_9_trailers_are_filtered_in_both_directions() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let trailers = fixtures::map(&[("x-sum", "1"), ("x-auth-request-user", "root"), ("remote_user", "root")]);
    let frames = [data("body"), Frame::trailers(trailers)].map(Ok::<_, std::io::Error>);
    let mut request = Request::post("/").body(StreamBody::new(futures_util::stream::iter(frames))).unwrap();
    *request.headers_mut() = fixtures::map(&[("trailer", "x-sum, x-auth-request-user, remote_user")]);
    let upstream = async {
        let mut hand = fake.accept().await;
        hand.head().await;
        let body = hand.until("\r\n\r\n").await;
        hand.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n0\r\nX-Sum: 2\r\nSet-Cookie: a=1\r\nContent-Length: 7\r\n\r\n").await;
        (hand, body)
    };
    let (answer, (_hand, body)) = join!(rig.send(request), upstream);
    assert_eq!(body, "4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n");
    let whole = answer.unwrap().into_body().collect().await.unwrap();
    assert_eq!(whole.trailers(), Some(&fixtures::map(&[("x-sum", "2")])));
}

fn expecting(rig: &Rig) -> Rig {
    Rig::new(rig.upstream.settings().clone(), &fixtures::forward_settings())
}

const EXPECT: &str =
    "POST / HTTP/1.1\r\nHost: wiki.corp.example\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";

#[tokio::test]
async fn a_client_is_asked_for_its_body_when_the_upstream_asks() {
    let fake = FakeUpstream::new().await;
    let rig = Arc::new(expecting(&fake.rig()));
    let mut browser = client(&rig).await;
    browser.say(EXPECT).await;
    let mut hand = fake.accept().await;
    assert!(hand.head().await.contains("expect: 100-continue\r\n"));
    hand.say("HTTP/1.1 100 Continue\r\n\r\n").await;
    assert_eq!(browser.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    browser.say("body").await;
    hand.until("body").await;
    hand.say(OK).await;
    assert!(browser.until("ok").await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn a_refused_body_is_never_asked_for_and_never_sent() {
    let fake = FakeUpstream::new().await;
    let rig = Arc::new(expecting(&fake.rig()));
    let mut browser = client(&rig).await;
    browser.say(EXPECT).await;
    let (hand, _) = fake.answer("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno").await;
    let answer = browser.until("no").await;
    assert!(answer.starts_with("HTTP/1.1 417 Expectation Failed\r\n"), "{answer}");
    assert_eq!(hand.rest().await, "", "the connection is closed without a byte of the body");
}

#[tokio::test]
async fn an_upstream_that_knows_no_expectations_gets_the_body_after_a_while() {
    let fake = FakeUpstream::new().await;
    let rig = Arc::new(expecting(&fake.rig()));
    let mut browser = client(&rig).await;
    browser.say(EXPECT).await;
    let mut hand = fake.accept().await;
    hand.head().await;
    assert_eq!(browser.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    browser.say("body").await;
    hand.until("body").await;
}

#[tokio::test]
async fn a_get_with_a_body_keeps_it() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let frames = [data("why")].map(Ok::<_, std::io::Error>);
    let request = Request::get("/").body(StreamBody::new(futures_util::stream::iter(frames))).unwrap();
    let upstream = async {
        let mut hand = fake.accept().await;
        hand.until("3\r\nwhy\r\n0\r\n\r\n").await;
        hand.say(OK).await;
        hand
    };
    let (answer, _hand): (Result<Response<UpstreamBody>, _>, _) = join!(rig.send(request), upstream);
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
    assert_eq!(*get("/").headers(), HeaderMap::new());
}
