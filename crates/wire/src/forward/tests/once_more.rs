//! What may be done twice is asked once more where a kept connection ends, and nothing else.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use tokio::join;

use super::support::{FakeUpstream, get, text};
use crate::forward::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that closes a kept connection as the next request arrives: with an end or with a reset.
async fn closing(method: Method, reset: bool) -> (Result<String, ForwardFault>, usize) {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (answer, (mut hand, _)) = join!(rig.get("/"), fake.answer(OK));
    text(answer.unwrap()).await.unwrap();
    let mut request = get("/");
    *request.method_mut() = method;
    let seen = AtomicUsize::new(0);
    let server = async {
        hand.head().await;
        seen.fetch_add(1, Ordering::SeqCst);
        if reset {
            hand.reset()
        } else {
            drop(hand)
        }
        let _second = fake.answer(OK).await;
        seen.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>().await;
    };
    let ask = async {
        let answer = rig.send(request).await.map_err(|error| error.fault())?;
        Ok(text(answer).await.unwrap())
    };
    let told = tokio::select! { told = ask => told, () = server => unreachable!("it waits for ever") };
    (told, seen.load(Ordering::SeqCst))
}

#[tokio::test]
async fn what_can_be_done_twice_is_asked_once_more_where_a_kept_connection_ends() {
    for reset in [false, true] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::DELETE, Method::PUT] {
            let body = if method == Method::HEAD { "" } else { "ok" };
            assert_eq!(closing(method.clone(), reset).await, (Ok(body.to_owned()), 2), "{method}");
        }
        for method in [Method::POST, Method::PATCH] {
            assert_eq!(closing(method.clone(), reset).await, (Err(ForwardFault::Reset), 1), "{method}");
        }
    }
}

#[tokio::test]
async fn nothing_is_asked_again_that_was_partly_answered_or_had_a_body() {
    for (begun, body) in [("HTTP/1.1 200", ""), ("HTTP/1.1 103 Early Hints\r\n\r\n", ""), ("", "x")] {
        let fake = FakeUpstream::new().await;
        let rig = fake.rig();
        let (answer, (mut hand, _)) = join!(rig.get("/"), fake.answer(OK));
        text(answer.unwrap()).await.unwrap();
        let server = async {
            hand.head().await;
            hand.until(body).await;
            hand.say(begun).await;
            drop(hand);
        };
        let request = Request::put("/").body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap();
        let (answer, ()) = join!(rig.send(request), server);
        assert_eq!(answer.unwrap_err().fault(), ForwardFault::Reset, "{begun:?} {body:?}");
    }
}

/// A server that is dead closes every connection: it is asked twice, not for ever.
#[tokio::test]
async fn a_request_that_was_asked_once_more_is_not_asked_again() {
    let fake = FakeUpstream::new().await;
    let rig = fake.rig();
    let (answer, (mut hand, _)) = join!(rig.get("/"), fake.answer(OK));
    text(answer.unwrap()).await.unwrap();
    let server = async {
        hand.head().await;
        drop(hand);
        let mut second = fake.accept().await;
        second.head().await;
    };
    let (fault, ()) = join!(rig.fault(), server);
    assert_eq!(fault, ForwardFault::Reset);
}
