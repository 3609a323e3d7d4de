//! From hyper's requests to the handler's, and the count of those under way.

use std::convert::Infallible;
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

/// What answers the requests of one connection. They share it, so that no worker counts in memory that another
/// one counts in as well.
pub(super) struct Service<H> {
    pub(super) handler: H,
    pub(super) transport: Arc<Transport>,
    pub(super) activity: Arc<Activity>,
}

impl<H: Handler> Service<H> {
    /// Answers one request and keeps it counted until its body has ended.
    pub(super) fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Answer<H::Body>>, Infallible>> + Send + use<H> {
        let (service, in_flight) = (Arc::clone(self), self.activity.begin());
        let connect = request.method() == Method::CONNECT;
        // A block: the future of an `async fn` holds its arguments twice.
        async move {
            let response = service.handler.handle(&service.transport, request).await;
            let status = response.status();
            if status == StatusCode::SWITCHING_PROTOCOLS || connect && status.is_success() {
                service.activity.become_tunnel();
            }
            Ok(response.map(|body| Answer { body, in_flight }))
        }
    }
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
