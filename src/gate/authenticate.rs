//! Whose credential a request carries.

use std::sync::Arc;

use http::Request;

use super::credential::Credential;
use super::inbound::RequestInfo;
use super::refresh_tokens::{Refreshed, refresh_tokens};
use super::rejection::Rejection;
use super::routed::Routed;
use super::snapshot::Snapshot;
use crate::authn::{Authentication, AuthenticationError, RequestView};
use crate::clock::Clock;
use crate::identity::{Principal, ProviderName};

/// A request of which it is known who sends it, or that nobody does.
#[derive(Debug)]
pub(super) struct AuthenticatedRequest<'a> {
    pub(super) routed: Routed<'a>,
    pub(super) authentication: Authentication,
    /// The provider that a sign-in has to go to, where only that one can help.
    pub(super) sign_in_at: Option<ProviderName>,
}

impl<'a> AuthenticatedRequest<'a> {
    /// One without a credential that counts.
    pub(super) const fn anonymous(routed: Routed<'a>) -> Self {
        Self { routed, authentication: Authentication::Anonymous, sign_in_at: None }
    }

    pub(super) fn principal(&self) -> Option<&Arc<Principal>> {
        self.authentication.principal()
    }

    /// What the response lives by.
    pub(super) fn credential(&self, clock: &Clock) -> Credential {
        Credential::of(&self.authentication, self.routed.route, clock)
    }
}

/// Looks at the credentials that the route accepts. A public route looks at none: it works without store and
/// provider, and its app is told of nobody.
pub(super) async fn authenticate<'a, B>(
    snapshot: &Snapshot,
    info: RequestInfo<'_>,
    routed: Routed<'a>,
    request: &Request<B>,
) -> Result<AuthenticatedRequest<'a>, Rejection> {
    if routed.route.access.is_public() {
        return Ok(AuthenticatedRequest::anonymous(routed));
    }
    let inbound = routed.inbound;
    let view = RequestView {
        method: &inbound.method,
        scheme: inbound.forwarding.scheme,
        authority: &inbound.authority,
        uri: request.uri(),
        headers: request.headers(),
        transport: info.transport,
        id: info.id,
    };
    let found = snapshot.authenticator.recognize(routed.route.accept, &view).await;
    snapshot.count_credential(found.as_ref());
    let Refreshed { authentication, sign_in_at } =
        refresh_tokens(snapshot, routed.route, info.id, found?).await?;
    Ok(AuthenticatedRequest { routed, authentication, sign_in_at })
}

impl From<AuthenticationError> for Rejection {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Token(error) => Self::Token(error),
            AuthenticationError::Store(error) => Self::StoreUnavailable(error.to_string()),
        }
    }
}
