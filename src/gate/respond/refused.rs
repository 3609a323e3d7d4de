//! Refusals that need nothing of the request but its context: a page, or a problem document.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "`statuses::of` names every rejection; here most are no special case"
)]

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::Map;

use super::challenge;
use super::context::RefusalContext;
use super::problem::{
    AMBIGUOUS, CROSS_SITE, DESTINATION, FORBIDDEN, Problem, STEP_UP, TOKEN, UNAUTHENTICATED,
    document_response,
};
use super::show::show;
use super::step_up;
use crate::endpoints::{self, FailedSignIn, HOME, LostSignIn};
use crate::gate::ambiguous::{untolerated, untolerated_members};
use crate::gate::body::Body;
use crate::gate::rejection::Rejection;
use crate::gate::snapshot::Snapshot;
use crate::gate::statuses::{self, Refusal};
use crate::pages::{self, ErrorKind, ErrorPage, Link};

const SIGN_IN: &str = "Sign in with a browser, or send an access token as Authorization: Bearer.";
const STRONGER: &str =
    "You are known, but this needs a sign-in of another level or method, or a more recent one.";
const NOT_OPEN: &str =
    "You are known, but this is not open to you. The request_id leads to the rule in the log.";
const ANOTHER_SITE: &str = "This form works only from a page of this very site.";

/// The whole answer to a rejection.
pub(super) fn refused(snapshot: &Snapshot, asked: &RefusalContext<'_>, no: &Rejection) -> Response<Body> {
    let refusal = statuses::of(no, |provider| snapshot.endpoints.display_name(provider));
    complete(asked, no, answer(snapshot, asked, &refusal))
}

/// The answer that a refusal has in the table, without the fields that a rejection adds to it.
pub(super) fn answer(
    snapshot: &Snapshot,
    asked: &RefusalContext<'_>,
    refusal: &Refusal<'_>,
) -> Response<Body> {
    let (person, status) = (asked.by_a_person(), refusal.status());
    let problem = |problem: &Problem, detail: &str| problem.respond(status, detail, asked.id, Map::new());
    match refusal {
        Refusal::Error(kind, others) => error(snapshot, asked, *kind, others),
        Refusal::Ambiguous(_) | Refusal::Untolerated(_) if person => {
            error(snapshot, asked, ErrorKind::BadRequest, &[])
        }
        Refusal::Ambiguous(what) => AMBIGUOUS.respond(status, &what.what, asked.id, what.members()),
        Refusal::Untolerated(what) => {
            AMBIGUOUS.respond(status, &untolerated(*what), asked.id, untolerated_members(*what))
        }
        Refusal::Unauthenticated => problem(&UNAUTHENTICATED, SIGN_IN),
        Refusal::StepUp(strength) => STEP_UP.respond(status, STRONGER, asked.id, step_up::members(strength)),
        Refusal::UnmetStepUp(unmet) => step_up::unmet(snapshot, asked, unmet),
        Refusal::Forbidden => problem(&FORBIDDEN, NOT_OPEN),
        Refusal::CrossSite if person => show(
            pages::CrossSite { home: &home(snapshot), request_id: asked.id }
                .page(asked.look(&snapshot.looks)),
        ),
        Refusal::CrossSite => problem(&CROSS_SITE, ANOTHER_SITE),
        Refusal::Destination(error) => problem(&DESTINATION, &error.detail()),
        Refusal::Token(error) => problem(&TOKEN, error.public()),
        Refusal::SignInFailed(failed) => sign_in_failed(snapshot, asked, status, failed),
        Refusal::LostSignIn(lost) => lost_sign_in(snapshot, asked, status, lost),
    }
}

/// Adds the fields that a rejection needs: challenges, `Retry-After`, `Allow` and their like.
pub(super) fn complete(
    asked: &RefusalContext<'_>,
    no: &Rejection,
    mut response: Response<Body>,
) -> Response<Body> {
    challenge::add(asked, no, &mut response);
    add_fields(no, response.headers_mut());
    response
}

fn add_fields(no: &Rejection, headers: &mut HeaderMap) {
    match no {
        // Whatever follows could be a part of it to somebody else (RFC 9112, section 11.2).
        Rejection::Malformed(what) if what.is_about_framing() => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Rejection::Limited(exceeded) => exceeded.write_headers(headers),
        Rejection::SignInFailed(failed) => {
            headers.append(header::SET_COOKIE, failed.forget.clone());
        }
        Rejection::UnmetStepUp(unmet) => {
            headers.extend(unmet.cookies.iter().map(|cookie| (header::SET_COOKIE, cookie.clone())));
            headers.extend(unmet.offer.clone());
        }
        Rejection::MethodNotAllowed(methods) => {
            headers.extend(HeaderValue::try_from(methods).ok().map(|methods| (header::ALLOW, methods)));
        }
        _ => {}
    }
}

fn error(
    snapshot: &Snapshot,
    asked: &RefusalContext<'_>,
    kind: ErrorKind<'_>,
    others: &[(String, String)],
) -> Response<Body> {
    if asked.by_a_person() {
        let (home, refresh) = (home(snapshot), asked.may_be_repeated());
        let others = links(others);
        let page = ErrorPage { kind, request_id: asked.id, refresh, home: &home, others: &others };
        return show(page.page(asked.look(&snapshot.looks)));
    }
    let (content_type, text) = kind.problem(asked.id);
    let mut response = document_response(kind.status(), content_type, text);
    if let Some(seconds) = kind.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The page that leads on from everywhere: who one is, and the apps that are open to them.
fn home(snapshot: &Snapshot) -> String {
    snapshot.endpoints.hosts.address(HOME)
}

fn links(ways: &[(String, String)]) -> Vec<Link<'_>> {
    ways.iter().map(|(name, href)| Link { name, href }).collect()
}

const LOST_SIGN_IN: &str = "This sign-in was not begun in this browser, or it took too long. Please try again. \
    If it stays like this, allow cookies for this site.";

fn sign_in_failed(
    snapshot: &Snapshot,
    asked: &RefusalContext<'_>,
    status: StatusCode,
    failed: &FailedSignIn,
) -> Response<Body> {
    let page = pages::SignInFailed {
        status,
        public: failed.error.public(),
        request_id: asked.id,
        retry: &failed.retry,
        anew: Some(&failed.anew),
        others: &links(&failed.others),
    };
    show(page.page(asked.look(&snapshot.looks)))
}

/// The answer to a lost sign-in: on to where it was to lead, where that is known, or else a page with the way home.
fn lost_sign_in(
    snapshot: &Snapshot,
    asked: &RefusalContext<'_>,
    status: StatusCode,
    lost: &LostSignIn,
) -> Response<Body> {
    if let Some(Ok(response)) =
        lost.redirect.as_deref().map(|address| redirect(StatusCode::SEE_OTHER, address))
    {
        return response;
    }
    let page = pages::SignInFailed {
        status,
        public: LOST_SIGN_IN,
        request_id: asked.id,
        retry: lost.retry.as_deref().unwrap_or_else(|| snapshot.endpoints.hosts.front_page()),
        anew: None,
        others: &[],
    };
    show(page.page(asked.look(&snapshot.looks)))
}

/// A redirect that no cache keeps.
pub(super) fn redirect(status: StatusCode, location: &str) -> Result<Response<Body>, Rejection> {
    Ok(endpoints::redirect(status, location)?.map(Body::ours))
}
