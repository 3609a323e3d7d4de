//! The request's body on its way out.

use std::task::{Context, Poll};

use http_body::Body;

use super::super::body::RequestBody;
use super::Error;
use crate::http1::{Outgoing, Transfer};

/// What is left of a request's body.
#[derive(Debug)]
pub(super) struct Upload {
    body: RequestBody,
    transfer: Transfer,
}

impl Upload {
    /// `None` where there is no body.
    pub(super) fn of(body: RequestBody) -> Option<Self> {
        let length = body.size_hint().exact();
        let transfer = length.map_or(Transfer::Chunked { trailers: true }, Transfer::Length);
        (!body.is_empty()).then_some(Self { body, transfer })
    }

    /// Hands what the body has to `outgoing`, as far as there is room; ready where all of it is there.
    pub(super) fn poll_fill(
        &mut self,
        outgoing: &mut Outgoing,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.transfer.poll_fill(&mut self.body, outgoing, cx).map_err(Error::from)
    }
}
