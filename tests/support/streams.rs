//! Apps whose answers do not end by themselves.

use std::io::{Read as _, Write as _};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::PATIENCE;

/// An app that sends one Server-Sent Event and then keeps silent; its address.
pub(crate) async fn events() -> String {
    serve(|mut stream| async move {
        let mut head = [0; 8192];
        let _ = stream.read(&mut head).await;
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n\
                      d\r\ndata: hello\n\n\r\n";
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.read(&mut head).await;
    })
    .await
}

/// An app whose answer is always ahead of whoever reads it; its address.
pub(crate) fn floods() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // On a thread of its own: it is to be ahead of the client, which shares the test's.
    std::thread::spawn(move || listener.incoming().flatten().for_each(flood));
    address
}

fn flood(mut stream: std::net::TcpStream) {
    let _ = stream.read(&mut [0; 8192]);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", u64::MAX);
    let _ = stream.write_all(head.as_bytes());
    while stream.write_all(&[0; 65536]).is_ok() {}
}

/// An app that takes whatever comes and does not answer; its address.
pub(crate) async fn silent() -> String {
    serve(|mut stream| async move {
        let mut room = vec![0; 65536];
        while stream.read(&mut room).await.is_ok_and(|read| read > 0) {}
    })
    .await
}

/// An app that echoes over WebSockets; its address.
pub(crate) async fn sockets() -> String {
    serve(|stream| async move {
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            let _ = socket.send(message).await;
        }
    })
    .await
}

/// An event stream at `/stream` of whoever has the session of `key`; it has begun.
pub(crate) async fn begun(port: u16, key: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!("GET /stream HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: portcullis={key}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("data: hello") {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0, "{}", String::from_utf8_lossy(&seen));
    }
    stream
}

/// Waits until `stream` ends.
pub(crate) async fn ends(mut stream: TcpStream) {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(PATIENCE, async {
        while stream.read_buf(&mut rest).await.is_ok_and(|read| read > 0) {}
    });
    end.await.expect("the stream ends");
}

async fn serve<F: Future<Output = ()> + Send + 'static>(with: fn(TcpStream) -> F) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    format!("http://{address}")
}
