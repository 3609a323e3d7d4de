//! Who calls the API.

use std::fmt;
use std::net::IpAddr;

use http::{Request, StatusCode, header};

use crate::admin::peer::Peer;
use crate::admin::{AdminSources, pages};
use crate::events::ManagementRefused;
use crate::listener::RequestBody;
use crate::secret::Secret;

/// Whoever calls, as the log names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum Operator {
    /// A user of this machine, by its number.
    LocalUser(u32),
    /// Whoever has the token.
    TokenHolder,
}

/// Why a call is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum Refusal {
    /// There is no token, and so no API at this address.
    NotServed,
    /// The listener is called by a name that is not its own.
    Misdirected,
    /// The token is missing or another.
    Unauthenticated,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalUser(user) => write!(f, "uid {user}"),
            Self::TokenHolder => f.write_str("token"),
        }
    }
}

/// Who calls, by the socket that the request came over or by the token that it shows (RFC 6750, section 2.1).
pub(in crate::admin) fn operator(
    request: &Request<RequestBody>,
    sources: &AdminSources,
    peer: Peer,
    client: IpAddr,
) -> Result<Operator, Refusal> {
    if let Peer::LocalUser(user) = peer {
        return Ok(Operator::LocalUser(user));
    }
    let token = sources.token.borrow();
    let token = token.as_ref().ok_or(Refusal::NotServed)?;
    if !pages::is_ours(request, &sources.hosts) {
        let name = "the listener is called by a name that is not its own";
        refused(sources, client, StatusCode::MISDIRECTED_REQUEST, name);
        return Err(Refusal::Misdirected);
    }
    let right = shown(request).is_some_and(|shown| shown == *token);
    if mutant!(right, "management-without-token" => true) {
        return Ok(Operator::TokenHolder);
    }
    refused(sources, client, StatusCode::UNAUTHORIZED, "the token is missing or another");
    Err(Refusal::Unauthenticated)
}

fn refused(sources: &AdminSources, client: IpAddr, status: StatusCode, reason: &str) {
    let (client, status) = (Some(client), Some(status.as_u16()));
    let refused = ManagementRefused { operator: None, operation: None, client, status, reason };
    sources.management.operations.recorder.emit(&refused);
}

/// The token of the only `Authorization` field.
fn shown(request: &Request<RequestBody>) -> Option<Secret> {
    let mut fields = request.headers().get_all(header::AUTHORIZATION).iter();
    let (field, None) = (fields.next()?.to_str().ok()?, fields.next()) else { return None };
    let (scheme, token) = field.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::new(token.trim()))
}
