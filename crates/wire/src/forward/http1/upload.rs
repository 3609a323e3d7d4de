//! The request's body on its way out.

use std::task::{Context, Poll};

use http_body::Body;

use super::Error;
use crate::forward::body::RequestBody;
use crate::http1::{BodyEncoder, Outgoing};

/// What is left of a request's body.
#[derive(Debug)]
pub(super) struct Upload {
    body: RequestBody,
    encoder: BodyEncoder,
}

impl Upload {
    /// `None` where there is no body.
    pub(super) fn of(body: RequestBody) -> Option<Self> {
        let length = body.size_hint().exact();
        let encoder = length.map_or(BodyEncoder::Chunked { trailers: true }, BodyEncoder::Length);
        (!body.is_empty()).then_some(Self { body, encoder })
    }

    /// Hands what the body has to `outgoing`, as far as there is room; ready where all of it is there.
    pub(super) fn poll_fill(
        &mut self,
        outgoing: &mut Outgoing,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.encoder.poll_fill(&mut self.body, outgoing, cx).map_err(Error::from)
    }
}
