//! Where a browser has its bound cookie renewed (section 8.8).
//!
//! A browser reads the status as follows: 200 renews, or ends the session where it says so; 403 with a challenge has it sign
//! again; of any other 4xx it forgets the session, and comes without the cookie from then on; of 5xx it tries again later.
//! So nothing else than 200, 403 with a challenge and 5xx is answered here, and no limit stands before it.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::json;

use super::instructions::{bound, document, over};
use super::proof::{ProofError, judged};
use super::{Step, add_challenge, count, record_refusal, session_named, tell_refusal};
use crate::authn::{DeviceProofError, presented_session_id};
use crate::endpoints::answer::Answer;
use crate::endpoints::context::RequestContext;
use crate::endpoints::error::EndpointError;
use crate::endpoints::state::Endpoints;
use crate::session::{Binding, Challenge, ChallengeKind, FoundSession, SessionId, UnreadableBinding};

pub(in crate::endpoints) async fn answer<B>(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: &Request<B>,
) -> Answer {
    renewed(endpoints, context, request.headers()).await.into()
}

async fn renewed(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    headers: &HeaderMap,
) -> Result<Response<Bytes>, EndpointError> {
    let named = presented_session_id(headers).and_then(|name| session_named(&name));
    let Some(binding) = find(endpoints, context, named).await? else {
        count(endpoints, Step::Refresh, "no-session");
        return Ok(over());
    };
    let (sessions, id) = (&endpoints.resources.sessions, binding.session);
    let proof = judged(sessions, headers, ChallengeKind::Refresh, |proof, challenge| {
        proof.check(&binding.key)?;
        of_session(challenge, id)
    });
    let challenge = match proof {
        Ok(challenge) => challenge,
        Err(error) => return Ok(sign_again(endpoints, context, &binding, &error)),
    };
    match sessions.renew_binding(binding, challenge).await? {
        Some(binding) => {
            tracing::debug!(id = %context.id, session = %id, "a device has shown its key");
            count(endpoints, Step::Refresh, "ok");
            Ok(bound(endpoints, context, &binding, true))
        }
        None => match find(endpoints, context, Some(id)).await? {
            Some(binding) => Ok(sign_again(endpoints, context, &binding, &ProofError::Replayed)),
            None => Ok(over()),
        },
    }
}

fn of_session(challenge: Challenge, session: SessionId) -> Result<Challenge, ProofError> {
    let same = mutant!(challenge.session == session, "challenge-of-another-session" => true);
    same.then_some(challenge).ok_or(ProofError::OtherSession)
}

/// What the session is bound to. One that has ended, that is not bound, or whose binding cannot be read is over for the
/// browser too: a sign-in binds anew.
async fn find(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    id: Option<SessionId>,
) -> Result<Option<Binding>, EndpointError> {
    let Some(id) = id else { return Ok(None) };
    let found = endpoints.resources.sessions.find_by_id(id).await?;
    let Some(FoundSession { host, binding, .. }) = found else { return Ok(None) };
    if !host.eq_ignore_ascii_case(context.authority.host()) {
        return Ok(None);
    }
    Ok(binding.unwrap_or_else(|error: UnreadableBinding| {
        record_refusal(endpoints, context, Some(id), &format!("refresh: a bound session is over: {error}"));
        None
    }))
}

/// A good signature over an old challenge is no theft: it is asked for another. That there was no proof yet is how it begins.
fn sign_again(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    binding: &Binding,
    error: &ProofError,
) -> Response<Bytes> {
    if *error == ProofError::Proof(DeviceProofError::Missing) {
        count(endpoints, Step::Refresh, error.word());
    } else {
        tell_refusal(endpoints, context, Step::Refresh, Some(binding.session), error);
    }
    let mut response = document(StatusCode::FORBIDDEN, &json!({ "error": error.word() }));
    add_challenge(endpoints, binding, &mut response);
    response
}
