//! A request kept as it was before it was sent, over HTTP/2, so that it can be sent again.

use std::sync::Arc;

use http::{HeaderMap, Method, Request, Uri, Version};

use super::body::{BodyLimits, OutboundBody};
use super::exchange::Exchange;
use super::replay::{Held, ReplayBudget};

/// A request as it was before it was sent.
pub(super) struct RequestCopy {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Option<Held>,
}

impl RequestCopy {
    pub(super) fn of(request: &mut Request<OutboundBody>, budget: &Arc<ReplayBudget>) -> Self {
        let body = request.body_mut().hold(budget);
        let (method, uri) = (request.method().clone(), request.uri().clone());
        Self { method, uri, headers: request.headers().clone(), body }
    }

    /// Makes `request` what it was, and gives back what is known of its body; `None` where that is not held.
    pub(super) fn restore(
        self,
        request: &mut Request<OutboundBody>,
        limits: BodyLimits,
    ) -> Option<Option<Arc<Exchange>>> {
        let (body, exchange) = match &self.body {
            None => (OutboundBody::EMPTY, None),
            Some(held) => {
                let (body, exchange) = OutboundBody::replayed(held.again()?, limits);
                (body, Some(exchange))
            }
        };
        *request = Request::new(body);
        // Its fields hold what the gateway adds: by its version `RequestWriter` knows that they need no
        // lines.
        *request.version_mut() = Version::HTTP_2;
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        Some(exchange)
    }

    /// There is an answer: the request is not sent again.
    pub(super) fn release(&self) {
        self.body.iter().for_each(Held::release);
    }

    pub(super) const fn has_body(&self) -> bool {
        self.body.is_some()
    }
}
