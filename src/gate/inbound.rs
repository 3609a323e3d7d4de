//! Who is asking, for exactly which path: read once, before anything is decided.

use http::{Method, Request, Uri};

use super::rejection::Rejection;
use crate::endpoints::ReturnTo;
use crate::request::{Authority, Forwarding, RequestPath, Transport, TrustedProxies};

/// What a request is, once everything ambiguous has been refused.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) method: Method,
    pub(super) authority: Authority,
    pub(super) path: RequestPath,
    /// What servers may take a tolerated path for, once its route is known.
    pub(super) readings: Vec<RequestPath>,
    pub(super) forwarding: Forwarding,
}

impl Inbound {
    /// Reads the head of `request`.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] where two parsers could read it differently, [`Rejection::UriTooLong`] where its
    /// path is.
    pub(super) fn read<B>(
        transport: &Transport,
        trusted: &TrustedProxies,
        request: &Request<B>,
    ) -> Result<Self, Rejection> {
        let forwarding = Forwarding::read(transport, request.headers(), trusted)?;
        let asked = transport.cache.authority(request.uri(), request.headers(), request.version())?;
        let path = RequestPath::parse(request.uri().path())?;
        let authority = forwarding.host.clone().unwrap_or(asked);
        Ok(Self { method: request.method().clone(), authority, path, readings: Vec::new(), forwarding })
    }

    /// Scheme and authority, as they were asked for.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", self.forwarding.scheme, self.authority)
    }

    /// The whole address as it was asked for.
    pub(super) fn address(&self, uri: &Uri) -> Option<ReturnTo> {
        ReturnTo::asked(&self.origin(), self.path.raw(), uri.query())
    }
}
