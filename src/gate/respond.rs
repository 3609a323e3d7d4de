//! From a rejection to its response: the one place that picks a status for a refused request. A page for
//! a browser's navigation; for everything else 401 with a challenge, or a problem document (RFC 9457).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "`fault_of` names every rejection, so that a new one is answered; here most are no special case"
)]

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use serde_json::Value;

use super::ambiguous::{untolerated, untolerated_members};
use super::body::Body;
use super::credential::CredentialEnd;
use super::exchange::Exchange;
use super::house::House;
use super::kept::KeptForm;
use super::own::{self, Wish, depart};
use super::rejection::{Comeback, Rejection};
use super::return_to::ReturnTo;
use crate::authn::{Challenge, ErrorCode, TokenError};
use crate::forward::{self, ForwardError};
use crate::oidc::Blame;
use crate::pages::{self, ErrorPage, Fault, Form, Page, Refusal};
use crate::policy::explain;
use crate::request::is_navigation;
use crate::secret::Secret;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
const REALM: &str = "portcullis";
const CHALLENGE: &str = "Bearer realm=\"portcullis\"";

/// When a passing fault is worth another try.
const SOON: Duration = Duration::from_secs(5);

/// What must be remembered of a request to refuse it well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    page: bool,
}

impl Asked {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        Self { page: is_navigation(request.method(), request.headers()) }
    }
}

/// Answers a rejection and puts it on record.
pub(super) async fn respond(
    house: &House,
    exchange: &mut Exchange,
    asked: Asked,
    no: Rejection,
) -> Response<Body> {
    count(house, exchange, &no);
    let (mut outcome, mut reason) = (no.outcome(), no.reason());
    let response = match no {
        Rejection::SignIn(Some(comeback)) if comeback.form.is_some() => {
            kept(house, exchange, comeback.form.as_ref())
        }
        Rejection::SignIn(Some(comeback)) if asked.page => {
            sent_to_sign_in(house, exchange, *comeback).await.unwrap_or_else(|no| {
                (outcome, reason) = (no.outcome(), no.reason());
                refused(house, exchange, asked, &no)
            })
        }
        other => refused(house, exchange, asked, &other),
    };
    exchange.answered(response.status().as_u16(), outcome, reason);
    response
}

fn count(house: &House, exchange: &Exchange, no: &Rejection) {
    let route = exchange.route.as_ref().map_or("none", |route| route.name.as_str());
    match no {
        Rejection::Limited(_) => house.foundations.metrics.limit_hit(route, "rate"),
        Rejection::Busy => house.foundations.metrics.limit_hit(route, "concurrency"),
        _ => {}
    }
}

/// A form that comes when its sender's session is over is kept by its own browser.
fn kept(house: &House, exchange: &Exchange, form: Option<&KeptForm>) -> Response<Body> {
    let id = Secret::random();
    let sealed = form.and_then(|form| form.seal(&house.foundations.keys.form));
    let address =
        exchange.inbound.as_ref().map(|inbound| own::resume_address(&inbound.origin(), id.expose()));
    let (Some(sealed), Some(sign_in_url)) = (sealed, address) else {
        return problem(exchange, &UNAUTHENTICATED);
    };
    let page =
        pages::Keep { id: id.expose(), sealed: &sealed, sign_in_url: &sign_in_url, request_id: &exchange.id };
    let mut response = show(page.page());
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    response
}

async fn sent_to_sign_in(
    house: &House,
    exchange: &Exchange,
    back: Comeback,
) -> Result<Response<Body>, Rejection> {
    let wish = Wish { return_to: Some(back.return_to), ..Wish::default() };
    Box::pin(depart(house, exchange, &back.cookies, wish)).await
}

fn refused(house: &House, exchange: &Exchange, asked: Asked, no: &Rejection) -> Response<Body> {
    if let Rejection::ProviderUnavailable { provider, reason } = no {
        tracing::warn!(id = %exchange.id, %provider, error = reason, "somebody needs a provider that is away");
    }
    let mut response = match no {
        Rejection::Forbidden { .. } if asked.page => forbidden_page(house, exchange),
        Rejection::Forbidden { .. } => problem(exchange, &FORBIDDEN),
        Rejection::CrossSite => problem(exchange, &CROSS_SITE),
        Rejection::CredentialEnded(CredentialEnd::TokenExpired) => token(exchange, TokenError::Expired),
        Rejection::SignIn(_) | Rejection::CredentialEnded(CredentialEnd::Session(_)) => {
            problem(exchange, &UNAUTHENTICATED)
        }
        Rejection::Malformed(what) if !asked.page => ambiguous(exchange, &what.what, what.members()),
        Rejection::Untolerated(what) if !asked.page => {
            ambiguous(exchange, &untolerated(*what), untolerated_members(*what))
        }
        Rejection::Token(error) if error.code().is_some() => token(exchange, error.error),
        Rejection::SignInFailed(failed) => {
            let retry = failed.return_to.as_ref().map(ReturnTo::as_str);
            sign_in_failed(house, exchange, failed.error.blame(), failed.error.public(), retry)
        }
        Rejection::NoSuchFlow(_) => sign_in_failed(house, exchange, Blame::Client, NO_SUCH_FLOW, None),
        other => fault(exchange, asked, fault_of(house, other)),
    };
    add_fields(no, response.status(), response.headers_mut());
    response
}

