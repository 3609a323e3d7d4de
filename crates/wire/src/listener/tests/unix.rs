//! A listener on a unix socket: its peers are known by the kernel's word.

use tokio::net::unix::UCred;
use tokio::net::{UnixListener, UnixStream};

use super::*;

async fn asked(
    admit: impl Fn(&UCred) -> bool + Send + Sync + 'static,
    bytes: &[u8],
) -> (String, RecordingHandler) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let serving = Serving::load(&clear(), ConnectionLimits::default(), None).unwrap();
    let handler = RecordingHandler { seen: Arc::default(), gate: Arc::new(Semaphore::new(0)) };
    let known = handler.clone();
    let (_phase, phases) = watch::channel(Phase::Serve);
    let admit = move |peer: UCred| admit(&peer).then(|| known.clone());
    let serving = Arc::new(ArcSwap::from_pointee(serving));
    tokio::spawn(serve_unix(listener, serving, admit, WorkerId(0), phases));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let (_, text) = tokio::join!(writer.write_all(bytes), read_to_end(&mut reader));
    (text, handler)
}

#[tokio::test]
async fn a_peer_that_is_admitted_is_answered() {
    let here = std::process::id();
    let admit = move |peer: &UCred| peer.pid() == i32::try_from(here).ok();
    let body = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    let (text, handler) = asked(admit, body).await;
    assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with("POST /a [hello] 0.0.0.0 http"), "{text}");
    assert_eq!(handler.seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_peer_that_is_not_admitted_reaches_nothing() {
    let (text, handler) = asked(|_| false, LAST).await;
    assert_eq!(text, "");
    assert!(handler.seen.lock().unwrap().is_empty());
}
