//! The decision: the only place that makes a [`Permit`].

use std::sync::Arc;

use http::Method;

use super::access::Opening;
use super::rule::Certainty;
use super::step_up::{StepUp, rule_to_meet, step_up};
use super::{Access, Grant, Permit, Reason, Verdict};
use crate::clock::Timestamp;
use crate::identity::{Gaps, Principal, Strength};
use crate::request::{ClientAddress, RequestPath};

/// The question that the policy is asked: who asks for what, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Whose credential was verified; `None`: nobody's.
    pub principal: Option<&'a Arc<Principal>>,
    /// The request's method.
    pub method: &'a Method,
    /// The request's path; rules see it decoded.
    pub path: &'a RequestPath,
    /// Where the request comes from.
    pub client: ClientAddress,
    /// When it is asked: how long ago somebody signed in hangs on that.
    pub now: Timestamp,
    /// Whether the session is bound to a device and the request shows it; `None`: its browser may be about to bind it. A
    /// credential that is no session is not bound.
    pub bound: Option<bool>,
}

/// Whether a request may go on.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It may pass, and this is what it passes with.
    Permit(Permit),
    /// Not without signing in.
    SignIn(Reason),
    /// Not without signing in anew: the rules ask the same person for a sign-in of this strength.
    StepUp(Box<Strength>, Reason),
    /// It may not, and signing in as the same person does not help.
    Forbidden(Reason),
}

/// Decides. `deny` beats `allow`, every policy is required, and only a public route needs no principal: a rule
/// of networks, methods and paths alone opens to everybody who is signed in, not to strangers. What the provider
/// did not say is unknown, not none: it keeps an `allow` rule from holding, and no `deny` rule (invariant 19).
///
/// Who would be let in but for how they signed in is asked to sign in anew rather than forbidden, unless a rule
/// refuses them however they do.
///
/// A request that a `deny` rule already refuses without anybody signed in is forbidden rather than sent to
/// sign in for nothing.
#[must_use]
pub fn decide(access: &Access, question: &Question<'_>) -> Decision {
    let reason = reason(access, question);
    match (reason.verdict(), question.principal) {
        (Verdict::Permitted, _) if matches!(reason, Reason::Public) => {
            Decision::Permit(Permit::new(Grant::Public, reason))
        }
        (Verdict::Permitted, Some(principal)) => {
            Decision::Permit(Permit::new(Grant::Principal(Arc::clone(principal)), reason))
        }
        // Nothing but a public route is permitted without a principal, whatever the reason says.
        (Verdict::SignIn, _) | (Verdict::Permitted, None) => Decision::SignIn(Reason::NotSignedIn),
        (Verdict::StepUp, _) => match step_up(access, question) {
            Some(StepUp { strength, .. }) => Decision::StepUp(Box::new(strength), reason),
            None => Decision::Forbidden(reason),
        },
        (Verdict::Forbidden, _) => Decision::Forbidden(reason),
    }
}

/// Lets a preflight go on to an app that answers preflights itself: it carries no credential, so that there is
/// nobody to judge, and it goes in nobody's name.
#[must_use]
pub const fn permit_preflight() -> Permit {
    Permit::new(Grant::Public, Reason::Preflight)
}

pub(super) fn reason(access: &Access, question: &Question<'_>) -> Reason {
    match access.opening() {
        Opening::Public => Reason::Public,
        Opening::SignedIn => question.principal.map_or(Reason::NotSignedIn, |_| Reason::SignedIn),
        Opening::Policies => by_policies(access, question),
    }
}

fn by_policies(access: &Access, question: &Question<'_>) -> Reason {
    // Before it is asked whether anybody is signed in: what refuses everybody sends nobody to sign in for nothing.
    if let Some(denied) = mutant!(denied(access, question), "deny-not-asked" => None) {
        return denied;
    }
    if question.principal.is_none() {
        return Reason::NotSignedIn;
    }
    let mut reason = Reason::NoPolicy;
    for (index, policy) in access.policies().iter().enumerate() {
        let Some(rule) = policy.allow.first(question, Certainty::Known) else {
            mutant!(return refused(access, index, question), "one-policy-is-enough" => continue)
        };
        reason = Reason::Allowed { policy: index, rule };
    }
    reason
}

/// Why the policy at `policy`, of which no rule allows, refuses.
#[cold] // kept out of what every request passes
#[inline(never)]
fn refused(access: &Access, policy: usize, question: &Question<'_>) -> Reason {
    match rule_to_meet(access, policy, question) {
        Some(rule) => Reason::StepUp { policy, rule },
        None => Reason::NotAllowed { policy, unsaid: would_allow(access, policy, question) },
    }
}

fn denied(access: &Access, question: &Question<'_>) -> Option<Reason> {
    access.policies().iter().enumerate().find_map(|(policy, rules)| {
        let rule = rules.deny.first(question, Certainty::Possible)?;
        Some(Reason::Denied { policy, rule, unsaid: rules.deny.unsaid(rule, question) })
    })
}

/// What is not known and would have to be for a rule of the policy at `policy` to allow.
fn would_allow(access: &Access, policy: usize, question: &Question<'_>) -> Gaps {
    let allow = access.policies().get(policy).map(|policy| &policy.allow);
    let possible = allow.and_then(|allow| Some((allow, allow.first(question, Certainty::Possible)?)));
    possible.map(|(allow, rule)| allow.unsaid(rule, question)).unwrap_or_default()
}
