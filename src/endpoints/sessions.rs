//! The page on which a person sees where they are signed in, and ends what they do not want.
//!
//! Whatever a form names is looked for among the sign-ins of whoever sends it, by issuer and subject: the identifier of
//! somebody else's session finds nothing (invariant 7), and the answer is the same as for one that has ended.

use std::cmp::Reverse;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use url::form_urlencoded;

use super::answer::Answer;
use super::body::read_form;
use super::context::RequestContext;
use super::device;
use super::error::EndpointError;
use super::home::shell;
use super::paths::{ACCOUNT, SESSIONS, SIGN_OUT};
use super::response::{redirect, show};
use super::same_origin::same_origin;
use super::sign_in_request::SignInRequest;
use super::state::Endpoints;
use crate::authn::OpenedSession;
use crate::clock::Timestamp;
use crate::listener::RequestBody;
use crate::portal::{Moment, SessionsEnded, SessionsPage, SignInShown};
use crate::session::{
    EndCause, IdPrefix, Selector, Session, SessionEnd, SessionId, SessionOverview, StoreUnavailable,
};

const WHY: SessionEnd = SessionEnd::SignedOutElsewhere;

/// Sign-ins that are looked at, and that are shown, at most (invariant 14).
const LOOKED_AT: u32 = 300;
const SHOWN: usize = 100;

/// Bytes of a form at most.
const LARGEST: usize = 1024;

/// What a form asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// This sign-in ends.
    One(SessionId),
    /// All end but the one of this browser.
    Others,
}

/// `GET` shows the sign-ins; `POST` from a page of this origin ends some. On the sign-in host alone: on an app's host the
/// app's own scripts are of the same origin, and in an older browser nothing would tell them from the person.
pub(super) async fn answer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: Request<RequestBody>,
) -> Answer {
    let here = endpoints.hosts.is_public(context.authority, context.forwarding.scheme);
    if !mutant!(here, "sessions-shown-to-apps" => true) {
        return redirect(StatusCode::SEE_OTHER, &endpoints.hosts.address(SESSIONS)).into();
    }
    let (head, body) = request.into_parts();
    let posted = head.method == Method::POST;
    if posted && let Err(error) = same_origin(context, &head.headers) {
        return error.into();
    }
    let found = match endpoints.session(context, &head.headers).await {
        Ok(found) => found,
        Err(error) => return error.into(),
    };
    let Some(OpenedSession { session, .. }) = endpoints.good_session(context, &found) else {
        let sign_in = SignInRequest::back_to(context, SESSIONS);
        return redirect(StatusCode::SEE_OTHER, &sign_in.address()).into();
    };
    let response = match posted {
        true => end(endpoints, context, session, read(&head.headers, body).await).await,
        false => shown(endpoints, context, session, None).await,
    };
    Answer::to(found.principal().cloned(), response)
}

/// What the form says; `None` where it says nothing that is known.
async fn read(headers: &http::HeaderMap, body: RequestBody) -> Option<Asked> {
    let body = read_form(headers, body, LARGEST).await.ok()?;
    let mut fields = form_urlencoded::parse(&body);
    let (name, value) = fields.next()?;
    match (&*name, &*value, fields.next()) {
        ("end", id, None) => SessionId::from_hex(id).map(Asked::One),
        ("others", "yes", None) => Some(Asked::Others),
        _ => None,
    }
}

async fn end(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    session: &Session,
    asked: Option<Asked>,
) -> Result<Response<Bytes>, EndpointError> {
    let (sessions, here) = (&endpoints.resources.sessions, session.family());
    let cause = EndCause::by(WHY, &here.in_words()).asked_in(context.owned_caller());
    let told = match asked {
        // The one of this browser ends where that is asked for in so many words, and the provider is told.
        Some(Asked::One(id)) if mutant!(id == here, "own-session-ended-unasked" => false) => {
            return redirect(StatusCode::SEE_OTHER, SIGN_OUT);
        }
        Some(Asked::One(id)) => {
            let whose = mutant!(theirs(session), "anybodys-session-ended" => Selector::All);
            let ended = sessions.end_included(whose, cause, move |found| found.id == id).await?;
            if ended > 0 { SessionsEnded::One } else { SessionsEnded::Gone }
        }
        Some(Asked::Others) => {
            let ended = sessions.end_all_but(here, theirs(session), cause).await?;
            SessionsEnded::Others(ended)
        }
        None => SessionsEnded::Gone,
    };
    shown(endpoints, context, session, Some(told)).await
}

/// What finds all sign-ins of whoever `session` is of.
fn theirs(session: &Session) -> Selector {
    let principal = &session.principal;
    Selector::Subject(principal.issuer.clone(), principal.subject.as_str().to_owned())
}

async fn shown(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    session: &Session,
    ended: Option<SessionsEnded>,
) -> Result<Response<Bytes>, EndpointError> {
    let now = endpoints.resources.clock.now();
    let (here, mut others) = listed(endpoints, session).await?;
    let more = others.len() > SHOWN || others.len() + 1 >= LOOKED_AT as usize;
    others.sort_by_key(|found| Reverse((found.last_seen, found.created, found.id)));
    others.truncate(SHOWN);
    let page = SessionsPage {
        shell: shell(endpoints, context, &session.principal, (SESSIONS, ACCOUNT)),
        here: here
            .as_ref()
            .map(|here| SignInShown { last_used: Moment::new(now, now), ..in_words(context, here, now) }),
        others: others.iter().map(|found| in_words(context, found, now)).collect(),
        more,
        ended,
        action: SESSIONS,
    };
    Ok(show(page.page()))
}

/// The sign-in of this browser, and the others of its person.
async fn listed(
    endpoints: &Endpoints,
    session: &Session,
) -> Result<(Option<SessionOverview>, Vec<SessionOverview>), StoreUnavailable> {
    let sessions = &endpoints.resources.sessions;
    let mut found = sessions.list(&theirs(session), None, LOOKED_AT).await?;
    let here = found.iter().position(|found| found.id == session.family()).map(|at| found.swap_remove(at));
    let here = match (here, IdPrefix::parse(&session.family().to_hex())) {
        (None, Some(id)) => sessions.list(&Selector::Id(id), None, 1).await?.pop(),
        (here, _) => here,
    };
    found.retain(|found| !sessions.is_over(found));
    Ok((here, found))
}

fn in_words(context: RequestContext<'_>, found: &SessionOverview, now: Timestamp) -> SignInShown {
    let origin = found.card.as_ref().map(|card| &card.origin);
    let mut hosts: Vec<_> = found.sessions.iter().map(|(_, host)| host.clone()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    SignInShown {
        id: found.id.to_hex(),
        device: device::told(origin.unwrap_or(&Default::default()), context.look),
        address: origin.and_then(|origin| origin.address).map(|address| address.to_string()),
        signed_in: Moment::new(found.created, now),
        last_used: Moment::new(found.last_seen, now),
        hosts,
    }
}
