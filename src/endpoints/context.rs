//! What an endpoint may know of a request.

use crate::events::{Caller, OwnedCaller};
use crate::identity::RequestId;
use crate::pages::Look;
use crate::request::{Authority, Forwarding, RequestPath};

/// A request as the gate has read it, beside its head and body.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// The identifier by which the log knows it.
    pub id: &'a RequestId,
    /// The host that was asked for.
    pub authority: &'a Authority,
    /// Where the client is, and by which scheme it came.
    pub forwarding: &'a Forwarding,
    /// The path, judged by the gate.
    pub path: &'a RequestPath,
    /// What challenges call the protection space.
    pub realm: &'a str,
    /// How pages look for whoever asks.
    pub look: Look<'a>,
}

impl<'a> RequestContext<'a> {
    /// The request, as events tell it.
    pub(super) fn caller(self) -> Caller<'a> {
        Caller { id: self.id.as_str(), client: self.forwarding.client.ip(), device: None }
    }

    /// The same for what goes on when the request has ended.
    pub(super) fn owned_caller(self) -> OwnedCaller {
        OwnedCaller { id: self.id.clone(), client: Some(self.forwarding.client.ip()) }
    }

    /// Scheme and authority, as they were asked for.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", self.forwarding.scheme, self.authority)
    }
}
