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
use crate::identity::{ProviderName, Strength};
use crate::policy::{self, Decision, Permit, Reason, missing_scopes, permit_preflight};
use crate::request::RequestPath;

const TOO_OLD: &str = "the session is older than `session.max_age` of the route; it needs a new sign-in";

const SIGNALLED: &str = "a signal of the provider's asks for a new sign-in";

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
    let permit = permit(&asked)?;
    let destination = destination::judge(routing, &asked, request)?;
    origins::check(&asked, request)?;
    Ok(Permitted::new(asked, permit, destination.map(Box::new)))
}

/// What the route's rules say of the path that was asked for, and then of every reading of it.
fn permit<S>(asked: &AuthenticatedRequest<'_, S>) -> Result<Permit, Denial> {
    let routed = &asked.routed;
    let (access, question) = (&routed.route.access, asked.question());
    match policy::decide(access, &question) {
        Decision::Permit(permit) => {
            let other = refused(access, &routed.readings, &question);
            match mutant!(other, "reading-not-judged" => None) {
                // An app that reads the path so would serve what the rules keep closed.
                Some(reading) => Err(Ambiguous::other_rule(reading).into()),
                None => young_enough(asked).and_then(|()| signed_in_since(asked)).map(|()| permit),
            }
        }
        Decision::StepUp(strength, reason) => Err(step_up(asked, *strength, reason.in_words(access))),
        Decision::Forbidden(reason) => Err(forbidden(asked, reason).into()),
        Decision::SignIn(_) => Err(Denial::SignIn(asked.sign_in_at.clone())),
    }
}

/// Whether the session is young enough for the route, where the route says how old it may be.
fn young_enough<S>(asked: &AuthenticatedRequest<'_, S>) -> Result<(), Denial> {
    let route = asked.routed.route;
    let until = asked.authentication.session().and_then(|opened| route.session_until(&opened.session));
    if mutant!(until.is_none_or(|until| asked.now <= until), "old-session-on-a-strict-route" => true) {
        return Ok(());
    }
    Err(step_up(asked, Strength { max_age: route.session_max_age, ..Strength::default() }, TOO_OLD))
}

/// Whether the person has signed in since a signal asked for that.
fn signed_in_since<S>(asked: &AuthenticatedRequest<'_, S>) -> Result<(), Denial> {
    let waits = asked.authentication.session().is_some_and(|opened| opened.session.step_up_since().is_some());
    if !mutant!(waits, "signal-asks-for-nothing" => false) {
        return Ok(());
    }
    Err(step_up(asked, Strength::default(), SIGNALLED))
}

/// The new sign-in that `why` asks for, and that a signal may ask for as well.
fn step_up<S>(asked: &AuthenticatedRequest<'_, S>, strength: Strength, why: impl ToString) -> Denial {
    let since = asked.authentication.session().and_then(|opened| opened.session.step_up_since());
    let somebody = asked.authentication.authenticated();
    Denial::StepUp(Box::new(StepUp::new(strength.and_after(since), why, somebody)))
}

/// A token whose scopes do not suffice is told so (RFC 6750, section 3.1).
fn forbidden<S>(asked: &AuthenticatedRequest<'_, S>, reason: Reason) -> Rejection {
    let (access, question) = (&asked.routed.route.access, asked.question());
    let has_scopes = asked.authentication.authenticated().is_some_and(Authenticated::has_scopes);
    let scopes = has_scopes.then(|| missing_scopes(access, &question)).flatten();
    let principal = asked.principal().map(Arc::clone);
    Rejection::Forbidden(Box::new(Forbidden { principal, access: Arc::clone(access), reason, scopes }))
}

impl<E: Into<Rejection>> From<E> for Denial {
    fn from(no: E) -> Self {
        Self::Refused(no.into())
    }
}
