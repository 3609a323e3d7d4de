//! Signing in anew in a stronger way (RFC 9470; OpenID Connect Core 1.0, section 3.1.2.1). A sign-in that comes back no
//! stronger than it was asked to be is told to its person: the provider is not asked a second time for what it did not
//! give.

use http::{HeaderMap, HeaderValue};

use super::context::RequestContext;
use super::error::{EndpointError, UnmetStepUp};
use super::return_to::ReturnTo;
use super::sign_in_request::SignInRequest;
use super::state::Endpoints;
use crate::authn::{Authentication, OpenedSession};
use crate::events::StepUpUnmet;
use crate::identity::{Principal, Proof, Shortfall, Strength, texts};
use crate::oidc::Flow;
use crate::session::Session;

impl Endpoints {
    /// `wanted`, of this strength.
    #[must_use]
    pub fn stronger(&self, wanted: SignInRequest, strength: &Strength) -> SignInRequest {
        let sealed = || self.cookies.flows.seal_strength(strength);
        SignInRequest { step_up: (!strength.is_none()).then(sealed), ..wanted }
    }
}

/// How strong the sign-in must be. A parameter that is not ours asks for nothing: the rules of the page that it leads to
/// judge whoever arrives there.
pub(super) fn strength(endpoints: &Endpoints, wanted: &SignInRequest) -> Strength {
    let sealed = wanted.step_up.as_deref();
    sealed.and_then(|sealed| endpoints.cookies.flows.open_strength(sealed)).unwrap_or_default()
}

/// The same, and later than signals ask of the session that the sign-in replaces: whoever begins it without being asked
/// for more is asked for that.
pub(super) async fn and_after_signals(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    cookies: &HeaderMap,
    strength: Strength,
) -> Result<Strength, EndpointError> {
    let found = endpoints.session(context, cookies).await?;
    let since = found.session_to_end().and_then(|opened| opened.session.step_up_since());
    Ok(mutant!(strength.clone().and_after(since), "signal-forgotten-by-signing-in" => strength))
}

/// Whether the sign-in of `session` is as strong as is wanted: somebody may have stepped up on another host.
pub(super) fn is_met(endpoints: &Endpoints, session: &Session, wanted: &SignInRequest) -> bool {
    let met = strength(endpoints, wanted).is_met(&session.principal, endpoints.resources.clock.now());
    mutant!(met, "step-up-by-the-old-session" => true)
}

/// Whether the provider must have the person sign in anew where it remembers them. Methods have no parameter of their
/// own, and there are providers that do not heed `max_age`.
pub(super) async fn needs_login(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    cookies: &HeaderMap,
    strength: &Strength,
) -> Result<bool, EndpointError> {
    if strength.is_none() {
        return Ok(false);
    }
    let (found, now) = (endpoints.session(context, cookies).await?, endpoints.resources.clock.now());
    let given = |proof: &Proof| found.principal().and_then(|principal| proof.is_given(principal, now));
    Ok(strength.proofs().any(|proof| match proof {
        Proof::Level(_) => false,
        Proof::Methods(_) | Proof::After(_) => given(&proof) != Some(true),
        Proof::Recent(_) => given(&proof) == Some(false),
    }))
}

/// Whether a sign-in of `principal` that is too weak leaves the browser the session it has: it is theirs, and as good as
/// before. Which one it is that a posted response would replace cannot be seen, and so it stays.
pub(super) fn keeps_session(flow: &Flow, before: &Authentication, principal: &Principal) -> bool {
    match before.session_to_end() {
        Some(OpenedSession { session, .. }) => {
            let same = is_same_person(&session.principal, principal);
            mutant!(same, "failed-step-up-costs-the-session" => false)
        }
        None => flow.replaces.is_some(),
    }
}

fn is_same_person(one: &Principal, other: &Principal) -> bool {
    (&one.provider, &one.issuer, &one.subject) == (&other.provider, &other.issuer, &other.subject)
}

/// The methods of a sign-in, as records tell them.
pub(super) fn methods(who: &Principal) -> Vec<String> {
    who.claims.get("amr").map(texts).unwrap_or_default()
}

/// Records that somebody has signed in anew and fell short of what was asked; whose session it is, where they have one.
pub(super) fn tell_unmet(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    flow: &Flow,
    who: Option<(&Principal, u64)>,
    shortfall: &[Shortfall],
) {
    let missing: Vec<_> = shortfall.iter().map(|shortfall| shortfall.wanted.clone()).collect();
    endpoints.resources.recorder.emit(&StepUpUnmet {
        caller: context.caller(),
        provider: flow.provider.as_str(),
        who: who.map(|(who, _)| who),
        session: who.map_or(0, |(_, session)| session),
        amr: &who.map(|(who, _)| methods(who)).unwrap_or_default(),
        route: None,
        missing: &missing,
    });
}

/// A sign-in with `flow` that leads where `wanted` says and fell short of what was asked.
pub(super) fn unmet(
    endpoints: &Endpoints,
    flow: &Flow,
    wanted: SignInRequest,
    shortfall: Vec<Shortfall>,
    cookies: Vec<HeaderValue>,
) -> EndpointError {
    let retry = wanted.return_to.as_ref().map_or_else(|| endpoints.hosts.front_page(), ReturnTo::as_str);
    EndpointError::UnmetStepUp(Box::new(UnmetStepUp {
        provider: flow.provider.clone(),
        shortfall,
        retry: retry.to_owned(),
        anew: SignInRequest { anew: true, ..wanted }.address(),
        cookies,
        offer: None,
    }))
}
