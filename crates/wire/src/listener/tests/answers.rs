//! Answers on the wire, and what becomes of the connection after them (RFC 9112, sections 6 and 9).

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};

use super::*;

/// Answers as the target says: `/length/N`, `/chunked`, `/status/N`, `/early` before it has read the body,
/// `/elsewhere` once another task has read it, `/broken` half.
#[derive(Clone, Debug)]
struct Answerer;

/// So many pieces of ten bytes, and a length where one is told.
struct TenByteFrames {
    left: u64,
    told: Option<u64>,
    breaks: bool,
}

impl Body for TenByteFrames {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"0123456789")))))
            }
            None if std::mem::take(&mut self.breaks) => {
                Poll::Ready(Some(Err(std::io::ErrorKind::BrokenPipe.into())))
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 && !self.breaks
    }

    fn size_hint(&self) -> SizeHint {
        self.told.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Handler for Answerer {
    type Body = TenByteFrames;

    async fn handle(&self, _: &Arc<Transport>, request: Request<RequestBody>) -> Response<TenByteFrames> {
        let target = request.uri().path().to_owned();
        let (_, kind, number) = {
            let mut parts = target.splitn(3, '/');
            (parts.next(), parts.next().unwrap(), parts.next().unwrap_or("1").parse::<u64>().unwrap())
        };
        let pieces = |left, told| TenByteFrames { left, told, breaks: false };
        let mut response = Response::new(match kind {
            "chunked" => pieces(number, None),
            "broken" => TenByteFrames { left: 1, told: None, breaks: true },
            "short" => pieces(1, Some(20)),
            "long" => pieces(2, Some(10)),
            "status" => pieces(0, Some(0)),
            _ => pieces(number, Some(number * 10)),
        });
        if kind == "status" {
            *response.status_mut() = StatusCode::from_u16(u16::try_from(number).unwrap()).unwrap();
        }
        match kind {
            "early" => {}
            "elsewhere" => {
                let read = tokio::spawn(request.into_body().collect()).await.unwrap().unwrap().to_bytes();
                *response.body_mut() = pieces(read.len() as u64 / 10, Some(read.len() as u64));
            }
            _ => drop(request.into_body().collect().await),
        }
        response
    }
}

/// Everything that comes back for `bytes` until the server closes.
async fn answers(bytes: &[u8]) -> String {
    let mut stream = connect().await;
    let (mut reader, mut writer) = stream.split();
    let (_, text) = tokio::join!(writer.write_all(bytes), read_to_end(&mut reader));
    text
}

async fn connect() -> TcpStream {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = Serving::load(&clear(), ConnectionLimits::default(), None).unwrap();
    let (phase, phases) = watch::channel(Phase::Serve);
    tokio::spawn(async move {
        serve(listener, Arc::new(ArcSwap::from_pointee(serving)), Answerer, WorkerId(0), phases).await;
        drop(phase);
    });
    TcpStream::connect(address).await.unwrap()
}

/// Without `date`, whose value is the time's.
fn undated(text: &str) -> String {
    let lines = text.split_inclusive("\r\n").filter(|line| !line.starts_with("date: "));
    lines.collect()
}

const END: &str = "GET /length/0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const ENDED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn invariant_12_an_answer_is_framed_in_one_way() {
    for (request, expected) in [
        ("GET /length/2 HTTP/1.1", "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n01234567890123456789"),
        ("HEAD /length/2 HTTP/1.1", "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n"),
        (
            "GET /chunked/2 HTTP/1.1",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
        ),
        ("GET /chunked/0 HTTP/1.1", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("HEAD /chunked/2 HTTP/1.1", "HTTP/1.1 200 OK\r\n\r\n"),
        ("GET /status/204 HTTP/1.1", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET /status/304 HTTP/1.1", "HTTP/1.1 304 Not Modified\r\n\r\n"),
        ("GET /status/404 HTTP/1.1", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
        ("GET /status/799 HTTP/1.1", "HTTP/1.1 799 \r\ncontent-length: 0\r\n\r\n"),
        (
            "GET /length/1 HTTP/1.0\r\nConnection: keep-alive",
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: keep-alive\r\n\r\n0123456789",
        ),
    ] {
        let text = answers(format!("{request}\r\nHost: a\r\n\r\n{END}").as_bytes()).await;
        assert_eq!(undated(&text), format!("{expected}{ENDED}"), "{request}");
    }
}

#[tokio::test]
async fn invariant_12_what_http_1_0_cannot_frame_ends_with_the_connection() {
    let text =
        answers(format!("GET /chunked/2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n{END}").as_bytes()).await;
    assert_eq!(undated(&text), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n01234567890123456789");
}

#[tokio::test]
async fn invariant_12_an_answer_that_is_not_what_it_said_ends_the_connection() {
    for (target, expected) in [
        ("/broken", "transfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n"),
        ("/short", "content-length: 20\r\n\r\n0123456789"),
        ("/long", "content-length: 10\r\n\r\n0123456789"),
    ] {
        let text =
            undated(&answers(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n{END}").as_bytes()).await);
        let whole = format!("HTTP/1.1 200 OK\r\n{expected}");
        // What was not written yet when the body broke off may be left out.
        assert!(whole.starts_with(&text), "{target}: {text:?}");
        assert!(!text.ends_with("0\r\n\r\n"), "{target} looks whole");
    }
}

#[tokio::test]
async fn invariant_12_what_follows_a_body_that_nobody_read_is_no_request() {
    let unread = format!("POST /early/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n{END}");
    let text = undated(&answers(unread.as_bytes()).await);
    assert_eq!(text, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n0123456789");
    let whole = format!("POST /early/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello{END}");
    let text = undated(&answers(whole.as_bytes()).await);
    assert_eq!(text, format!("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789{ENDED}"));
}

#[tokio::test]
async fn an_answer_reaches_who_is_still_sending() {
    let head = "POST /early/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
    let text = answers(&[head.as_bytes(), &vec![b'x'; 1_000_000]].concat()).await;
    assert!(text.ends_with("\r\n\r\n0123456789"), "{text:?}");
}

#[tokio::test]
async fn a_body_is_asked_for_where_the_client_waits_and_somebody_reads() {
    let mut stream = connect().await;
    let head = b"POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let told = read_answer(&mut stream).await;
    assert_eq!(told, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"0123456789").await.unwrap();
    assert!(read_answer(&mut stream).await.ends_with("\r\n\r\n0123456789"));
    let head = b"POST /early/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let text = read_to_end(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 200 ") && text.contains("connection: close"), "{text}");
}

#[tokio::test]
async fn a_body_is_read_by_whatever_task_wants_it() {
    let body = vec![b'x'; 3_000_000];
    let chunks: Vec<u8> = body
        .chunks(70_000)
        .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
        .collect();
    let length = format!("POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    let chunked = b"POST /elsewhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let requests = [length.as_bytes(), &body, chunked, &chunks, b"0\r\n\r\n", END.as_bytes()].concat();
    let text = answers(&requests).await;
    assert_eq!(text.matches("content-length: 3000000\r\n").count(), 2);
    assert!(undated(&text).ends_with(ENDED));
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_request_with_it() {
    for (more, body) in [("", "Content-Length: 5\r\n"), ("GET /next HTTP/1.1\r\nHost: a\r\n\r\n", "")] {
        let server = TestServer::plain();
        let mut stream = server.connect().await;
        let request = format!("POST /wait HTTP/1.1\r\nHost: a\r\n{body}\r\n{more}");
        stream.write_all(request.as_bytes()).await.unwrap();
        server.begun("/wait").await;
        drop(stream);
        server.phase.send(Phase::Drain(Duration::from_secs(3600))).unwrap();
        tokio::time::timeout(SHORT * 10, server.task).await.expect("it is over").unwrap();
        assert_eq!(server.handler.seen.lock().unwrap().len(), 1, "nothing came after its beginning");
    }
}
