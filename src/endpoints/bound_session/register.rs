//! Where a browser registers the key of its device (section 8.10). A session is bound once: who sends another key, or the
//! same again, changes nothing.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::json;

use super::instructions::{bound, document, over};
use super::offer::scope;
use super::proof::{ProofError, judged};
use super::{Step, count, record_refusal, tell_refusal};
use crate::endpoints::answer::Answer;
use crate::endpoints::context::RequestContext;
use crate::endpoints::error::EndpointError;
use crate::endpoints::state::Endpoints;
use crate::events::SessionBound;
use crate::session::{ChallengeKind, CookieRead, DeviceKey, FoundSession, Registered, SessionId};

pub(in crate::endpoints) async fn answer<B>(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: &Request<B>,
) -> Answer {
    let sessions = &endpoints.resources.sessions;
    let proof = judged(sessions, request.headers(), ChallengeKind::Registration, |proof, challenge| {
        of_session(endpoints, request.headers(), challenge.session)?;
        Ok((challenge.session, proof.registered_key()?))
    });
    match proof {
        Ok((session, key)) => register(endpoints, context, session, key).await.into(),
        Err(error) => {
            tell_refusal(endpoints, context, Step::Registration, None, &error);
            Ok(refused(error.word())).into()
        }
    }
}

/// The session's cookie need not be there; one of another session means that the browser has signed in anew meanwhile.
fn of_session(endpoints: &Endpoints, headers: &HeaderMap, session: SessionId) -> Result<(), ProofError> {
    match endpoints.cookies.session.read(headers) {
        Some(CookieRead::Key(key)) if *key.id() != session => Err(ProofError::OtherSession),
        Some(CookieRead::Malformed) => Err(ProofError::OtherSession),
        Some(CookieRead::Key(_)) | None => Ok(()),
    }
}

async fn register(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    session: SessionId,
    key: DeviceKey,
) -> Result<Response<Bytes>, EndpointError> {
    let sessions = &endpoints.resources.sessions;
    let found = sessions.find_by_id(session).await?.filter(|found| is_here(found, context));
    let Some(found) = found else {
        count(endpoints, Step::Registration, "no-session");
        return Ok(over());
    };
    let scope = scope(endpoints, &found.host);
    Ok(match sessions.bind(&found, scope, key).await? {
        Registered::Bound(binding) => {
            endpoints.resources.recorder.emit(&SessionBound {
                caller: context.caller(),
                who: None,
                session: session.first_bytes(),
                key: Some(&binding.key.thumbprint()),
            });
            count(endpoints, Step::Registration, "ok");
            bound(endpoints, context, &binding, false)
        }
        Registered::Already => {
            let why = "registration, bound-before: a session is bound once; its key stays";
            record_refusal(endpoints, context, Some(session), why);
            count(endpoints, Step::Registration, "bound-before");
            refused("bound-before")
        }
        Registered::TooMany => {
            record_refusal(endpoints, context, Some(session), super::TOO_MANY_HOSTS);
            count(endpoints, Step::Registration, "too-many-hosts");
            over()
        }
        Registered::Ended => {
            count(endpoints, Step::Registration, "no-session");
            over()
        }
    })
}

fn is_here(found: &FoundSession, context: RequestContext<'_>) -> bool {
    mutant!(found.host.eq_ignore_ascii_case(context.authority.host()), "registration-on-any-host" => true)
}

/// A browser whose registration is refused goes on without.
fn refused(reason: &str) -> Response<Bytes> {
    document(StatusCode::BAD_REQUEST, &json!({ "error": reason }))
}
