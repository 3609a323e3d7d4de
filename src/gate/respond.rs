//! From a rejection to its response: the one place that picks a status for a refused request. A page for
//! a browser's navigation; for everything else 401 with a challenge, or a problem document (RFC 9457).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "`kind_of` names every rejection, so that a new one is answered; here most are no special case"
)]

use std::fmt::Display;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

mod challenge;
mod context;
mod problem;

pub(super) use context::RefusalContext;

use super::ambiguous::{untolerated, untolerated_members};
use super::body::Body;
use super::credential::CredentialEnd;
use super::origins::let_read;
use super::record::RequestRecord;
use super::rejection::{InterruptedRequest, Rejection};
use super::snapshot::Snapshot;
use super::statuses;
use crate::authn::{ErrorCode, TokenError};
use crate::endpoints::{
    self, DeferredForm, FailedSignIn, HOME, LostSignIn, SignInRequest, challenge, keep_form, start_sign_in,
};
use crate::oidc::Culprit;
use crate::pages::{self, ErrorKind, ErrorPage, Forbidden, Link, Page};
use crate::policy::explain;
use crate::session::SessionEnd;
use problem::{CROSS_SITE, FORBIDDEN, Problem, UNAUTHENTICATED, ambiguous, destination, machine, problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// When a passing fault is worth another try.
const SOON: Duration = Duration::from_secs(5);

/// Answers a rejection and puts it on record.
pub(super) async fn respond(
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    asked: RefusalContext,
    no: Rejection,
) -> Response<Body> {
    count(snapshot, record, &no);
    let (mut outcome, mut reason) = (no.outcome(), no.reason());
    let mut response = match no {
        Rejection::SignIn(Some(comeback)) if comeback.form.is_some() => {
            kept(snapshot, record, comeback.form.as_ref())
        }
        Rejection::SignIn(Some(comeback)) if asked.may_be_repeated() => {
            sent_to_sign_in(snapshot, record, *comeback).await.unwrap_or_else(|no| {
                (outcome, reason) = (no.outcome(), no.reason());
                refused(snapshot, record, &asked, &no)
            })
        }
        Rejection::SignIn(Some(_)) if asked.by_a_person() => not_kept(record, &asked),
        Rejection::CredentialEnded(CredentialEnd::Session(end)) if asked.by_a_person() => {
            ended_meanwhile(snapshot, record, &asked, end)
        }
        other => refused(snapshot, record, &asked, &other),
    };
    if let Some(reader) = record.reader.take() {
        let_read(reader, response.headers_mut());
    }
    record.answered(response.status().as_u16(), outcome, reason);
    response
}

fn count(snapshot: &Snapshot, record: &RequestRecord, no: &Rejection) {
    let route = record.route.as_ref().map_or("none", |route| route.name.as_str());
    match no {
        Rejection::Limited(_) => snapshot.foundations.metrics.limit_hit(route, "rate"),
        Rejection::Busy => snapshot.foundations.metrics.limit_hit(route, "concurrency"),
        _ => {}
    }
}

/// A form that comes when its sender's session is over is kept by its own browser.
fn kept(snapshot: &Snapshot, record: &RequestRecord, form: Option<&DeferredForm>) -> Response<Body> {
    let page = form.zip(record.context().ok());
    let page = page.and_then(|(form, context)| keep_form(&snapshot.endpoints, context, form));
    page.map_or_else(|| problem(record, &UNAUTHENTICATED), |page| page.map(Body::ours))
}

/// A form that could not be kept: its sender is told so, before anything that they wrote is lost.
fn not_kept(record: &RequestRecord, asked: &RefusalContext) -> Response<Body> {
    let back = record.inbound.as_ref().and_then(|inbound| asked.page(inbound));
    let sign_in = SignInRequest::to(back).address();
    challenge(record.realm(), show(pages::NotKept { sign_in: &sign_in, request_id: &record.id }.page()))
}

/// A session that ended while its browser waited. Another tab may have signed in meanwhile, which ends the session
/// that it replaces: the same address, asked again, comes with the cookie of the new one, or without any and is sent
/// to sign in. A form may have reached the app, so that nobody sends it twice unasked; nor is a page asked for again that
/// took longer than its session lasts: that would go on for ever.
fn ended_meanwhile(
    snapshot: &Snapshot,
    record: &RequestRecord,
    asked: &RefusalContext,
    end: SessionEnd,
) -> Response<Body> {
    let back = record.inbound.as_ref().and_then(|inbound| asked.page(inbound));
    let back = back.map(|page| snapshot.endpoints.hosts.claimed(page));
    if asked.may_be_repeated() && end == SessionEnd::SignedOut {
        let again = back.and_then(|page| redirect(StatusCode::FOUND, page.as_str()).ok());
        return again.unwrap_or_else(|| challenge(record.realm(), problem(record, &UNAUTHENTICATED)));
    }
    let sign_in = SignInRequest::to(back).address();
    challenge(
        record.realm(),
        show(pages::EndedMeanwhile { sign_in: &sign_in, request_id: &record.id }.page()),
    )
}

/// An address that is too long to be taken along is kept by its own page, which must be on an origin that is ours
/// to come back to.
async fn sent_to_sign_in(
    snapshot: &Snapshot,
    record: &RequestRecord,
    back: InterruptedRequest,
) -> Result<Response<Body>, Rejection> {
    let to = back.return_to;
    if to.is_long() && to.origin() != record.inbound()?.origin() {
        return redirect(StatusCode::FOUND, to.as_str());
    }
    let mut wanted = SignInRequest::to(Some(to));
    wanted.provider = back.provider;
    let sign_in = start_sign_in(&snapshot.endpoints, record.context()?, &back.cookies, wanted);
    Ok(Box::pin(sign_in).await?.map(Body::ours))
}

fn warn_of_provider(record: &RequestRecord, no: &Rejection) {
    let (provider, error): (_, &dyn Display) = match no {
        Rejection::ProviderUnavailable { provider, reason } => (provider, reason),
        Rejection::SignInUnavailable(away) => (&away.provider, &away.reason),
        Rejection::Token(refusal) => match refusal.provider() {
            Some(provider) => (provider, &refusal.error),
            None => return,
        },
        _ => return,
    };
    tracing::warn!(id = %record.id, %provider, %error, "somebody needs a provider that is away");
}

fn refused(
    snapshot: &Snapshot,
    record: &RequestRecord,
    asked: &RefusalContext,
    no: &Rejection,
) -> Response<Body> {
    warn_of_provider(record, no);
    let mut response = match no {
        Rejection::Forbidden { .. } if asked.by_a_person() => forbidden_page(snapshot, record, asked),
        Rejection::Forbidden { .. } => problem(record, &FORBIDDEN),
        Rejection::CrossSite if asked.by_a_person() => {
            show(pages::CrossSite { home: &home(snapshot), request_id: &record.id }.page())
        }
        Rejection::CrossSite => problem(record, &CROSS_SITE),
        Rejection::Destination(error) => destination(record, error),
        Rejection::CredentialEnded(CredentialEnd::TokenExpired) => token(record, TokenError::Expired),
        Rejection::SignIn(_) | Rejection::CredentialEnded(CredentialEnd::Session(_)) => {
            problem(record, &UNAUTHENTICATED)
        }
        Rejection::Malformed(what) if !asked.by_a_person() => ambiguous(record, &what.what, what.members()),
        Rejection::Untolerated(what) if !asked.by_a_person() => {
            ambiguous(record, &untolerated(*what), untolerated_members(*what))
        }
        Rejection::Token(error) if error.code().is_some() => token(record, error.error),
        Rejection::SignInFailed(failed) => sign_in_failed(record, failed),
        Rejection::LostSignIn(lost) => no_such_flow(snapshot, record, lost),
        Rejection::SignInUnavailable(away) => fault(snapshot, record, asked, no, &away.others),
        other => fault(snapshot, record, asked, other, &[]),
    };
    challenge::add(record, asked, no, &mut response);
    add_fields(no, response.headers_mut());
    response
}

fn kind_of<'a>(snapshot: &'a Snapshot, no: &'a Rejection) -> ErrorKind<'a> {
    match no {
        Rejection::Malformed(_) | Rejection::Untolerated(_) => ErrorKind::BadRequest,
        Rejection::UriTooLong(_) => ErrorKind::UriTooLong,
        Rejection::UnknownHost | Rejection::UnknownPath => ErrorKind::NotFound,
        Rejection::MethodNotAllowed(_) => ErrorKind::MethodNotAllowed,
        Rejection::Limited(exceeded) => ErrorKind::TooManyRequests { retry_after: exceeded.retry_after() },
        Rejection::Busy => ErrorKind::Overloaded { retry_after: SOON },
        Rejection::Forward(error) => statuses::of_forward(error.fault()),
        Rejection::Token(_) => ErrorKind::ProviderDown { provider: "of the access token", retry_after: SOON },
        Rejection::ProviderUnavailable { provider, .. } => {
            ErrorKind::ProviderDown { provider: snapshot.endpoints.display_name(provider), retry_after: SOON }
        }
        Rejection::SignInUnavailable(away) => ErrorKind::ProviderDown {
            provider: snapshot.endpoints.display_name(&away.provider),
            retry_after: SOON,
        },
        Rejection::StoreUnavailable(_) => ErrorKind::StoreDown { retry_after: SOON },
        Rejection::Internal(_)
        | Rejection::SignIn(_)
        | Rejection::CredentialEnded(_)
        | Rejection::Forbidden { .. }
        | Rejection::CrossSite
        | Rejection::Destination(_)
        | Rejection::SignInFailed(_)
        | Rejection::LostSignIn(_) => ErrorKind::Internal,
    }
}

fn fault(
    snapshot: &Snapshot,
    record: &RequestRecord,
    asked: &RefusalContext,
    no: &Rejection,
    others: &[(String, String)],
) -> Response<Body> {
    let kind = kind_of(snapshot, no);
    if asked.by_a_person() {
        let (home, refresh) = (home(snapshot), asked.may_be_repeated());
        let others = links(others);
        let page = ErrorPage { kind, request_id: &record.id, refresh, home: &home, others: &others };
        return show(page.page());
    }
    let (content_type, text) = kind.problem(&record.id);
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

/// Who was refused what, and the way to be somebody else.
fn forbidden_page(snapshot: &Snapshot, record: &RequestRecord, asked: &RefusalContext) -> Response<Body> {
    let (Some(principal), Some(inbound), Some(route)) =
        (record.principal.as_ref(), record.inbound.as_ref(), record.route.as_ref())
    else {
        return problem(record, &FORBIDDEN);
    };
    let question = super::authorize::question(inbound, record.principal.as_ref());
    let explanation = explain(&route.access, &question);
    let required = explanation.missing();
    let switch = SignInRequest::to(asked.page(inbound)).address();
    let page = Forbidden {
        principal,
        provider: snapshot.endpoints.display_name(&principal.provider),
        host: inbound.authority.as_str(),
        required: &required,
        unsaid: explanation.reason.unsaid(),
        request_id: &record.id,
        switch: &switch,
        back: "/",
    };
    show(page.page())
}

const NO_SUCH_FLOW: &str = "This sign-in was not begun in this browser, or it took too long. Please try again. \
    If it stays like this, allow cookies for this site.";

fn sign_in_failed(record: &RequestRecord, failed: &FailedSignIn) -> Response<Body> {
    let status = match failed.error.blame() {
        Culprit::Client => StatusCode::BAD_REQUEST,
        Culprit::Provider => StatusCode::BAD_GATEWAY,
        Culprit::Us => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let (public, retry, others) = (failed.error.public(), failed.retry.as_str(), links(&failed.others));
    let (anew, request_id) = (Some(failed.anew.as_str()), &record.id);
    show(pages::SignInFailed { status, public, request_id, retry, anew, others: &others }.page())
}

/// Where it was to lead is known, or else the way home.
fn no_such_flow(snapshot: &Snapshot, record: &RequestRecord, lost: &LostSignIn) -> Response<Body> {
    if let Some(Ok(response)) =
        lost.redirect.as_deref().map(|address| redirect(StatusCode::SEE_OTHER, address))
    {
        return response;
    }
    let retry = lost.retry.as_deref().unwrap_or_else(|| snapshot.endpoints.hosts.front_page());
    let (status, request_id) = (StatusCode::BAD_REQUEST, &record.id);
    let page =
        pages::SignInFailed { status, public: NO_SUCH_FLOW, request_id, retry, anew: None, others: &[] };
    show(page.page())
}

/// RFC 6750, section 3.1: 400 for a request that cannot be read, 401 for a token that is no good.
fn token(record: &RequestRecord, error: TokenError) -> Response<Body> {
    let status = match error.code() {
        Some(ErrorCode::InvalidRequest) => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNAUTHORIZED,
    };
    let kind = "urn:portcullis:problem:invalid-token";
    problem(record, &Problem { status, kind, title: "Access token refused", detail: error.public() })
}

/// What else belongs to a refusal's head.
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

/// A page as a response.
fn show(page: Page) -> Response<Body> {
    page.into_response().map(Body::ours)
}

/// A redirect that no cache keeps.
fn redirect(status: StatusCode, location: &str) -> Result<Response<Body>, Rejection> {
    Ok(endpoints::redirect(status, location)?.map(Body::ours))
}

/// What every response carries: the id under which the log knows the request, and what a limit leaves.
pub(super) fn finish(record: &RequestRecord, response: &mut Response<Body>) {
    if let Some(id) = record.id.field() {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    record.standing.write_headers(response.headers_mut());
}

/// The cookies of a request, and nothing else of it.
pub(super) fn cookies(headers: &HeaderMap) -> HeaderMap {
    headers.get_all(header::COOKIE).iter().map(|value| (header::COOKIE, value.clone())).collect()
}
