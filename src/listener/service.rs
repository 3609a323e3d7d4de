//! From hyper's requests to the handler's, and the count of those under way.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;

use super::Handler;
use super::activity::{Activity, InFlight};
use crate::request::Transport;

/// Answers one request and keeps it counted until its body has ended.
pub(super) async fn answer<H: Handler>(
    handler: H,
    transport: Arc<Transport>,
    activity: Arc<Activity>,
    request: Request<Incoming>,
) -> Result<Response<Answer<H::Body>>, std::convert::Infallible> {
    let in_flight = activity.begin();
    let connect = request.method() == Method::CONNECT;
    let response = handler.handle(&transport, request).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS || connect && response.status().is_success() {
        activity.become_tunnel();
    }
    Ok(response.map(|body| Answer { body, in_flight }))
}

pin_project! {
    /// A response's body; dropped when it has been sent or given up.
    pub(super) struct Answer<B> {
        #[pin]
        body: B,
        in_flight: InFlight,
    }
}

impl<B: Body<Data = Bytes>> Body for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
