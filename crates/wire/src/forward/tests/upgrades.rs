//! WebSocket and its kin.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::join;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Message;

use super::support::{FakeUpstream, RawConnection, Rig, client, upgradable};
use crate::forward::*;

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: wiki.corp.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: raw\r\n\r\n";
const SIGNED_OUT: CloseFrame = CloseFrame { code: 1008, reason: "signed out" };
const YES: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: raw\r\nContent-Length: 5\r\n\r\n";

#[tokio::test]
async fn a_websocket_talks_through_the_gateway() {
    let fake = FakeUpstream::new().await;
    let rig = Arc::new(fake.rig());
    let browser = client(&rig).await;
    let upstream = async {
        let mut socket = tokio_tungstenite::accept_async(fake.accept().await.stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    };
    let talk = async {
        let (mut socket, answer) =
            tokio_tungstenite::client_async("ws://wiki.corp.example/chat", browser.stream).await.unwrap();
        assert_eq!(answer.status(), 101);
        socket.send(Message::text("hello")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
        socket.close(None).await.unwrap();
        while socket.next().await.is_some() {}
    };
    join!(talk, upstream);
    assert_eq!(rig.upstream.state()[0].idle, 0, "the connection is nobody's again");
}

#[tokio::test]
async fn invariant_12_no_byte_passes_before_the_101() {
    let fake = FakeUpstream::new().await;
    let rig = Arc::new(fake.rig());
    let mut browser = client(&rig).await;
    browser.say(&format!("{ASK}early")).await;
    let mut hand = fake.accept().await;
    let head = hand.head().await;
    assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: raw\r\n"));
    hand.say("HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
    assert!(browser.head().await.starts_with("HTTP/1.1 403 Forbidden\r\n"));
    assert_eq!(hand.rest().await, "", "what was sent early went nowhere");
}

#[tokio::test]
async fn bytes_sent_with_the_handshake_arrive_after_it() {
    let fake = FakeUpstream::new().await;
    let rig = Arc::new(fake.rig());
    let mut browser = client(&rig).await;
    browser.say(&format!("{ASK}early")).await;
    let (mut hand, _) = fake.answer(&format!("{YES}hello")).await;
    let head = browser.head().await;
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("upgrade: raw\r\n"), "{head}");
    assert!(!head.contains("content-length"));
    browser.until("hello").await;
    hand.until("early").await;
    drop(hand);
    assert_eq!(browser.rest().await, "");
}

#[tokio::test]
async fn an_upgrade_to_something_else_is_invalid() {
    let fake = FakeUpstream::new().await;
    let rig = Arc::new(fake.rig());
    let mut browser = client(&rig).await;
    browser.say(ASK).await;
    let (hand, _) = fake.answer(&YES.replace("Upgrade: raw", "Upgrade: other")).await;
    assert_eq!(browser.rest().await, "", "the rig answers an error by closing");
    assert_eq!(hand.rest().await, "");
}

#[tokio::test]
async fn invariant_12_an_upgrade_with_a_body_is_a_plain_request() {
    let fake = FakeUpstream::new().await;
    let rig = Arc::new(fake.rig());
    let mut browser = client(&rig).await;
    browser.say(&ASK.replace("\r\n\r\n", "\r\nContent-Length: 20\r\n\r\nGET /admin HTTP/1.1\r\n")).await;
    let mut hand = fake.accept().await;
    let head = hand.head().await;
    assert!(!head.contains("upgrade"), "{head}");
    assert!(head.contains("content-length: 20\r\n"));
}

/// A gateway's connection whose tunnel ends by `cut`; how it ended comes through the channel.
async fn tunnel(rig: Rig, cut: Option<Arc<Notify>>) -> (RawConnection, mpsc::Receiver<TunnelEnd>) {
    tunnel_that(rig, move |tunnel| {
        let cut = cut.clone();
        async move {
            let signed_out = async {
                match cut {
                    Some(cut) => cut.notified().await,
                    None => pending().await,
                }
                SIGNED_OUT
            };
            tunnel.run(signed_out, || {}).await
        }
    })
    .await
}

/// The same where it is run by `run`.
async fn tunnel_that<F>(
    rig: Rig,
    run: impl Fn(UpgradeTunnel) -> F + Clone + Send + 'static,
) -> (RawConnection, mpsc::Receiver<TunnelEnd>)
where
    F: Future<Output = TunnelEnd> + Send + 'static,
{
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(front.local_addr().unwrap()).await.unwrap();
    let (ended, end) = mpsc::channel(1);
    let (rig, far) = (Arc::new(rig), front.accept().await.unwrap().0);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (rig, run, ended) = (Arc::clone(&rig), run.clone(), ended.clone());
        async move {
            let mut response = rig.send(upgradable(request)).await?;
            let tunnel = response.body_mut().take_tunnel().unwrap();
            tokio::spawn(async move { ended.send(run(tunnel).await).await });
            Ok::<_, ForwardError>(response)
        }
    });
    let server = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service);
    tokio::spawn(server.with_upgrades());
    (RawConnection::new(near), end)
}

