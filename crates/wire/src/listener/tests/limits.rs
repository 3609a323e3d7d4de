//! Time and numbers (invariant 14). Where time is paused it leaps as soon as everybody waits.

use super::*;

#[tokio::test(start_paused = true)]
async fn invariant_14_a_head_that_does_not_end_is_cut_off() {
    let server = TestServer::plain();
    let mut stream = server.connect().await;
    stream.write_all(GET).await.unwrap();
    read_answer(&mut stream).await;
    tokio::time::sleep(ConnectionLimits::default().head * 2).await;
    let begun = tokio::time::Instant::now();
    stream.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let drip = async {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        text = read_to_end(&mut reader) => assert_eq!(text, ""),
        () = drip => {}
    }
    let spent = begun.elapsed();
    let limit = ConnectionLimits::default().head;
    assert!(spent >= limit && spent < limit + SHORT, "{spent:?}");
    assert_eq!(server.refused(ConnectionRefusal::Slow), 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed_after_the_idle_limit_and_not_before() {
    let server = TestServer::plain();
    let mut stream = server.connect().await;
    let idle = ConnectionLimits::default().idle;
    for _ in 0..2 {
        stream.write_all(GET).await.unwrap();
        assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 200 "));
        tokio::time::sleep(idle - SHORT).await;
    }
    stream.write_all(GET).await.unwrap();
    read_answer(&mut stream).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(read_to_end(&mut stream).await, "");
    assert!(begun.elapsed() >= idle && begun.elapsed() < idle + SHORT, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn invariant_14_the_first_byte_is_due_as_soon_as_a_head() {
    let server = TestServer::plain();
    let (begun, mut stream) = (tokio::time::Instant::now(), server.connect().await);
    assert_eq!(read_to_end(&mut stream).await, "");
    let limit = ConnectionLimits::default().head;
    assert!(begun.elapsed() >= limit && begun.elapsed() < limit + SHORT, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_request_under_way_is_not_idle() {
    let server = TestServer::plain();
    let mut stream = server.connect().await;
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    server.begun("/wait").await;
    tokio::time::sleep(ConnectionLimits::default().idle * 10).await;
    server.handler.gate.add_permits(1);
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(start_paused = true)]
async fn invariant_14_a_peer_that_reads_nothing_is_cut_off() {
    let server = TestServer::plain();
    let mut stream = server.connect().await;
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.begun("/big").await;
    tokio::time::sleep(ConnectionLimits::default().idle * 3).await;
    assert_eq!(server.refused(ConnectionRefusal::Stalled), 1);
    assert!(read_to_end(&mut stream).await.len() < 64 << 20);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_and_all_the_time_is_not_cut_off() {
    let server = TestServer::plain();
    let mut stream = server.connect().await;
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut room = vec![0; 1 << 20];
    for _ in 0..30 {
        stream.read_exact(&mut room).await.expect("the connection goes on");
        tokio::time::sleep(ConnectionLimits::default().idle / 10).await;
    }
    assert_eq!(server.refused(ConnectionRefusal::Stalled), 0);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_seat() {
    let limits = ConnectionLimits { max_connections: 2, ..ConnectionLimits::default() };
    let server = TestServer::start(&clear(), limits);
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    for (stream, target) in [(&mut first, "/wait"), (&mut second, "/wait?2")] {
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        server.begun(target).await;
    }
    let mut third = server.connect().await;
    third.write_all(LAST).await.unwrap();
    tokio::time::sleep(SHORT / 10).await;
    assert_eq!(server.serving.load().stats().accepted(), 2, "the third waits");
    drop(second);
    assert!(read_to_end(&mut third).await.contains("/last"));
    assert_eq!(server.refused(ConnectionRefusal::Evicted), 0);
    server.handler.gate.add_permits(1);
    assert!(read_answer(&mut first).await.contains("/wait"));
}

#[tokio::test]
async fn invariant_26_silent_connections_yield_to_newcomers() {
    let limits = ConnectionLimits { max_connections: 2, ..ConnectionLimits::default() };
    let server = TestServer::start(&clear(), limits);
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.begun("/wait").await;
    let mut silent = vec![server.connect().await];
    for _ in 0..20 {
        assert!(server.exchange(LAST).await.contains("/last"));
        silent.push(server.connect().await);
    }
    server.handler.gate.add_permits(1);
    assert!(read_answer(&mut busy).await.contains("/wait"), "who is busy stays");
    assert_eq!(read_to_end(&mut silent[0]).await, "");
}

#[tokio::test]
async fn a_panic_in_the_handler_ends_one_connection_only() {
    let server = TestServer::plain();
    assert_eq!(server.exchange(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await, "");
    assert!(server.exchange(LAST).await.starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_bind_error_names_the_address_and_says_what_to_do() {
    let taken = bind(&clear(), false).unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(&ListenerSettings { address, ..clear() }, false).unwrap_err().to_string();
    assert!(error.contains(&address.to_string()) && error.contains("choose another port"), "{error}");
    let foreign = "192.0.2.1:0".parse().unwrap();
    let error = bind(&ListenerSettings { address: foreign, ..clear() }, false).unwrap_err().to_string();
    assert!(error.contains("no such address"), "{error}");
}

#[test]
fn workers_share_an_address() {
    let first = bind(&clear(), true).unwrap();
    let address = first.local_addr().unwrap();
    bind(&ListenerSettings { address, ..clear() }, true).unwrap();
}
