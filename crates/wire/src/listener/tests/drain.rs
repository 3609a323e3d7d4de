//! Ending.

use super::*;

#[tokio::test]
async fn draining_lets_a_request_end_and_closes_idle_connections() {
    let server = TestServer::plain();
    let mut idle = server.connect().await;
    idle.write_all(GET).await.unwrap();
    read_answer(&mut idle).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.begun("/wait").await;

    server.phase.send(Phase::Drain(Duration::from_secs(3600))).unwrap();
    assert_eq!(read_to_end(&mut idle).await, "", "an idle connection is closed");
    assert!(!server.task.is_finished());
    server.handler.gate.add_permits(1);
    let answer = read_to_end(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close"), "{answer}");
    server.task.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_in_time_is_cut() {
    let server = TestServer::plain();
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.begun("/wait").await;
    let begun = tokio::time::Instant::now();
    server.phase.send(Phase::Drain(Duration::from_secs(30))).unwrap();
    assert_eq!(read_to_end(&mut busy).await, "");
    assert!(begun.elapsed() >= Duration::from_secs(30));
    server.task.await.unwrap();
}

#[tokio::test]
async fn a_stop_while_draining_ends_at_once() {
    let server = TestServer::plain();
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.begun("/wait").await;
    server.phase.send(Phase::Drain(Duration::from_secs(3600))).unwrap();
    server.phase.send(Phase::Stop).unwrap();
    assert_eq!(read_to_end(&mut busy).await, "");
    server.task.await.unwrap();
}

#[tokio::test]
async fn an_upgraded_stream_is_no_longer_http_and_is_waited_for() {
    let server = TestServer::plain();
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
        .await
        .unwrap();
    assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 101 "));
    server.phase.send(Phase::Drain(Duration::from_secs(3600))).unwrap();
    for line in ["POST / HTTP/1.1\n#\n", "\n\0"] {
        stream.write_all(line.as_bytes()).await.unwrap();
        let mut echoed = vec![0; line.len()];
        stream.read_exact(&mut echoed).await.unwrap();
        assert_eq!(echoed, line.as_bytes());
    }
    assert!(!server.task.is_finished());
    drop(stream);
    server.task.await.unwrap();
}

#[tokio::test]
async fn draining_waits_for_a_head_that_has_begun() {
    let server = TestServer::plain();
    let mut stream = server.connect().await;
    stream.write_all(GET).await.unwrap();
    read_answer(&mut stream).await;
    let (first, second) = b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n".split_at(9);
    stream.write_all(&[GET, first].concat()).await.unwrap();
    read_answer(&mut stream).await;
    server.phase.send(Phase::Drain(Duration::from_secs(3600))).unwrap();
    tokio::task::yield_now().await;
    stream.write_all(second).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.contains("/late") && answer.contains("connection: close"), "{answer:?}");
    server.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn invariant_14_draining_does_not_wait_for_a_head_that_does_not_end() {
    let server = TestServer::plain();
    let mut stream = server.connect().await;
    stream.write_all(&[GET, b"GET /never"].concat()).await.unwrap();
    read_answer(&mut stream).await;
    let begun = tokio::time::Instant::now();
    server.phase.send(Phase::Drain(Duration::from_secs(3600))).unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
    server.task.await.unwrap();
    assert!(begun.elapsed() <= ConnectionLimits::default().head + SHORT, "{:?}", begun.elapsed());
}
