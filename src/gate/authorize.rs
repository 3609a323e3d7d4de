//! Whether a request may go on.

use std::sync::Arc;

use http::Request;

use super::ambiguous::Ambiguous;
use super::authenticate::AuthenticatedRequest;
use super::destination;
use super::inbound::Inbound;
use super::origins;
use super::rejection::{Forbidden, Rejection, StepUp};
use super::route::Route;
use super::routed::{Routed, refused};
use super::routing::Routing;
use super::service::Service;
use crate::authn::{Authenticated, Authentication};
use crate::clock::Timestamp;
use crate::identity::{Gap, ProviderName, Strength};
use crate::policy::{self, Decision, Permit, Reason, missing_scopes, permit_preflight};
use crate::request::RequestPath;

const TOO_OLD: &str = "the session is older than `session.max_age` of the route; it needs a new sign-in";

/// A request that may go on, and all that was judged of it.
#[derive(Debug)]
pub(super) struct Permitted<'a, S = Service> {
    pub(super) inbound: &'a Inbound,
    pub(super) route: &'a Arc<Route<S>>,
    pub(super) authentication: Authentication,
    pub(super) permit: Permit,
    /// The path in its `Destination`, where it has one that an app may write to.
    pub(super) destination: Option<Box<RequestPath>>,
}

impl<'a, S> Permitted<'a, S> {
    /// Lets a preflight go on in nobody's name.
    pub(super) fn preflight(routed: Routed<'a, S>) -> Self {
        Self::new(AuthenticatedRequest::anonymous(routed, Timestamp::default()), permit_preflight(), None)
    }

    fn new(
        request: AuthenticatedRequest<'a, S>,
        permit: Permit,
        destination: Option<Box<RequestPath>>,
    ) -> Self {
        let Routed { inbound, route, .. } = request.routed;
        Self { inbound, route, authentication: request.authentication, permit, destination }
    }
}

/// Why a request does not go on, as far as can be decided without its body.
#[derive(Debug)]
pub(super) enum Denial {
    /// Its sender has to sign in; with the provider that alone can help, where there is one.
    SignIn(Option<ProviderName>),
    /// Its sender has to sign in anew.
    StepUp(Box<StepUp>),
    /// Whoever signs in, it is refused.
    Refused(Rejection),
}

/// Decides: by the route's rules, for the path that was asked for and for every other that the request names or that a
/// server could take it for; and by where the page lies that made a browser send it.
///
/// A live request and one that is merely explained are decided here, and nowhere else.
pub(super) fn decide<'a, S, B>(
    routing: &Routing<S>,
    asked: AuthenticatedRequest<'a, S>,
    request: &Request<B>,
) -> Result<Permitted<'a, S>, Denial> {
    shown(&asked, request)?;
    let permit = permit(routing, &asked)?;
    let destination = destination::judge(routing, &asked, request)?;
    origins::check(&asked, request)?;
    Ok(Permitted::new(asked, permit, destination.map(Box::new)))
}

/// What the route's rules say of the path that was asked for, and then of every reading of it.
fn permit<S>(routing: &Routing<S>, asked: &AuthenticatedRequest<'_, S>) -> Result<Permit, Denial> {
    let routed = &asked.routed;
    let (access, question) = (&routed.route.access, asked.question());
    match policy::decide(access, &question) {
        Decision::Permit(permit) => {
            let other = refused(access, &routed.readings, &question);
            match mutant!(other, "reading-not-judged" => None) {
                // An app that reads the path so would serve what the rules keep closed.
                Some(reading) => Err(Ambiguous::other_rule(reading).into()),
                None => young_enough(asked).and_then(|()| bound_enough(routing, asked)).map(|()| permit),
            }
        }
        Decision::StepUp(strength, reason) => {
            let somebody = asked.authentication.authenticated();
            Err(Denial::StepUp(Box::new(StepUp::new(*strength, reason.in_words(access), somebody))))
        }
        Decision::Forbidden(reason) if hangs_on_binding(reason) => Err(Rejection::BindingAwaited.into()),
        Decision::Forbidden(reason) => Err(forbidden(asked, reason).into()),
        Decision::SignIn(_) => Err(Denial::SignIn(asked.sign_in_at.clone())),
    }
}

/// Whether the request shows the device of its session, where that is bound to one. Who has the session's cookie alone has
/// to sign in, whatever the rules say and whatever the browser says of why it sends no more.
fn shown<S, B>(asked: &AuthenticatedRequest<'_, S>, request: &Request<B>) -> Result<(), Denial> {
    match asked.authentication.unshown() {
        Some(unshown) if mutant!(!asked.routed.route.access.is_public(), "bound-session-by-its-cookie" => false) => {
            Err(Denial::StepUp(Box::new(StepUp::to_show_device(unshown, request.headers()))))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether the session is bound to its device, where every one has to be. A browser has some seconds for it.
fn bound_enough<S>(routing: &Routing<S>, asked: &AuthenticatedRequest<'_, S>) -> Result<(), Denial> {
    let unbound = asked.authentication.session().is_some() && asked.bound == Some(false);
    if mutant!(routing.requires_binding && unbound, "unbound-where-required" => false) {
        return Err(Rejection::NotBound.into());
    }
    Ok(())
}

fn hangs_on_binding(reason: Reason) -> bool {
    reason.unsaid().is_some_and(|unsaid| unsaid.has(Gap::Binding))
}

/// Whether the session is young enough for the route, where the route says how old it may be.
fn young_enough<S>(asked: &AuthenticatedRequest<'_, S>) -> Result<(), Denial> {
    let (route, somebody) = (asked.routed.route, asked.authentication.authenticated());
    let until = asked.authentication.session().and_then(|opened| route.session_until(&opened.session));
    if mutant!(until.is_none_or(|until| asked.now <= until), "old-session-on-a-strict-route" => true) {
        return Ok(());
    }
    let strength = Strength { max_age: route.session_max_age, ..Strength::default() };
    Err(Denial::StepUp(Box::new(StepUp::new(strength, TOO_OLD, somebody))))
}

/// A token whose scopes do not suffice is told so (RFC 6750, section 3.1).
fn forbidden<S>(asked: &AuthenticatedRequest<'_, S>, reason: Reason) -> Rejection {
    let (access, question) = (&asked.routed.route.access, asked.question());
    let has_scopes = asked.authentication.authenticated().is_some_and(Authenticated::has_scopes);
    let scopes = has_scopes.then(|| missing_scopes(access, &question)).flatten();
    let principal = asked.principal().map(Arc::clone);
    let (access, bound) = (Arc::clone(access), asked.bound);
    Rejection::Forbidden(Box::new(Forbidden { principal, access, reason, scopes, bound }))
}

impl<E: Into<Rejection>> From<E> for Denial {
    fn from(no: E) -> Self {
        Self::Refused(no.into())
    }
}