fn fault_of<'a>(house: &'a House, no: &'a Rejection) -> Fault<'a> {
    match no {
        Rejection::Malformed(_) | Rejection::Untolerated(_) => Fault::BadRequest,
        Rejection::UriTooLong(_) => Fault::UriTooLong,
        Rejection::UnknownHost | Rejection::UnknownPath => Fault::NotFound,
        Rejection::MethodNotAllowed(_) => Fault::MethodNotAllowed,
        Rejection::Limited(exceeded) => Fault::TooManyRequests { retry_after: exceeded.retry_after() },
        Rejection::Busy => Fault::Overloaded { retry_after: SOON },
        Rejection::Forward(error) => of_upstream(error),
        Rejection::Token(_) => Fault::ProviderDown { provider: "of the access token", retry_after: SOON },
        Rejection::ProviderUnavailable { provider, .. } => {
            Fault::ProviderDown { provider: house.display_name(provider), retry_after: SOON }
        }
        Rejection::StoreUnavailable(_) => Fault::StoreDown { retry_after: SOON },
        Rejection::Internal(_)
        | Rejection::SignIn(_)
        | Rejection::CredentialEnded(_)
        | Rejection::Forbidden { .. }
        | Rejection::CrossSite
        | Rejection::SignInFailed(_)
        | Rejection::NoSuchFlow(_) => Fault::Internal,
    }
}

fn of_upstream(error: &ForwardError) -> Fault<'static> {
    if error.fault() == forward::Fault::NotHeld {
        return Fault::AppRefused;
    }
    match error.status() {
        StatusCode::BAD_REQUEST => Fault::BadRequest,
        StatusCode::METHOD_NOT_ALLOWED => Fault::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Fault::RequestTimeout,
        StatusCode::PAYLOAD_TOO_LARGE => Fault::ContentTooLarge,
        StatusCode::GATEWAY_TIMEOUT => Fault::AppTimeout,
        StatusCode::INTERNAL_SERVER_ERROR => Fault::Internal,
        _ => Fault::AppDown,
    }
}

fn fault(exchange: &Exchange, asked: Asked, fault: Fault<'_>) -> Response<Body> {
    if asked.page {
        return show(ErrorPage { fault, request_id: &exchange.id, retry: None, refresh: true }.page());
    }
    let (content_type, text) = fault.problem(&exchange.id);
    let mut response = machine(fault.status(), content_type, text);
    if let Some(seconds) = fault.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A request that could be read in two ways: which, and what a route may do about it.
fn ambiguous(exchange: &Exchange, detail: &str, members: serde_json::Map<String, Value>) -> Response<Body> {
    let (status, kind) = (StatusCode::BAD_REQUEST, "urn:portcullis:problem:bad-request");
    let title = "This request can’t be read";
    let (content_type, text) = pages::problem(status, kind, title, detail, &exchange.id, members);
    machine(status, content_type, text)
}

/// Who was refused what, and the way to be somebody else.
fn forbidden_page(house: &House, exchange: &Exchange) -> Response<Body> {
    let (Some(principal), Some(inbound), Some(route)) =
        (exchange.principal.as_ref(), exchange.inbound.as_ref(), exchange.route.as_ref())
    else {
        return problem(exchange, &FORBIDDEN);
    };
    let question = super::judge::question(inbound, exchange.principal.as_ref());
    let explanation = explain(&route.access, &question);
    let required = explanation.missing();
    let here = url::Url::parse(&inbound.address()).ok();
    let switch = own::switch_address(here.as_ref());
    let page = Refusal {
        principal,
        provider: house.display_name(&principal.provider),
        host: inbound.authority.host(),
        required: &required,
        unsaid: explanation.reason.unsaid(),
        request_id: &exchange.id,
        switch: Form { action: &switch, fields: &[] },
        back: "/",
    };
    show(page.page())
}

const NO_SUCH_FLOW: &str =
    "This sign-in was not begun in this browser, or it took too long. Please try again.";

fn sign_in_failed(
    house: &House,
    exchange: &Exchange,
    blame: Blame,
    public: &str,
    retry: Option<&str>,
) -> Response<Body> {
    let status = match blame {
        Blame::Client => StatusCode::BAD_REQUEST,
        Blame::Provider => StatusCode::BAD_GATEWAY,
        Blame::Us => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let retry = retry.unwrap_or_else(|| house.home());
    show(pages::SignInFailed { status, public, request_id: &exchange.id, retry }.page())
}

struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: &'static str,
}

const UNAUTHENTICATED: Problem = Problem {
    status: StatusCode::UNAUTHORIZED,
    kind: "urn:portcullis:problem:unauthenticated",
    title: "Not signed in",
    detail: "Sign in with a browser, or send an access token as Authorization: Bearer.",
};
const FORBIDDEN: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    kind: "urn:portcullis:problem:forbidden",
    title: "Not allowed",
    detail: "You are known, but this is not open to you. The request_id leads to the rule in the log.",
};
const CROSS_SITE: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    kind: "urn:portcullis:problem:cross-site",
    title: "Not from here",
    detail: "This form works only from a page of this very site.",
};

