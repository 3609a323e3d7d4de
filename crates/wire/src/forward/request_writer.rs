//! How a request is written for the version of HTTP that a connection speaks.

use http::header::{self, HeaderMap, HeaderValue};
use http::uri::{self, PathAndQuery, Scheme, Uri};
use http::{Method, Request, Version};
use http_body::Body;

use super::body::OutboundBody;
use super::plan::OriginHeaders;
use super::upgrade::UpgradeRequest;
use super::{ForwardError, ForwardFault, Plan, forwarded};
use crate::policy::Permit;

/// What a request needs besides itself to be written.
pub(super) struct RequestWriter<'a> {
    pub(super) http2: bool,
    pub(super) tls: bool,
    pub(super) host: &'a HeaderValue,
    pub(super) origin: &'a OriginHeaders,
    pub(super) plan: &'a Plan,
    pub(super) permit: &'a Permit,
    pub(super) trailers: bool,
    pub(super) upgrade: Option<&'a UpgradeRequest>,
}

const NONE: HeadLines<'static> = [b""; 2];

/// HeadLines that come behind the fields of a head over HTTP/1.1.
pub(super) type HeadLines<'a> = [&'a [u8]; 2];

impl<'a> RequestWriter<'a> {
    /// Writes target, host, framing and what belongs to this connection alone. May be done again for
    /// another connection. Gives back the lines that are still to come behind the head's fields.
    pub(super) fn write(&self, request: &mut Request<OutboundBody>) -> Result<HeadLines<'a>, ForwardError> {
        let target =
            std::mem::take(request.uri_mut()).into_parts().path_and_query.ok_or(ForwardFault::BadTarget)?;
        frame(request, self.http2);
        self.expect(request);
        if self.http2 {
            return self.write_http2(request, target).map(|()| NONE);
        }
        Ok(self.write_http1(request, target))
    }

    fn write_http1(&self, request: &mut Request<OutboundBody>, target: PathAndQuery) -> HeadLines<'a> {
        let received = std::mem::replace(request.version_mut(), Version::HTTP_11);
        *request.uri_mut() = Uri::from(target);
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        if let Some(upgrade) = self.upgrade {
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(header::UPGRADE, upgrade.protocol.clone());
        }
        if received == Version::HTTP_2 {
            // Of a try over HTTP/2, which has written the lines among the fields as well.
            headers.remove(header::TE);
            if forwarded::is_told(headers) {
                return NONE;
            }
        }
        [&self.origin.identity, &self.origin.fields.lines]
    }

    fn write_http2(
        &self,
        request: &mut Request<OutboundBody>,
        target: PathAndQuery,
    ) -> Result<(), ForwardError> {
        *request.version_mut() = Version::HTTP_2;
        let mut parts = uri::Parts::default();
        parts.scheme = Some(if self.tls { Scheme::HTTPS } else { Scheme::HTTP });
        let authority = uri::Authority::try_from(self.host.as_bytes());
        parts.authority = Some(authority.map_err(|error| ForwardError::new(ForwardFault::BadTarget, error))?);
        parts.path_and_query = Some(target);
        *request.uri_mut() =
            Uri::from_parts(parts).map_err(|error| ForwardError::new(ForwardFault::BadTarget, error))?;
        let headers = request.headers_mut();
        if !forwarded::is_told(headers) {
            forwarded::add(headers, &self.origin.fields);
            self.plan.tell_identity(self.permit, headers);
        }
        headers.remove(header::HOST);
        headers.remove(header::CONNECTION);
        headers.remove(header::UPGRADE);
        if self.trailers {
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        Ok(())
    }

    /// `Expect: 100-continue` goes on to HTTP/1.1 upstreams, and the client is asked for its body when
    /// they ask for it: an upstream that refuses never gets it. HTTP/2 upstreams are sent bodies at
    /// once, under flow control, and the gateway itself answers the client.
    fn expect(&self, request: &mut Request<OutboundBody>) {
        if request.headers_mut().remove(header::EXPECT).is_none() {
            return;
        }
        match !self.http2 && !request.body().is_empty() {
            true => {
                request.headers_mut().insert(header::EXPECT, HeaderValue::from_static("100-continue"));
                request.body_mut().hold_back();
            }
            false => request.body_mut().let_go(),
        }
    }
}

/// States the body's length once, as the body itself knows it: what the client's head said of it is
/// not repeated (invariant 12). A transfer coding can only be that of a try before.
fn frame(request: &mut Request<OutboundBody>, http2: bool) {
    let exact = request.body().size_hint().exact();
    let empty = request.body().is_empty();
    let means_body = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let headers = request.headers_mut();
    match (empty, exact) {
        (true, _) if means_body || headers.contains_key(header::CONTENT_LENGTH) => length(headers, 0),
        (true, _) => {}
        (false, Some(exact)) => {
            headers.remove(header::TRANSFER_ENCODING);
            length(headers, exact);
        }
        (false, None) => {
            headers.remove(header::CONTENT_LENGTH);
            if http2 {
                headers.remove(header::TRANSFER_ENCODING);
            } else {
                headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
        }
    }
}

fn length(headers: &mut HeaderMap, length: u64) {
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
}
