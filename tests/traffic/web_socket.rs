//! WebSocket through the gateway.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async, connect_async};

use super::process::Gateway;

/// An app that gives every message back, and says good-bye at `bye`.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut socket = accept_async(stream).await.unwrap();
                socket.send(Message::text("hello")).await.unwrap();
                while let Some(Ok(message)) = socket.next().await {
                    if message == Message::text("bye") {
                        socket.close(None).await.unwrap();
                    } else if message.is_text() || message.is_binary() {
                        socket.send(message).await.unwrap();
                    }
                }
            });
        }
    });
    port
}

fn route(port: u16) -> String {
    format!("[[routes]]\nupstream = \"http://127.0.0.1:{port}\"\naccess = \"public\"\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_both_ways_and_the_end_as_well() {
    let gateway = Gateway::start(&route(echo().await));
    let (mut socket, response) =
        connect_async(format!("ws://127.0.0.1:{}/chat", gateway.port)).await.unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    for message in [Message::text("one"), Message::binary(vec![7_u8; 1 << 20]), Message::text("two")] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.send(Message::text("bye")).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().is_close());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_socket_outlives_a_reload_and_not_the_drain() {
    let app = echo().await;
    let mut gateway = Gateway::with("drain_timeout = \"1s\"", &route(app));
    let (mut socket, _) = connect_async(format!("ws://127.0.0.1:{}/", gateway.port)).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    let moved =
        "\n[[routes]]\npath = \"/new\"\nredirect = { host = \"elsewhere.example\" }\naccess = \"public\"\n";
    gateway.reload("drain_timeout = \"1s\"", &(route(app) + moved));
    socket.send(Message::text("still here")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("still here"));
    gateway.signal("TERM");
    assert!(!matches!(socket.next().await, Some(Ok(message)) if message.is_text()));
    assert_eq!(gateway.wait(), Some(0));
}

/// A place is given back with the stream, not with the `101` that began it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_14_an_open_socket_keeps_its_place_among_the_requests_at_once() {
    let gateway = Gateway::start(&(route(echo().await) + "concurrency = 1\n"));
    let address = format!("ws://127.0.0.1:{}/", gateway.port);
    let (mut socket, _) = connect_async(&address).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    assert!(connect_async(&address).await.is_err(), "there is one place");
    assert_eq!(gateway.get("/").status(), 503);
    drop(socket);
    crate::support::until_async("the place to be free again", || async {
        connect_async(&address).await.is_ok()
    })
    .await;
}
