//! When a connection is used again, and when it must not be.

use std::time::Duration;

use http::Request;
use http_body_util::Full;
use tokio::join;
use tokio::time::timeout;

use super::support::{FakeUpstream, RawConnection, Rig, client, get, text};
use crate::forward::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Lets every task that can run do so.
async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

async fn again(rig: &Rig, hand: &mut RawConnection) {
    let upstream = async {
        hand.head().await;
        hand.say(OK).await;
    };
    assert_eq!(text(join!(rig.get("/"), upstream).0.unwrap()).await.unwrap(), "ok");
}

#[tokio::test]
async fn a_whole_exchange_leaves_its_connection_for_the_next() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (answer, (mut hand, _)) = join!(rig.get("/"), fake.answer(OK));
    assert_eq!(rig.upstream.state()[0].active, 1);
    text(answer.unwrap()).await.unwrap();
    assert_eq!((rig.upstream.state()[0].active, rig.upstream.state()[0].idle), (0, 1));
    again(&rig, &mut hand).await;
    again(&rig, &mut hand).await;
    assert_eq!(rig.upstream.state()[0].idle, 1);
}

#[tokio::test]
async fn bodiless_responses_leave_their_connection_too() {
    for response in
        ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"]
    {
        let fake = FakeUpstream::new().await;
        let rig = fake.rig();
        let (answer, (mut hand, _)) = join!(rig.get("/"), fake.answer(response));
        drop(answer.unwrap());
        again(&rig, &mut hand).await;
    }
}

#[tokio::test]
async fn an_abandoned_response_takes_its_connection_along() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (answer, (hand, _)) =
        join!(rig.get("/"), fake.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"));
    drop(answer.unwrap());
    assert_eq!(hand.rest().await, "");
    assert_eq!(rig.upstream.state()[0].idle, 0);
}

#[tokio::test]
async fn invariant_12_bytes_after_a_response_are_no_answer_to_the_next_request() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let poisoned = format!("{OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
    let (answer, (_hand, _)) = join!(rig.get("/"), fake.answer(&poisoned));
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
    let (answer, _seen) = join!(rig.get("/"), fake.answer(OK));
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok", "over another connection");
}

#[tokio::test]
async fn invariant_12_an_answer_that_nobody_asked_for_spoils_its_connection_whoever_looks_first() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (answer, (mut hand, _)) = join!(rig.get("/"), fake.answer(OK));
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
    hand.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison").await;
    // As a scrape of the metrics does.
    let noticed = async {
        while rig.upstream.state()[0].idle > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), noticed).await.expect("nobody notices");
    let (answer, _seen) = join!(rig.get("/"), fake.answer(OK));
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok", "over another connection");
}

#[tokio::test]
async fn however_many_connections_died_each_is_passed_over() {
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.keep_idle = 256;
    let rig = Rig::new(settings, &fixtures::forward_settings());
    let mut hands = Vec::new();
    let mut answers = Vec::new();
    for _ in 0..150 {
        let (answer, (hand, _)) = join!(rig.get("/"), fake.answer(OK));
        answers.push(answer.unwrap());
        hands.push(hand);
    }
    for answer in answers {
        text(answer).await.unwrap();
    }
    drop(hands);
    for _ in 0..8 {
        settle().await;
    }
    let next = async { join!(rig.get("/"), fake.answer(OK)) };
    let (answer, _seen) = timeout(Duration::from_secs(20), next).await.expect("a dead one was lent");
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
}

#[tokio::test]
async fn a_connection_that_died_while_it_waited_is_passed_over() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (answer, (hand, _)) = join!(rig.get("/"), fake.answer(OK));
    text(answer.unwrap()).await.unwrap();
    drop(hand);
    // Until its end is noticed a request may still leave over it, and is then not sent again.
    while rig.upstream.state()[0].idle > 0 {
        tokio::task::yield_now().await;
    }
    let (answer, _seen) = join!(rig.get("/"), fake.answer(OK));
    assert_eq!(text(answer.unwrap()).await.unwrap(), "ok");
}

#[tokio::test]
async fn an_answer_before_the_request_is_whole_ends_its_connection() {
    let fake = FakeUpstream::new().await;
    let rig = std::sync::Arc::new(fake.rig());
    let mut browser = client(&rig).await;
    browser.say("POST / HTTP/1.1\r\nHost: wiki.corp.example\r\nContent-Length: 9\r\n\r\nhalf").await;
    let (hand, _) = fake.answer(OK).await;
    assert!(browser.until("ok").await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(hand.rest().await, "half");
    assert_eq!(rig.upstream.state()[0].idle, 0);
}

#[tokio::test]
async fn only_so_many_connections_wait() {
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.keep_idle = 1;
    let rig = Rig::new(settings, &fixtures::forward_settings());
    let (one, two, _a, _b) = {
        let upstream = async { (fake.answer(OK).await, fake.answer(OK).await) };
        let (one, two, (a, b)) = join!(rig.get("/1"), rig.get("/2"), upstream);
        (one, two, a, b)
    };
    text(one.unwrap()).await.unwrap();
    text(two.unwrap()).await.unwrap();
    settle().await;
    assert_eq!(rig.upstream.state()[0].idle, 1);
    rig.upstream.close_idle();
    assert_eq!(rig.upstream.state()[0].idle, 0);
}

#[tokio::test]
async fn workers_share_no_connections() {
    let fake = FakeUpstream::new().await;
    let mut rig = fake.rig();
    rig.upstream = Upstream::new(fake.settings(), 2).unwrap();
    let (answer, _seen) = join!(rig.get("/"), fake.answer(OK));
    text(answer.unwrap()).await.unwrap();
    let other = rig.upstream.enter(crate::request::WorkerId(1), 0);
    assert_eq!(other.pool().close_dead_and_count(), 0);
    assert_eq!(rig.upstream.state()[0].idle, 1);
}

#[tokio::test]
async fn a_sent_body_is_stated_once_by_its_own_length() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    for (sent, expected) in [("", Some("0")), ("hello", Some("5"))] {
        let mut request = Request::post("/").body(Full::new(bytes::Bytes::from(sent))).unwrap();
        *request.headers_mut() = fixtures::map(&[
            ("content-length", "77"),
            ("content-length", "78"),
            ("transfer-encoding", "gzip"),
        ]);
        let upstream = async {
            let mut hand = fake.accept().await;
            let head = hand.head().await;
            let body = hand.until(sent).await;
            hand.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").await;
            (head, body)
        };
        let (answer, (head, body)) = join!(rig.send(request), upstream);
        text(answer.unwrap()).await.unwrap();
        let lengths: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("content-length: ")).collect();
        assert_eq!(lengths, expected.into_iter().collect::<Vec<_>>());
        assert!(body == sent && !head.contains("transfer-encoding"));
    }
    assert!(get("/").headers().is_empty());
}
