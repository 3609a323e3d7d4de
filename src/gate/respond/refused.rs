//! Refusals that need nothing of the request but its context: a fault's page, or a problem document.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "`statuses::of` names every rejection, so that a new one is answered; here most are no special case"
)]

use std::fmt::Display;

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::challenge;
use super::context::RefusalContext;
use super::problem::{
    CROSS_SITE, FORBIDDEN, Problem, UNAUTHENTICATED, ambiguous, destination, machine, problem,
};
use crate::authn::TokenError;
use crate::endpoints::{self, FailedSignIn, HOME, LostSignIn};
use crate::gate::ambiguous::{untolerated, untolerated_members};
use crate::gate::body::Body;
use crate::gate::credential_end::CredentialEnd;
use crate::gate::rejection::Rejection;
use crate::gate::snapshot::Snapshot;
use crate::gate::statuses;
use crate::pages::{self, ErrorPage, Link, Page};

/// Refuses it.
pub(super) fn refused(snapshot: &Snapshot, asked: &RefusalContext<'_>, no: &Rejection) -> Response<Body> {
    warn_of_provider(asked, no);
    let id = asked.id;
    let response = match no {
        Rejection::Forbidden(_) => problem(id, &FORBIDDEN),
        Rejection::CrossSite if asked.by_a_person() => {
            show(pages::CrossSite { home: &home(snapshot), request_id: id }.page())
        }
        Rejection::CrossSite => problem(id, &CROSS_SITE),
        Rejection::Destination(error) => destination(id, error),
        Rejection::CredentialEnded(CredentialEnd::TokenExpired) => token(asked, TokenError::Expired),
        Rejection::SignIn(_) | Rejection::CredentialEnded(CredentialEnd::Session(_)) => {
            problem(id, &UNAUTHENTICATED)
        }
        Rejection::Malformed(what) if !asked.by_a_person() => ambiguous(id, &what.what, what.members()),
        Rejection::Untolerated(what) if !asked.by_a_person() => {
            ambiguous(id, &untolerated(*what), untolerated_members(*what))
        }
        Rejection::Token(error) if error.code().is_some() => token(asked, error.error),
        Rejection::SignInFailed(failed) => sign_in_failed(asked, failed),
        Rejection::LostSignIn(lost) => lost_sign_in(snapshot, asked, lost),
        Rejection::SignInUnavailable(away) => fault(snapshot, asked, no, &away.others),
        other => fault(snapshot, asked, other, &[]),
    };
    complete(asked, no, response)
}

/// Adds what else belongs to the head of a refusal.
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
        Rejection::MethodNotAllowed(methods) => {
            headers.extend(HeaderValue::try_from(methods).ok().map(|methods| (header::ALLOW, methods)));
        }
        _ => {}
    }
}

fn warn_of_provider(asked: &RefusalContext<'_>, no: &Rejection) {
    let (provider, error): (_, &dyn Display) = match no {
        Rejection::ProviderUnavailable { provider, reason } => (provider, reason),
        Rejection::SignInUnavailable(away) => (&away.provider, &away.reason),
        Rejection::Token(refusal) => match refusal.provider() {
            Some(provider) => (provider, &refusal.error),
            None => return,
        },
        _ => return,
    };
    tracing::warn!(id = %asked.id, %provider, %error, "somebody needs a provider that is away");
}

fn fault(
    snapshot: &Snapshot,
    asked: &RefusalContext<'_>,
    no: &Rejection,
    others: &[(String, String)],
) -> Response<Body> {
    let kind = statuses::of(no, |provider| snapshot.endpoints.display_name(provider));
    if asked.by_a_person() {
        let (home, refresh) = (home(snapshot), asked.may_be_repeated());
        let others = links(others);
        let page = ErrorPage { kind, request_id: asked.id, refresh, home: &home, others: &others };
        return show(page.page());
    }
    let (content_type, text) = kind.problem(asked.id);
    let mut response = machine(kind.status(), content_type, text);
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

fn sign_in_failed(asked: &RefusalContext<'_>, failed: &FailedSignIn) -> Response<Body> {
    let page = pages::SignInFailed {
        status: statuses::of_sign_in(failed.error.blame()),
        public: failed.error.public(),
        request_id: asked.id,
        retry: &failed.retry,
        anew: Some(&failed.anew),
        others: &links(&failed.others),
    };
    show(page.page())
}

/// Where it was to lead is known, or else the way home.
fn lost_sign_in(snapshot: &Snapshot, asked: &RefusalContext<'_>, lost: &LostSignIn) -> Response<Body> {
    if let Some(Ok(response)) =
        lost.redirect.as_deref().map(|address| redirect(StatusCode::SEE_OTHER, address))
    {
        return response;
    }
    let page = pages::SignInFailed {
        status: statuses::LOST_SIGN_IN,
        public: LOST_SIGN_IN,
        request_id: asked.id,
        retry: lost.retry.as_deref().unwrap_or_else(|| snapshot.endpoints.hosts.front_page()),
        anew: None,
        others: &[],
    };
    show(page.page())
}

fn token(asked: &RefusalContext<'_>, error: TokenError) -> Response<Body> {
    let status = statuses::of_token(error.code());
    let kind = "urn:portcullis:problem:invalid-token";
    problem(asked.id, &Problem { status, kind, title: "Access token refused", detail: error.public() })
}

/// A page as a response.
pub(super) fn show(page: Page) -> Response<Body> {
    page.into_response().map(Body::ours)
}

/// A redirect that no cache keeps.
pub(super) fn redirect(status: StatusCode, location: &str) -> Result<Response<Body>, Rejection> {
    Ok(endpoints::redirect(status, location)?.map(Body::ours))
}
