//! From a rejection to its response. A page for a browser's navigation; for everything else 401 with a challenge, or a
//! problem document (RFC 9457).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "`refused` answers every rejection; here are special cases"
)]

use http::{HeaderMap, HeaderName, Response, StatusCode, header};

mod challenge;
mod context;
mod problem;
mod refused;
mod show;
mod step_up;

pub(super) use context::RefusalContext;

use super::body::Body;
use super::credential_end::CredentialEnd;
use super::inbound::RequestInfo;
use super::origins::let_read;
use super::record::Notes;
use super::rejection::{Forbidden, InterruptedRequest, Rejection};
use super::snapshot::Snapshot;
use super::statuses::Refusal;
use crate::endpoints::{DeferredForm, SignInRequest, challenge, keep_form, start_sign_in};
use crate::events::{Recorder, StepUpAsked};
use crate::identity::{Proof, RequestId};
use crate::limit::RateLimitState;
use crate::pages::{self, EndedElsewhere, EndedMeanwhile, NotKept};
use crate::policy::{Explanation, explain};
use crate::session::SessionEnd;
use refused::{answer, complete, redirect, refused};
use show::show;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Refuses a request that could not be read, and puts it on record.
pub(super) fn respond_unread(
    snapshot: &Snapshot,
    asked: &RefusalContext<'_>,
    notes: &mut Notes,
    no: &Rejection,
) -> Response<Body> {
    let response = refused(snapshot, asked, no);
    notes.answered(response.status(), no.outcome(), no.reason());
    response
}

/// Refuses a request that was read, and puts it on record.
pub(super) async fn respond(
    snapshot: &Snapshot,
    info: RequestInfo<'_>,
    asked: &RefusalContext<'_>,
    notes: &mut Notes,
    no: Rejection,
) -> Response<Body> {
    let (mut outcome, mut reason) = (no.outcome(), no.reason());
    // What an app may have received was let through, though its answer is not.
    if !no.comes_from_behind() {
        notes.is_refused();
    }
    let explanation = explained(snapshot, info, &no);
    notes.missing = missing(snapshot, notes, explanation.as_ref(), &no);
    tell_step_up(info, notes, &snapshot.keeper.recorder, &no);
    let wrong = mutant!(no.wrong_cookie(), "planted-cookie-stays" => None);
    let cleared = wrong.map(|scope| snapshot.endpoints.cookies().clear_bound(scope));
    let mut response = match no {
        // Another request may be sent to sign in: this one may have reached its app.
        Rejection::NoLongerPermitted(no) if no.is_about_sign_in() && asked.by_a_person() => {
            ended_meanwhile(snapshot, info, asked, SessionEnd::Expired)
        }
        Rejection::NoLongerPermitted(no) => refused(snapshot, asked, &no.rejection),
        Rejection::SignIn(Some(request)) | Rejection::StepUp(_, Some(request)) if asked.by_a_person() => {
            // Boxed: it is rare and large.
            let sign_in = Box::pin(interrupted(snapshot, info, asked, *request)).await;
            sign_in.unwrap_or_else(|no| {
                (outcome, reason) = (no.outcome(), no.reason());
                refused(snapshot, asked, &no)
            })
        }
        Rejection::CredentialEnded(CredentialEnd::Session(end)) if asked.by_a_person() => {
            ended_meanwhile(snapshot, info, asked, end)
        }
        Rejection::Forbidden(ref forbidden) if asked.by_a_person() => {
            complete(asked, &no, forbidden_page(snapshot, info, asked, (forbidden, explanation.as_ref())))
        }
        other => refused(snapshot, asked, &other),
    };
    notes.answered(response.status(), outcome, reason);
    response.headers_mut().extend(cleared.map(|cookie| (header::SET_COOKIE, cookie)));
    if let Some(reader) = asked.reader.clone() {
        let_read(reader, response.headers_mut());
    }
    response
}

/// A form that comes when its sender's session is over, or does not suffice, is kept by its own browser.
fn kept(
    snapshot: &Snapshot,
    info: RequestInfo<'_>,
    asked: &RefusalContext<'_>,
    form: &DeferredForm,
    wanted: SignInRequest,
) -> Response<Body> {
    let page =
        keep_form(&snapshot.endpoints, info.context(asked.realm, asked.look(&snapshot.looks)), form, wanted);
    page.map_or_else(|| answer(snapshot, asked, &Refusal::Unauthenticated), |page| page.map(Body::ours))
}

