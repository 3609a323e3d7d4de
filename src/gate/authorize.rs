//! Whether a request may go on.

use std::sync::Arc;

use http::HeaderMap;

use super::ambiguous::Ambiguous;
use super::authenticate::AuthenticatedRequest;
use super::destination::{self, Destination};
use super::inbound::Inbound;
use super::origins::{self, Sender};
use super::rejection::{Forbidden, Rejection, StepUp};
use super::route::Route;
use super::routed::{Routed, refused};
use super::routing::Routing;
use super::service::Service;
use crate::authn::{Authenticated, Authentication};
use crate::clock::Timestamp;
use crate::identity::{Gap, ProviderName, Strength};
use crate::policy::{self, Decision, Permit, Reason, least_strength, missing_scopes, permit_preflight};

const TOO_OLD: &str = "the session is older than `session.max_age` of the route; it needs a new sign-in";

const MOVED: &str = "the session comes from another network than it was made from; it needs a new sign-in";

const UNUSED: &str =
    "the session has not been used here for `session.idle_timeout` of the route; it needs a new sign-in";

const SIGNALLED: &str = "a signal of the provider's asks for a new sign-in";

/// A request that may go on, and all that was judged of it.
#[derive(Debug)]
pub(super) struct Permitted<'a, S = Service> {
    pub(super) inbound: &'a Inbound,
    pub(super) route: &'a Arc<Route<S>>,
    pub(super) permit: Permit,
    pub(super) grounds: Grounds,
}

/// What a request was permitted on beside its head as it was read: by this it is judged anew where it goes on for long.
#[derive(Clone, Debug)]
pub(super) struct Grounds {
    pub(super) authentication: Authentication,
    /// Which page made a browser send it.
    pub(super) sender: Sender,
    /// Where its `Destination` leads, where it has one that an app may write to.
    pub(super) destination: Option<Box<Destination>>,
}

/// What is asked of a request's fields.
#[derive(Clone, Copy)]
pub(super) enum RequestFields<'r> {
    /// The fields of a request that is let in or refused.
    Sent(&'r HeaderMap),
    /// What was found in those of one that goes on.
    Remembered {
        /// What it was let in on.
        grounds: &'r Grounds,
        /// Whether it has become another protocol's.
        upgraded: bool,
    },
}

impl<'r> RequestFields<'r> {
    /// The fields themselves, of a request that is let in or refused.
    const fn sent(self) -> Option<&'r HeaderMap> {
        match self {
            Self::Sent(headers) => Some(headers),
            Self::Remembered { .. } => None,
        }
    }
}

impl<'a, S> Permitted<'a, S> {
    /// Lets a preflight go on in nobody's name.
    pub(super) fn preflight(routed: Routed<'a, S>) -> Self {
        let request = AuthenticatedRequest::anonymous(routed, Timestamp::default());
        Self::new(request, permit_preflight(), Sender::Preflight, None)
    }

    fn new(
        request: AuthenticatedRequest<'a, S>,
        permit: Permit,
        sender: Sender,
        destination: Option<Box<Destination>>,
    ) -> Self {
        let AuthenticatedRequest { routed: Routed { inbound, route, .. }, authentication, .. } = request;
        Self { inbound, route, permit, grounds: Grounds { authentication, sender, destination } }
    }
}

/// Why a request does not go on, as far as can be decided without its body.
#[derive(Debug)]
pub(super) enum Denial {
    /// Its sender has to sign in: with the provider that alone can help, where there is one, and as strongly as every rule
    /// asks.
    SignIn(Option<ProviderName>, Box<Strength>),
    /// Its sender has to sign in anew.
    StepUp(Box<StepUp>),
    /// Whoever signs in, it is refused.
    Refused(Rejection),
}

/// Decides: by the route's rules, for the path that was asked for and for every other that the request names or that a
/// server could take it for; and by where the page lies that made a browser send it.
///
/// A live request, one that goes on for long and one that is merely explained are decided here, and nowhere else.
pub(super) fn decide<'a, S>(
    routing: &Routing<S>,
    asked: AuthenticatedRequest<'a, S>,
    fields: RequestFields<'_>,
) -> Result<Permitted<'a, S>, Denial> {
    shown(&asked, fields)?;
    let permit = permit(routing, &asked)?;
    let destination = destination::judge(routing, &asked, fields)?;
    let sender = origins::check(&asked, fields)?;
    Ok(Permitted::new(asked, permit, sender, destination.map(Box::new)))
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
                None => young_enough(asked)
                    .and_then(|()| from_its_network(asked))
                    .and_then(|()| bound_enough(routing, asked))
                    .and_then(|()| signed_in_since(asked))
                    .map(|()| permit),
            }
        }
        Decision::StepUp(strength, reason) => Err(step_up(asked, *strength, reason.in_words(access))),
        Decision::Forbidden(reason) if hangs_on_binding(reason) => Err(Rejection::BindingAwaited.into()),
        Decision::Forbidden(reason) => Err(forbidden(asked, reason).into()),
        Decision::SignIn(_) => {
            let strength = mutant!(least_strength(access, &question), "first-sign-in-of-any-strength" => Strength::default());
            Err(Denial::SignIn(asked.sign_in_at.clone(), Box::new(strength)))
        }
    }
}

/// Whether the request shows the device of its session, where that is bound to one. Who has the session's cookie alone has
/// to sign in, whatever the rules say and whatever the browser says of why it sends no more (invariant 27).
fn shown<S>(asked: &AuthenticatedRequest<'_, S>, fields: RequestFields<'_>) -> Result<(), Denial> {
    match asked.authentication.unshown() {
        Some(unshown) if mutant!(!asked.routed.route.access.is_public(), "bound-session-by-its-cookie" => false) => {
            Err(Denial::StepUp(Box::new(StepUp::to_show_device(unshown, fields.sent()))))
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

/// Whether the session is young enough for the route, and has been used on it lately, where the route says so.
fn young_enough<S>(asked: &AuthenticatedRequest<'_, S>) -> Result<(), Denial> {
    let route = asked.routed.route;
    let Some(opened) = asked.authentication.session() else { return Ok(()) };
    let over = |until: Option<Timestamp>| until.is_some_and(|until| asked.now > until);
    let too_old = over(route.session_until(&opened.session));
    let unused = over(route.idle_until(&opened.session));
    let (max_age, why) = if mutant!(too_old, "old-session-on-a-strict-route" => false) {
        (route.session_max_age, TOO_OLD)
    } else if mutant!(unused, "idle-session-on-a-strict-route" => false) {
        (route.session_idle_timeout, UNUSED)
    } else {
        return Ok(());
    };
    Err(step_up(asked, Strength { max_age, ..Strength::default() }, why))
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

/// Whether the session comes from the network that it was made from, where that counts: elsewhere it may have been stolen
/// (invariant 27).
fn from_its_network<S>(asked: &AuthenticatedRequest<'_, S>) -> Result<(), Denial> {
    let (Some(network), Some(opened)) = (asked.routed.route.session_network, asked.authentication.session())
    else {
        return Ok(());
    };
    let moved = opened.session.has_moved(asked.routed.inbound.forwarding.client.ip(), network);
    if !mutant!(moved, "session-from-any-network" => false) {
        return Ok(());
    }
    Err(Denial::StepUp(Box::new(StepUp::anew(MOVED, asked.authentication.authenticated()))))
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
