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
use crate::authn::{
    Authenticated, Authentication, AuthenticationError, CredentialKind, RequestView, TokenRefusal,
    UnshownSession,
};
use crate::clock::{Clock, Timestamp};
use crate::events::{AuthKind, CredentialFirstUsed, CredentialRefused, Shown};
use crate::identity::{Principal, ProviderName, texts};
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
        self.authentication.authenticated().map(|somebody| shown(somebody, self.bound))
    }

    /// The credential that the response lives by: when it ends, the response is cut off.
    pub(super) fn credential(&self, clock: &Clock) -> Credential {
        Credential::of(&self.authentication, self.routed.route, clock)
    }
}

fn shown(somebody: &Authenticated, bound: Option<bool>) -> Shown {
    let session = somebody.session.as_ref();
    Shown {
        kind: match somebody.kind {
            CredentialKind::Session => AuthKind::Session,
            CredentialKind::AccessToken => AuthKind::AccessToken,
        },
        credential: somebody.id.first_bytes(),
        session: session.map_or(0, |opened| opened.session.family().first_bytes()),
        bound: session.and(bound),
    }
}

fn tell_first_use(snapshot: &Snapshot, info: RequestInfo<'_>, somebody: &Authenticated, bound: Option<bool>) {
    let (who, shown) = (&*somebody.principal, shown(somebody, bound));
    let amr = who.claims.get("amr").map(texts).unwrap_or_default();
    let used = CredentialFirstUsed { caller: info.caller(), who, shown, amr: &amr };
    snapshot.keeper.recorder.emit(&used);
}

/// No token that is refused says for sure whose it is.
fn tell_refused(snapshot: &Snapshot, info: RequestInfo<'_>, error: &TokenRefusal) {
    snapshot.keeper.recorder.emit(&CredentialRefused {
        caller: info.caller(),
        auth: AuthKind::AccessToken,
        provider: error.provider().map(ProviderName::as_str),
        credential: 0,
        reason: &format!("{}: {error}", error.label()),
    });
}

fn tell_unshown(snapshot: &Snapshot, info: RequestInfo<'_>, unshown: &UnshownSession) {
    let session = &unshown.opened.session;
    snapshot.keeper.recorder.emit(&CredentialRefused {
        caller: info.caller(),
        auth: AuthKind::Session,
        provider: Some(session.principal.provider.as_str()),
        credential: session.id.first_bytes(),
        reason: &format!("{}: {}", unshown.fault.word(), unshown.fault),
    });
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
        tell_refused(snapshot, info, error);
    }
    let passes_token = routed.route.passes_token;
    let RenewedAuthentication { authentication, sign_in_at } =
        snapshot.refresher.refresh(passes_token, info, found?).await?;
    if let Some(unshown) = authentication.unshown() {
        snapshot.metrics.bound_session("request", unshown.fault.word());
        tell_unshown(snapshot, info, unshown);
    }
    if let Some(somebody) = authentication.authenticated().filter(|somebody| somebody.is_first_use()) {
        tell_first_use(snapshot, info, somebody, authentication.is_bound(now));
    }
    Ok(AuthenticatedRequest::new(routed, authentication, sign_in_at, now))
}