/// A form that could not be kept: its sender is told so, before anything that they wrote is lost.
fn not_kept(snapshot: &Snapshot, info: RequestInfo<'_>, asked: &RefusalContext<'_>) -> Response<Body> {
    let sign_in = SignInRequest::to(asked.page(info.inbound)).address();
    challenge(
        asked.realm,
        show(NotKept { sign_in: &sign_in, request_id: info.id }.page(asked.look(&snapshot.looks))),
    )
}

/// A session that ended while its browser waited. Another tab may have signed in meanwhile, which ends the session
/// that it replaces: the same address, asked again, comes with the cookie of the new one, or without any and is sent
/// to sign in; and one of which a signal asks something is judged by that. A form may have reached the app, so that
/// nobody sends it twice unasked; nor is a page asked for again that took longer than its session lasts: that would go on
/// for ever.
fn ended_meanwhile(
    snapshot: &Snapshot,
    info: RequestInfo<'_>,
    asked: &RefusalContext<'_>,
    end: SessionEnd,
) -> Response<Body> {
    let back = asked.page(info.inbound).map(|page| snapshot.endpoints.hosts.claimed(page));
    let judged_anew = matches!(end, SessionEnd::SignedOut | SessionEnd::StepUp | SessionEnd::StaleClaims);
    if asked.may_be_repeated() && judged_anew {
        let again = back.and_then(|page| redirect(StatusCode::FOUND, page.as_str()).ok());
        return again
            .unwrap_or_else(|| challenge(asked.realm, answer(snapshot, asked, &Refusal::Unauthenticated)));
    }
    let sign_in = SignInRequest::to(back).address();
    challenge(
        asked.realm,
        show(EndedMeanwhile { sign_in: &sign_in, request_id: info.id }.page(asked.look(&snapshot.looks))),
    )
}

/// The page for a browser that does not know that it has been signed out from elsewhere. Led on to the provider without a
/// word it would be signed in again, and end the next sign-in of its person without a word.
fn ended_elsewhere(
    snapshot: &Snapshot,
    info: RequestInfo<'_>,
    asked: &RefusalContext<'_>,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    let newer = match snapshot.endpoints.why_ended(headers).filter(|_| asked.may_be_repeated())? {
        SessionEnd::SignedInElsewhere => true,
        SessionEnd::SignedOutElsewhere => false,
        SessionEnd::SignedOut
        | SessionEnd::Revoked
        | SessionEnd::Expired
        | SessionEnd::Administrator
        | SessionEnd::SignedOutAtProvider
        | SessionEnd::Signalled
        | SessionEnd::StepUp
        | SessionEnd::StaleClaims
        | SessionEnd::Unconfirmed => return None,
    };
    let back = asked.page(info.inbound).map(|page| snapshot.endpoints.hosts.claimed(page));
    let sign_in = SignInRequest::to(back).address();
    let page = EndedElsewhere { newer, sign_in: &sign_in, request_id: info.id };
    Some(challenge(asked.realm, show(page.page(asked.look(&snapshot.looks)))))
}

