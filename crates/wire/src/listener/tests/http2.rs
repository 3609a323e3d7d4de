//! HTTP/2.

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};

use super::*;

pub(super) async fn client<S>(stream: S) -> http2::SendRequest<Full<Bytes>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub(super) fn request(uri: &str) -> Request<Full<Bytes>> {
    Request::get(uri).body(Full::default()).unwrap()
}

fn h2c() -> ListenerSettings {
    ListenerSettings { h2c: true, ..clear() }
}

#[tokio::test]
async fn prior_knowledge_is_understood_only_where_it_is_allowed() {
    let server = TestServer::start(&h2c(), ConnectionLimits::default());
    let mut client = client(server.connect().await).await;
    let answer = client.send_request(request("http://a/two")).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert!(server.exchange(LAST).await.starts_with("HTTP/1.1 200 "), "HTTP/1.1 goes on beside it");

    let server = TestServer::plain();
    let answer = server.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(!answer.contains("200"), "{answer}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn invariant_12_fields_that_frame_http_1_do_not_pass_in_http_2() {
    let server = TestServer::start(&h2c(), ConnectionLimits::default());
    // HEADERS with a literal `transfer-encoding: chunked` (RFC 9113, section 8.2.2: malformed).
    let block = [&b"\x82\x86\x84\x41\x01a\x00\x11transfer-encoding\x07chunked"[..]].concat();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend([0, 0, u8::try_from(block.len()).unwrap(), 1, 5, 0, 0, 0, 1]);
    bytes.extend(&block);
    let mut stream = server.connect().await;
    stream.write_all(&bytes).await.unwrap();
    let reset = loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; usize::from(head[2])];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == 3 || head[3] == 7 {
            break head[3];
        }
        assert_ne!(head[3], 1, "no answer");
    };
    assert!(matches!(reset, 3 | 7));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn draining_ends_streams_under_way_and_then_the_connection() {
    let server = TestServer::start(&h2c(), ConnectionLimits::default());
    let mut client = client(server.connect().await).await;
    let answer = tokio::spawn(client.send_request(request("http://a/wait")));
    server.begun("http://a/wait").await;
    server.phase.send(Phase::Drain(Duration::from_secs(3600))).unwrap();
    server.handler.gate.add_permits(1);
    let answer = answer.await.unwrap().unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"GET http://a/wait"), "{body:?}");
    server.task.await.unwrap();
}

#[tokio::test]
async fn invariant_14_a_flood_of_resets_ends_the_connection() {
    let server = TestServer::start(&h2c(), ConnectionLimits::default());
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for stream in (1_u32..4001).step_by(2) {
        let id = stream.to_be_bytes();
        bytes.extend([&[0, 0, 6, 1, 5], &id[..], b"\x82\x86\x84\x41\x01a"].concat());
        bytes.extend([&[0, 0, 4, 3, 0], &id[..], &[0, 0, 0, 8]].concat());
    }
    server.exchange(&bytes).await;
    assert!(server.seen().len() < 200, "{} requests were run", server.seen().len());
}

#[tokio::test]
async fn invariant_14_endless_continuation_frames_end_the_connection() {
    let server = TestServer::start(&h2c(), ConnectionLimits::default());
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend(b"\0\0\x06\x01\x01\0\0\0\x01\x82\x86\x84\x41\x01a");
    let field = b"\x40\x01x\x7f\x81\x07".iter().copied().chain([b'y'; 256]);
    let field: Vec<u8> = field.collect();
    for _ in 0..2000 {
        bytes.extend([0, 1, 6, 9, 0, 0, 0, 0, 1]);
        bytes.extend(&field);
    }
    server.exchange(&bytes).await;
    assert!(server.seen().is_empty());
}
