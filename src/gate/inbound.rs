//! Who is asking, for exactly which path: read once, before anything is decided.

use std::sync::Arc;

use http::{Method, Request, Uri};

use super::rejection::Rejection;
use crate::clock::Timestamp;
use crate::endpoints::{RequestContext, ReturnTo};
use crate::events::{Caller, OwnedCaller};
use crate::identity::{Principal, RequestId};
use crate::pages::Look;
use crate::policy::Question;
use crate::request::{Authority, Forwarding, RequestPath, Scheme, Transport, TrustedProxies};
use crate::trace::RequestTrace;

/// What a request is, once everything ambiguous has been refused.
#[derive(Clone, Debug)]
pub(super) struct Inbound {
    pub(super) method: Method,
    pub(super) authority: Authority,
    pub(super) path: RequestPath,
    pub(super) forwarding: Forwarding,
    /// Whether it came without TLS to a listener that sends everything on to `https`.
    pub(super) to_https: bool,
}

/// A request that has been read, as the record lends it to every step.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestInfo<'a> {
    pub(super) id: &'a RequestId,
    pub(super) trace: Option<&'a RequestTrace>,
    pub(super) transport: &'a Arc<Transport>,
    pub(super) inbound: &'a Inbound,
}

impl<'a> RequestInfo<'a> {
    /// The request, as events tell it.
    pub(super) fn caller(self) -> Caller<'a> {
        Caller { id: self.id.as_str(), client: self.inbound.forwarding.client.ip(), device: None }
    }

    /// The same for what goes on when the request has ended.
    pub(super) fn owned_caller(self) -> OwnedCaller {
        OwnedCaller { id: self.id.clone(), client: Some(self.inbound.forwarding.client.ip()) }
    }

    /// The request as the endpoints see it; `realm` is what challenges call the protection space, and `look` how its pages
    /// look.
    pub(super) fn context(self, realm: &'a str, look: Look<'a>) -> RequestContext<'a> {
        let Inbound { authority, forwarding, path, .. } = self.inbound;
        RequestContext { id: self.id, authority, forwarding, path, realm, look }
    }
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
        // Read even where a trusted proxy names another host: an ambiguous `Host` is refused all the same.
        let asked = transport.cache.authority(request.uri(), request.headers(), request.version())?;
        let path = RequestPath::parse(request.uri().path())?;
        let authority = forwarding.host.clone().unwrap_or(asked);
        let to_https = transport.to_https && forwarding.scheme == Scheme::Http;
        Ok(Self { method: request.method().clone(), authority, path, forwarding, to_https })
    }

    /// What the policy is asked.
    pub(super) fn question<'q>(
        &'q self,
        principal: Option<&'q Arc<Principal>>,
        now: Timestamp,
        bound: Option<bool>,
    ) -> Question<'q> {
        let client = self.forwarding.client;
        Question { principal, method: &self.method, path: &self.path, client, now, bound }
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
