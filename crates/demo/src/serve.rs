//! Serving HTTP/1.1 to the few that ask on loopback.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::reply::{self, Reply};

const CONNECTIONS: usize = 512;
const HEAD: Duration = Duration::from_secs(10);
const BODY: Duration = Duration::from_secs(10);
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Forms are small; nothing else is sent here.
const MAX_BODY: usize = 16 * 1024;

/// Cookies do not know ports: those of the gateway arrive here, too.
const MAX_HEAD: usize = 64 * 1024;

/// Answers on `listener` until the future is dropped; open connections end with it.
pub(super) async fn serve<F, A>(listener: TcpListener, answer: F)
where
    F: Fn(Request<Bytes>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Reply> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let answer = answer.clone();
                connections.spawn(async move {
                    connection(stream, answer).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a server of the demo cannot accept; trying again");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

async fn connection<F, A>(stream: TcpStream, answer: F)
where
    F: Fn(Request<Bytes>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Reply> + Send + 'static,
{
    let service = service_fn(|request| {
        let answer = answer.clone();
        async move { Ok::<_, Infallible>(whole(request, answer).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(MAX_HEAD);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to a server of the demo ended badly");
    }
}

async fn whole<F, A>(request: Request<Incoming>, answer: F) -> Response<Full<Bytes>>
where
    F: Fn(Request<Bytes>) -> A,
    A: Future<Output = Reply>,
{
    let (head, body) = request.into_parts();
    match timeout(BODY, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => answer(Request::from_parts(head, body.to_bytes())).await,
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            reply::text(StatusCode::PAYLOAD_TOO_LARGE, "expected a body of at most 16 KiB\n")
        }
        Ok(Err(_)) => reply::text(StatusCode::BAD_REQUEST, "the body broke off\n"),
        Err(_) => reply::text(StatusCode::REQUEST_TIMEOUT, "the body did not arrive within 10 s\n"),
    }
}
