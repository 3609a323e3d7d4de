//! HTTP/2 apps that retire their connections, as nginx and most load balancers do.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::process::Gateway;
use crate::support::until;

/// Requests that each connection takes.
const EACH: usize = 200;

/// Starts an app over HTTP/2 in clear text that gives back each body; its port, and how many requests it has seen.
fn retiring() -> (u16, Arc<AtomicUsize>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, seen) = (listener.local_addr().unwrap().port(), Arc::<AtomicUsize>::default());
    listener.set_nonblocking(true).unwrap();
    let count = Arc::clone(&seen);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&count)));
            }
        });
    });
    (port, seen)
}

async fn serve(stream: TcpStream, seen: Arc<AtomicUsize>) {
    let (count, retire) = (AtomicUsize::new(0), Notify::new());
    let service = service_fn(|request: Request<Incoming>| {
        seen.fetch_add(1, Ordering::SeqCst);
        if count.fetch_add(1, Ordering::SeqCst) + 1 >= EACH {
            retire.notify_one();
        }
        async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::new(
                request.collect().await.unwrap().to_bytes(),
            )))
        }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = &mut connection => {}
        () = retire.notified() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

fn ask(gateway: &Gateway, method: &str, body: &str, times: usize) {
    let mut conn = gateway.connect();
    let length = body.len();
    for _ in 0..times {
        conn.say(format!(
            "{method} / HTTP/1.1\r\nHost: app.example\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        let answer = conn.response();
        assert_eq!((answer.status(), answer.text().as_str()), (200, body), "{}", gateway.log());
    }
}

fn descriptors(gateway: &Gateway) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", gateway.id())).unwrap().count()
}

#[test]
fn an_app_that_retires_its_connections_fails_nobody_and_holds_no_descriptors() {
    let (port, seen) = retiring();
    let gateway =
        Gateway::start(&format!("[[routes]]\nupstream = \"h2c://127.0.0.1:{port}\"\naccess = \"public\"\n"));
    let before = descriptors(&gateway);
    for (method, body) in [("GET", ""), ("POST", ""), ("POST", "a form")] {
        std::thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| ask(&gateway, method, body, 100));
            }
        });
    }
    assert_eq!(seen.load(Ordering::SeqCst), 3 * 32 * 100, "each is done once");
    until("descriptors to come back down", || descriptors(&gateway) <= before + 2 * 16);
}
