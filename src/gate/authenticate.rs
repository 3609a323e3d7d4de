//! Whose credential a request carries.

use std::sync::Arc;

use http::Request;

use super::credential::Credential;
use super::inbound::RequestInfo;
use super::refresh_tokens::RenewedAuthentication;
use super::rejection::Rejection;
use super::routed::Routed;
use super::service::Service;
use super::snapshot::Snapshot;
use crate::authn::{Authentication, AuthenticationError, CredentialKind, RequestView};
use crate::clock::{Clock, Timestamp};
use crate::events::{AuthKind, Shown};
use crate::identity::{Principal, ProviderName};
use crate::policy::Question;

/// A request of which it is known who sends it, or that nobody does.
#[derive(Debug)]
pub(super) struct AuthenticatedRequest<'a, S = Service> {
    pub(super) routed: Routed<'a, S>,
    pub(super) authentication: Authentication,
    /// The provider that a sign-in has to go to, where only that one can help.
    pub(super) sign_in_at: Option<ProviderName>,
    /// When it is judged.
    pub(super) now: Timestamp,
    /// Whether its session is bound to its device; `None` where that may still come.
    pub(super) bound: Option<bool>,
}

impl<'a, S> AuthenticatedRequest<'a, S> {
    pub(super) fn new(
        routed: Routed<'a, S>,
        authentication: Authentication,
        sign_in_at: Option<ProviderName>,
        now: Timestamp,
    ) -> Self {
        let bound = authentication.is_bound(now);
        Self { routed, authentication, sign_in_at, now, bound }
    }

    /// One without a credential that counts.
    pub(super) const fn anonymous(routed: Routed<'a, S>, now: Timestamp) -> Self {
        Self { routed, authentication: Authentication::Anonymous, sign_in_at: None, now, bound: Some(false) }
    }

    pub(super) fn principal(&self) -> Option<&Arc<Principal>> {
        self.authentication.principal()
    }

    /// What the policy is asked.
    pub(super) fn question(&self) -> Question<'_> {
        self.routed.inbound.question(self.principal(), self.now, self.bound)
    }

    /// How it was shown whose it is, for its record.
    pub(super) fn shown(&self) -> Option<Shown> {
        let somebody = self.authentication.authenticated()?;
        let session = somebody.session.as_ref();
        Some(Shown {
            kind: match somebody.kind {
                CredentialKind::Session => AuthKind::Session,
                CredentialKind::AccessToken => AuthKind::AccessToken,
            },
            credential: somebody.id.first_bytes(),
            session: session.map_or(0, |opened| opened.session.family().first_bytes()),
            bound: session.and(self.bound),
        })
    }

    /// The credential that the response lives by: when it ends, the response is cut off.
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
    let now = snapshot.clock.now();
    if routed.route.access.is_public() {
        return Ok(AuthenticatedRequest::anonymous(routed, now));
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
    if let Err(AuthenticationError::Token(error)) = &found {
        snapshot.metrics.token_check(error.label());
    }
    let passes_token = routed.route.passes_token;
    let RenewedAuthentication { authentication, sign_in_at } =
        snapshot.refresher.refresh(passes_token, info.id, found?).await?;
    if let Some(unshown) = authentication.unshown() {
        snapshot.metrics.bound_session("request", unshown.fault.word());
    }
    Ok(AuthenticatedRequest::new(routed, authentication, sign_in_at, now))
}