#[tokio::test]
async fn invariant_8_a_tunnel_is_cut_when_its_session_ends() {
    let fake = FakeUpstream::new().await;
    let cut = Arc::new(Notify::new());
    let (mut browser, mut end) = tunnel(fake.rig(), Some(Arc::clone(&cut))).await;
    browser.say(ASK).await;
    let (mut hand, _) = fake.answer(YES).await;
    browser.head().await;
    hand.say("hello").await;
    browser.until("hello").await;
    cut.notify_one();
    assert!(matches!(end.recv().await, Some(TunnelEnd::Cut)));
    assert_eq!((browser.rest().await.as_str(), hand.rest().await.as_str()), ("", ""));
}

/// A WebSocket through the gateway, both ends of it, and what cuts it.
async fn web_socket(fake: &FakeUpstream) -> (RawConnection, RawConnection, Arc<Notify>) {
    let cut = Arc::new(Notify::new());
    let (mut browser, _end) = tunnel(fake.rig(), Some(Arc::clone(&cut))).await;
    browser.say(&ASK.replace("Upgrade: raw", "Upgrade: WebSocket")).await;
    let (hand, _) = fake.answer(&YES.replace("Upgrade: raw", "Upgrade: websocket")).await;
    browser.head().await;
    (browser, hand, cut)
}

#[tokio::test]
async fn a_cut_web_socket_is_told_why_on_both_sides() {
    let fake = FakeUpstream::new().await;
    let (mut browser, mut hand, cut) = web_socket(&fake).await;
    hand.say("\u{1}\u{5}hello").await;
    browser.until("hello").await;
    cut.notify_one();
    assert!(browser.rest().await.ends_with("signed out"));
    let mut said = Vec::new();
    hand.stream.read_to_end(&mut said).await.unwrap();
    assert_eq!((said[0], said[1]), (0x88, 0x80 | 12), "masked, as from a client");
}

#[tokio::test]
async fn no_close_frame_goes_into_the_middle_of_another() {
    let fake = FakeUpstream::new().await;
    let (mut browser, mut hand, cut) = web_socket(&fake).await;
    // Ten bytes are promised.
    hand.say("\u{1}\u{a}hello").await;
    browser.until("hello").await;
    cut.notify_one();
    assert_eq!(browser.rest().await, "", "a plain close");
}

#[tokio::test]
async fn data_frames_of_a_client_are_use_and_nothing_else_is() {
    for (protocol, sent, uses) in [
        ("websocket", "\u{1}\u{2}hi", true),
        ("websocket", "\u{9}\u{2}hi", false),
        ("websocket", "\u{a}\u{2}hi", false),
        ("raw", "\u{1}\u{2}hi", false),
    ] {
        let fake = FakeUpstream::new().await;
        let rig = fake.rig();
        let used = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&used);
        let (mut browser, _end) = tunnel_that(rig, move |tunnel| {
            let note = Arc::clone(&note);
            async move { tunnel.run(pending(), || note.store(true, Ordering::SeqCst)).await }
        })
        .await;
        browser.say(&ASK.replace("raw", protocol)).await;
        let (mut hand, _) = fake.answer(&YES.replace("raw", protocol)).await;
        browser.head().await;
        hand.say("\u{1}\u{5}hello").await;
        browser.until("hello").await;
        assert!(!used.load(Ordering::SeqCst), "what the app sends is none");
        browser.say(sent).await;
        hand.until("hi").await;
        assert_eq!(used.load(Ordering::SeqCst), uses, "{protocol} {sent:?}");
    }
}

#[tokio::test]
async fn a_silent_tunnel_ends() {
    let fake = FakeUpstream::new().await;
    let mut settings = fake.settings();
    settings.timeout.idle = Duration::from_millis(20);
    let (mut browser, mut end) = tunnel(Rig::new(settings, &fixtures::forward_settings()), None).await;
    browser.say(ASK).await;
    let (hand, _) = fake.answer(YES).await;
    assert!(matches!(end.recv().await, Some(TunnelEnd::Silent)));
    assert_eq!(hand.rest().await, "");
}
