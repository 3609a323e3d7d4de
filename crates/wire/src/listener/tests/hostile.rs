//! Requests that are made to be misread (invariant 12) or to cost (invariant 14).

use super::*;

/// Sends `bytes` and then a request of its own behind them, as a smuggler would.
async fn refused(bytes: &[u8]) -> (String, Vec<String>) {
    let server = TestServer::plain();
    let answer = server.exchange(&[bytes, LAST].concat()).await;
    (answer, server.seen())
}

#[tokio::test]
async fn invariant_12_ambiguous_requests_get_400_and_reach_nobody() {
    let cases: &[&[u8]] = &[
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\nY: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /admin#/public HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.10\r\nHost: a\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n\0",
    ];
    for case in cases {
        let (answer, seen) = refused(case).await;
        let shown = String::from_utf8_lossy(case);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{shown:?} got {answer:?}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "one answer, then the end: {shown:?}");
        assert!(seen.is_empty(), "{shown:?} reached the handler: {seen:?}");
    }
}

#[tokio::test]
async fn invariant_12_a_chunked_body_that_lies_ends_the_connection() {
    let head = "POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let bodies = [
        "+1\r\na\r\n0\r\n\r\n",
        "0x1\r\na\r\n0\r\n\r\n",
        "1\na\n0\n\n",
        "1\r\nab\r\n0\r\n\r\n",
        "g\r\n",
        "\r\n",
    ];
    for body in bodies {
        let (answer, seen) = refused(format!("{head}{body}").as_bytes()).await;
        assert!(seen.is_empty(), "{body:?} reached the handler whole: {seen:?}");
        assert!(!answer.contains("/last"), "{body:?}: what follows is not a request");
    }
}

#[tokio::test]
async fn invariant_12_an_ambiguous_request_behind_a_good_one_is_refused_all_the_same() {
    let server = TestServer::plain();
    let body = b"POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    let answers = server.exchange(&[body, &b"GET /two HTTP/1.1\nHost: a\r\n\r\n"[..], LAST].concat()).await;
    assert_eq!(server.seen(), ["POST /one [abc] 127.0.0.1 http"]);
    assert!(answers.contains("HTTP/1.1 400 "), "{answers:?}");
    assert!(!answers.contains("/last"));
    assert_eq!(server.refused(ConnectionRefusal::Ambiguous), 1);
}

#[tokio::test]
async fn good_requests_on_one_connection_are_all_answered() {
    let server = TestServer::plain();
    let chunked =
        b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"\n\"\r\n#\n#\r\n0\r\n\r\n";
    let chunked = String::from_utf8_lossy(chunked).replace("3;x=\"\n\"", "3;x=y").into_bytes();
    let length = b"PUT /l HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\nGET / HTTP/1.1\n\n";
    server.exchange(&[GET, &chunked, &length[..], b"\r\n", LAST].concat()).await;
    let targets = ["GET / []", "POST /c [#\n#]", "PUT /l [GET / HTTP/1.1\n\n]", "GET /last []"];
    assert_eq!(server.seen(), targets.map(|target| format!("{target} 127.0.0.1 http")));
}

#[tokio::test]
async fn http_1_0_closes_unless_it_asks_to_stay() {
    let server = TestServer::plain();
    server.exchange(&[&b"GET /old HTTP/1.0\r\n\r\n"[..], LAST].concat()).await;
    assert_eq!(server.seen().len(), 1, "the second request is not read");
    let stay = b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    server.exchange(&[&stay[..], LAST].concat()).await;
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn invariant_14_a_head_too_large_gets_431() {
    let limits = ConnectionLimits { max_head: 9000, max_fields: 20, ..ConnectionLimits::default() };
    let server = TestServer::start(&clear(), limits);
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(9000));
    let endless = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(20));
    for head in [large, endless, many] {
        let answer = server.exchange(head.as_bytes()).await;
        // Where more is unread than the kernel keeps, the reset may overtake the answer.
        assert!(answer.starts_with("HTTP/1.1 431 ") || answer.is_empty(), "{answer:?}");
    }
    assert!(server.seen().is_empty());
    assert_eq!(server.refused(ConnectionRefusal::TooLarge), 3);
    let enough = format!("GET / HTTP/1.1\r\nHost: a\r\n{}Connection: close\r\n\r\n", "X: y\r\n".repeat(18));
    assert!(server.exchange(enough.as_bytes()).await.starts_with("HTTP/1.1 200 "));
}
