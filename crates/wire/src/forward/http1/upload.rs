//! The request's body on its way out.

use std::task::{Context, Poll};

use http_body::Body;

use super::{Http1Error, UpstreamStream};
use crate::forward::body::OutboundBody;
use crate::http1::{BodyEncoder, Outgoing};

/// What is left of a request's body.
#[derive(Debug)]
pub(super) struct Upload {
    body: OutboundBody,
    encoder: BodyEncoder,
}

impl Upload {
    /// `None` where there is no body.
    pub(super) fn of(body: OutboundBody) -> Option<Self> {
        let length = body.size_hint().exact();
        let encoder = length.map_or(BodyEncoder::Chunked { trailers: true }, BodyEncoder::Length);
        (!body.is_empty()).then_some(Self { body, encoder })
    }

    /// Whether the body has been handed on to its end.
    pub(super) const fn is_done(&self) -> bool {
        self.encoder.is_done()
    }

    /// Hands the body on to `stream` by `outgoing`, until all of both has left.
    pub(super) fn poll_send(
        &mut self,
        outgoing: &mut Outgoing,
        stream: &mut UpstreamStream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Http1Error>> {
        let write = |outgoing: &mut Outgoing, cx: &mut Context<'_>| outgoing.poll_write(stream, cx);
        self.encoder.poll_send(&mut self.body, outgoing, cx, write)
    }
}