/// The answer to somebody who asked for a page or sent a form without being signed in, or without a sign-in that is
/// strong enough: the way to sign in, which leads back to the page or brings the form along.
async fn interrupted(
    snapshot: &Snapshot,
    info: RequestInfo<'_>,
    asked: &RefusalContext<'_>,
    InterruptedRequest { request, provider, strength, anew, may_show_device }: InterruptedRequest,
) -> Result<Response<Body>, Rejection> {
    if let Some(page) = ended_elsewhere(snapshot, info, asked, request.headers()) {
        return Ok(page);
    }
    let mut wanted = snapshot.endpoints.stronger(SignInRequest::default(), &strength);
    wanted.provider = provider.map(|name| name.to_string());
    wanted.anew = anew;
    let Some(to) = info.inbound.address(request.uri()) else { return Err(Rejection::SignIn(None)) };
    if !asked.may_be_repeated() {
        let clock = &snapshot.clock;
        return Ok(match DeferredForm::read(info.inbound.origin(), request, clock).await {
            Some(form) => kept(snapshot, info, asked, &form, wanted),
            None => not_kept(snapshot, info, asked),
        });
    }
    let to = snapshot.endpoints.hosts.claimed(to);
    // An address that is too long for `state` is kept by its own page, which must be on an origin that a sign-in
    // may lead back to. Where it is not, the browser first goes to the same address there.
    if to.is_long() && to.origin() != info.inbound.origin() {
        return redirect(StatusCode::FOUND, to.as_str());
    }
    let is_long = to.is_long();
    wanted.return_to = Some(to);
    // By the address to sign in at, where one try is all: whoever shows nothing there either signs in anew.
    if mutant!(may_show_device && !is_long, "planted-cookie-asks-for-a-sign-in" => false) {
        return redirect(StatusCode::FOUND, &wanted.address());
    }
    let (head, context) = (request.into_parts().0, info.context(asked.realm, asked.look(&snapshot.looks)));
    let sign_in = start_sign_in(&snapshot.endpoints, context, &head.headers, wanted).await;
    Ok(sign_in?.map(Body::ours))
}

/// What somebody would need who is refused, in the words of the page.
fn missing(
    snapshot: &Snapshot,
    notes: &Notes,
    explanation: Option<&Explanation>,
    no: &Rejection,
) -> Vec<String> {
    match (no, &notes.principal) {
        (Rejection::StepUp(step_up, _), Some(principal)) => {
            let now = snapshot.clock.now();
            let lacks = |proof: &Proof| proof.is_given(principal, now) != Some(true);
            let missing: Vec<_> =
                step_up.strength.proofs().filter(lacks).map(|proof| proof.wanted()).collect();
            // Where no strength is asked for, it hangs on the session: its age, its network, a signal.
            if missing.is_empty() { vec![step_up.why().to_owned()] } else { missing }
        }
        _ => explanation.map(Explanation::missing).unwrap_or_default(),
    }
}

/// Records that somebody who is known has to sign in anew.
fn tell_step_up(info: RequestInfo<'_>, notes: &Notes, recorder: &Recorder, no: &Rejection) {
    if let (Rejection::StepUp(..), Some(who), Some(shown)) = (no, &notes.principal, notes.shown) {
        recorder.emit(&StepUpAsked {
            caller: info.caller(),
            who,
            session: shown.session,
            route: notes.route.as_ref().map(|route| route.name.as_str()),
            missing: &notes.missing,
        });
    }
}

/// Why the rules refuse somebody, where they do.
fn explained(snapshot: &Snapshot, info: RequestInfo<'_>, no: &Rejection) -> Option<Explanation> {
    let Rejection::Forbidden(forbidden) = no else { return None };
    let principal = forbidden.principal.as_ref()?;
    let question = info.inbound.question(Some(principal), snapshot.clock.now(), forbidden.bound);
    Some(explain(&forbidden.access, &question))
}

/// The page for somebody who is signed in and may not: what is required, and the way to sign in as somebody else.
fn forbidden_page(
    snapshot: &Snapshot,
    info: RequestInfo<'_>,
    asked: &RefusalContext<'_>,
    (forbidden, explanation): (&Forbidden, Option<&Explanation>),
) -> Response<Body> {
    let (Some(principal), Some(explanation)) = (&forbidden.principal, explanation) else {
        return answer(snapshot, asked, &Refusal::Forbidden);
    };
    let switch = SignInRequest::to(asked.page(info.inbound)).address();
    let page = pages::Forbidden {
        principal,
        provider: snapshot.endpoints.display_name(&principal.provider),
        host: info.inbound.authority.as_str(),
        required: &explanation.missing(),
        unsaid: explanation.reason.unsaid(),
        request_id: info.id,
        switch: &switch,
        back: "/",
    };
    show(page.page(asked.look(&snapshot.looks)))
}

/// What every response carries: the id under which the log knows the request, and what a limit leaves.
pub(super) fn finish(id: &RequestId, rate: &RateLimitState, response: &mut Response<Body>) {
    if let Some(id) = id.field() {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    rate.write_headers(response.headers_mut());
}
