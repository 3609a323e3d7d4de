//! What is use of a session, and what is not: a forgotten tab idles out, somebody at work does not.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{World, events, sockets};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The cookie of somebody who has just signed in.
async fn cookie(world: &World) -> String {
    let browser = world.signed_in().await;
    format!("portcullis={}", browser.cookie(&world.gateway.url("/"), "portcullis").unwrap())
}

async fn socket(world: &World) -> Socket {
    let mut request = format!("ws://127.0.0.1:{}/socket", world.gateway.port).into_client_request().unwrap();
    request.headers_mut().insert("cookie", cookie(world).await.parse().unwrap());
    connect_async(request).await.unwrap().0
}

async fn event_stream(world: &World, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", world.gateway.port)).await.unwrap();
    let (cookie, port) = (cookie(world).await, world.gateway.port);
    let head = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: {cookie}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("data: hello\n\n\r\n") {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
    }
    stream
}

/// An upload that has begun.
async fn upload(world: &World) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", world.gateway.port)).await.unwrap();
    let (cookie, port) = (cookie(world).await, world.gateway.port);
    let head = format!(
        "POST / HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: {cookie}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Whether nothing has come since, not even an end.
fn is_open(stream: &TcpStream) -> bool {
    stream.try_read(&mut [0; 1]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// The shortest `idle_timeout` is a minute, so that this takes as long. Those who stay came first.
#[tokio::test]
async fn what_a_client_sends_is_use_and_what_only_stays_open_is_not() {
    let (sockets, events) = (sockets().await, events().await);
    let route = |path: &str, app: &str, lines: &str| {
        format!("[[routes]]\npath = \"{path}\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n{lines}\n\n")
    };
    let routes = route("/", "{app}", "")
        + &route("/socket", &sockets, "")
        + &route("/events", &events, "")
        + &route("/wall", &events, "streams = \"use\"");
    let world = World::with("\n[session]\nidle_timeout = \"1m\"\n", &routes).await;
    let mut working = socket(&world).await;
    let mut sending = upload(&world).await;
    let wall = event_stream(&world, "/wall").await;
    let mut left = event_stream(&world, "/events").await;
    let mut forgotten = socket(&world).await;
    let end = timeout(Duration::from_secs(120), async {
        loop {
            working.send(Message::text("a word")).await.unwrap();
            assert_eq!(working.next().await.unwrap().unwrap(), Message::text("a word"));
            sending.write_all(b"1\r\nx\r\n").await.unwrap();
            let _ = forgotten.send(Message::Ping("are you there".into())).await;
            while let Ok(next) = timeout(Duration::from_secs(5), forgotten.next()).await {
                if !matches!(next, Some(Ok(Message::Ping(_) | Message::Pong(_)))) {
                    return next;
                }
            }
        }
    });
    let end = end.await.expect("who only pings idles out");
    let Some(Ok(Message::Close(Some(close)))) = end else { panic!("{end:?}") };
    assert_eq!((close.code, close.reason.as_str()), (CloseCode::Away, "session expired"));
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(10), left.read_to_end(&mut rest)).await;
    assert!(read.is_ok() && !rest.ends_with(b"0\r\n\r\n"), "so does who only listens: {read:?}");
    assert!(is_open(&wall), "unless the route says that it is use");
    assert!(is_open(&sending), "who sends a file is at work");
    sending.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    sending.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    working.send(Message::text("still here")).await.unwrap();
    assert_eq!(working.next().await.unwrap().unwrap(), Message::text("still here"));
}