/// RFC 6750, section 3.1: 400 for a request that cannot be read, 401 for a token that is no good.
fn token(exchange: &Exchange, error: TokenError) -> Response<Body> {
    let status = match error.code() {
        Some(ErrorCode::InvalidRequest) => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNAUTHORIZED,
    };
    let kind = "urn:portcullis:problem:invalid-token";
    problem(exchange, &Problem { status, kind, title: "Access token refused", detail: error.public() })
}

/// Challenges and what else belongs to a refusal's head.
fn add_fields(no: &Rejection, status: StatusCode, headers: &mut HeaderMap) {
    let challenge = match no {
        Rejection::Token(error) if error.code().is_some() => Some(error.challenge(REALM)),
        Rejection::CredentialEnded(CredentialEnd::TokenExpired) => Some(TokenError::Expired.challenge(REALM)),
        Rejection::Forbidden { scopes: Some(scopes) } => Some(insufficient(scopes)),
        _ if status == StatusCode::UNAUTHORIZED => Some(HeaderValue::from_static(CHALLENGE)),
        _ => None,
    };
    if let Some(challenge) = challenge {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
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

fn insufficient(scopes: &str) -> HeaderValue {
    let error = TokenError::InsufficientScope;
    let code = error.code().map(|code| (code, error.public()));
    Challenge { realm: REALM, error: code, scope: Some(scopes) }.header()
}

fn problem(exchange: &Exchange, problem: &Problem) -> Response<Body> {
    let Problem { status, kind, title, detail } = *problem;
    let (content_type, text) =
        pages::problem(status, kind, title, detail, &exchange.id, serde_json::Map::new());
    machine(status, content_type, text)
}

fn machine(status: StatusCode, content_type: HeaderValue, text: String) -> Response<Body> {
    let mut response = Response::new(Body::ours(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A page as a response.
pub(super) fn show(page: Page) -> Response<Body> {
    page.into_response().map(Body::ours)
}

/// A redirect that no cache keeps.
pub(super) fn redirect(status: StatusCode, location: &str) -> Result<Response<Body>, Rejection> {
    let location = HeaderValue::try_from(location);
    let location =
        location.map_err(|_| Rejection::Internal("a redirect to an address that cannot be written"))?;
    let mut response = Response::new(Body::ours(""));
    *response.status_mut() = status;
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A redirect as a page that goes on by itself, with the cookies that the redirect set.
pub(super) fn onward(response: Response<Body>) -> Response<Body> {
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let Some(target) = location.and_then(|location| url::Url::parse(location).ok()) else { return response };
    let mut page = show(pages::onward(&target));
    for cookie in response.headers().get_all(header::SET_COOKIE) {
        set_cookie(&mut page, cookie.clone());
    }
    page
}

/// Sets or clears one more cookie.
pub(super) fn set_cookie(response: &mut Response<Body>, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// Takes from the browser what it has kept of this origin for the person who was signed in: pages in caches
/// and in the memory of the back button, `no-store` ones among them (Clear Site Data, section 3.1;
/// invariant 17). Browsers heed it in secure contexts.
pub(super) fn forget_pages(response: &mut Response<Body>) {
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
}

/// What every response carries: the id under which the log knows the request, and what a limit leaves.
pub(super) fn finish(exchange: &Exchange, response: &mut Response<Body>) {
    if let Some(id) = exchange.id.field() {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    exchange.standing.write_headers(response.headers_mut());
}

/// The cookies of a request, and nothing else of it.
pub(super) fn cookies(headers: &HeaderMap) -> HeaderMap {
    headers.get_all(header::COOKIE).iter().map(|value| (header::COOKIE, value.clone())).collect()
}
