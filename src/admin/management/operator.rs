//! Who calls the API.

use std::fmt;

use http::{Request, header};

use crate::admin::peer::Peer;
use crate::admin::{AdminSources, pages};
use crate::listener::RequestBody;
use crate::operate::{Actor, Way};
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

impl Operator {
    /// Who acts, for whoever does what is asked.
    pub(super) fn actor(self) -> Actor {
        let (provider, request, client) = (None, None, None);
        Actor { operator: self.to_string(), provider, request, client, way: Way::ManagementApi }
    }
}

/// Who calls, by the socket that the request came over or by the token that it shows (RFC 6750, section 2.1).
pub(in crate::admin) fn operator(
    request: &Request<RequestBody>,
    sources: &AdminSources,
    peer: Peer,
) -> Result<Operator, Refusal> {
    if let Peer::LocalUser(user) = peer {
        return Ok(Operator::LocalUser(user));
    }
    let token = sources.token.borrow();
    let token = token.as_ref().ok_or(Refusal::NotServed)?;
    if !pages::is_ours(request, &sources.hosts) {
        return Err(Refusal::Misdirected);
    }
    let right = shown(request).is_some_and(|shown| shown == *token);
    if mutant!(right, "management-without-token" => true) {
        return Ok(Operator::TokenHolder);
    }
    tracing::warn!("a call of the management API without the right token was refused");
    Err(Refusal::Unauthenticated)
}

/// The token of the only `Authorization` field.
fn shown(request: &Request<RequestBody>) -> Option<Secret> {
    let mut fields = request.headers().get_all(header::AUTHORIZATION).iter();
    let (field, None) = (fields.next()?.to_str().ok()?, fields.next()) else { return None };
    let (scheme, token) = field.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::new(token.trim()))
}
