//! Credentials, and the policy.

use std::sync::Arc;

use http::Request;

use super::ambiguous::Ambiguous;
use super::credential::Credential;
use super::inbound::Inbound;
use super::readings::refused;
use super::record::RequestRecord;
use super::rejection::{InterruptedRequest, Rejection};
use super::route::Route;
use super::snapshot::Snapshot;
use crate::authn::{Accepted, Authenticated, Authentication, AuthenticationError, RequestView};
use crate::clock::Clock;
use crate::endpoints::DeferredForm;
use crate::identity::Principal;
use crate::listener::RequestBody;
use crate::policy::{Decision, Permit, Question, decide as policy, missing_scopes};

/// Whose credential the request carries. A public route looks at none: it works without store and
/// provider, and nobody is anybody there.
pub(super) async fn authenticate<B>(
    snapshot: &Snapshot,
    route: &Route,
    record: &mut RequestRecord,
    request: &Request<B>,
) -> Result<Authentication, Rejection> {
    if route.access.is_public() {
        return Ok(Authentication::Anonymous);
    }
    let inbound = record.inbound()?;
    let view = RequestView {
        method: &inbound.method,
        scheme: inbound.forwarding.scheme,
        authority: &inbound.authority,
        uri: request.uri(),
        headers: request.headers(),
        transport: &record.transport,
        id: &record.id,
    };
    let found = snapshot.authenticator.recognize(route.accept, &view).await;
    snapshot.count_credential(found.as_ref());
    let found = super::refresh_tokens::refresh_tokens(snapshot, route, record, found?).await?;
    record.principal = found.principal().map(Arc::clone);
    record.credential = Credential::of(&found, route, &snapshot.foundations.clock);
    Ok(found)
}

/// What the policy is asked.
pub(super) fn question<'a>(inbound: &'a Inbound, principal: Option<&'a Arc<Principal>>) -> Question<'a> {
    Question { principal, method: &inbound.method, path: &inbound.path, client: inbound.forwarding.client }
}

/// Lets the policy decide, and puts the decision on record.
pub(super) fn decide<B>(
    snapshot: &Snapshot,
    route: &Route,
    record: &mut RequestRecord,
    authentication: &Authentication,
    request: &Request<B>,
) -> Result<Permit, Rejection> {
    let (inbound, principal) = (record.inbound()?, authentication.principal());
    let question = question(inbound, principal);
    match policy(&route.access, &question) {
        Decision::Permit(permit) => {
            let other = refused(&route.access, &inbound.readings, &question);
            if let Some(reading) = mutant!(other, "reading-not-judged" => None) {
                return Err(Ambiguous::other_rule(reading).into());
            }
            record.decision = Some(permit.reason());
            Ok(permit)
        }
        Decision::Forbidden(reason) => {
            record.decision = Some(reason);
            Err(forbidden(route, record, authentication))
        }
        Decision::SignIn(_) => Err(sign_in(snapshot, route, record, request)),
    }
}

/// A token whose scopes do not suffice is told so (RFC 6750, section 3.1).
fn forbidden(route: &Route, record: &RequestRecord, authentication: &Authentication) -> Rejection {
    let scopes = authentication.authenticated().is_some_and(Authenticated::has_scopes).then(|| {
        let inbound = record.inbound.as_ref()?;
        missing_scopes(&route.access, &question(inbound, authentication.principal()))
    });
    Rejection::Forbidden { scopes: scopes.flatten() }
}

/// Where a person may come back to, if this route signs people in.
fn sign_in<B>(snapshot: &Snapshot, route: &Route, record: &RequestRecord, request: &Request<B>) -> Rejection {
    let inbound = record.inbound.as_ref().filter(|_| route.accept.has(Accepted::Session));
    let return_to = inbound.and_then(|inbound| inbound.address(request.uri()));
    let return_to = return_to.map(|there| snapshot.endpoints.hosts.claimed(there));
    let cookies = super::respond::cookies(request.headers());
    let provider = record.sign_in_at.as_ref().map(|name| name.as_str().to_owned());
    Rejection::SignIn(
        return_to.map(|return_to| Box::new(InterruptedRequest { return_to, cookies, provider, form: None })),
    )
}

/// Adds the form to a rejection that asks its sender to sign in, where the request is one worth keeping.
pub(super) async fn with_form(
    mut no: Rejection,
    record: &RequestRecord,
    request: Request<RequestBody>,
    clock: &Clock,
) -> Rejection {
    if let (Rejection::SignIn(Some(interrupted)), Some(inbound)) = (&mut no, &record.inbound) {
        interrupted.form = DeferredForm::read(inbound.origin(), request, clock).await;
    }
    no
}

impl From<AuthenticationError> for Rejection {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Token(error) => Self::Token(error),
            AuthenticationError::Store(error) => Self::StoreUnavailable(error.to_string()),
        }
    }
}
