//! Who is asking, for exactly which path: read once, before anything is decided.

use http::{HeaderMap, Method, Request};

use super::Rejection;
use crate::request::{Authority, Forwarding, RequestPath, Transport, TrustedProxies};

/// What a request is, once everything ambiguous has been refused.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) method: Method,
    pub(super) authority: Authority,
    pub(super) path: RequestPath,
    pub(super) forwarding: Forwarding,
}

impl Inbound {
    /// Reads the head of `request`.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] where two parsers could read it differently.
    pub(super) fn read<B>(
        transport: &Transport,
        trusted: &TrustedProxies,
        request: &Request<B>,
    ) -> Result<Self, Rejection> {
        let forwarding = Forwarding::read(transport, request.headers(), trusted)?;
        let asked = Authority::of(request.uri(), request.headers(), request.version())?;
        let path = RequestPath::parse(request.uri().path())?;
        let authority = forwarding.host.clone().unwrap_or(asked);
        Ok(Self { method: request.method().clone(), authority, path, forwarding })
    }

    /// Path and query as they came, for addresses we write.
    pub(super) fn url<B>(&self, request: &Request<B>) -> String {
        let (scheme, target) = (self.forwarding.scheme, request.uri().path_and_query());
        format!("{scheme}://{}{}", self.authority, target.map_or("/", |target| target.as_str()))
    }
}

/// Whether a page or a redirect is a better answer than a status for programs.
pub(super) fn prefers_page(method: &Method, headers: &HeaderMap) -> bool {
    crate::request::is_navigation(method, headers)
}
