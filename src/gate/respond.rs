//! From a rejection to its response: the one place that picks a status for a refused request. A page for
//! a browser's navigation; for everything else 401 with a challenge, or a problem document (RFC 9457).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};

use super::body::Body;
use super::exchange::Exchange;
use super::house::House;
use super::own::{Wish, depart};
use super::rejection::{Comeback, Rejection};
use crate::authn::TokenError;
use crate::forward::ForwardError;
use crate::pages::{self, ErrorPage, Fault, Page};

/// What must be remembered of a request to refuse it well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    page: bool,
    repeatable: bool,
}

/// When a passing fault is worth another try.
const SOON: Duration = Duration::from_secs(5);

impl Asked {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let page = super::inbound::prefers_page(request.method(), request.headers());
        Self { page, repeatable: request.method() == http::Method::GET }
    }
}

/// Answers a rejection and puts it on record.
pub(super) async fn respond(house: &House, exchange: &mut Exchange, asked: Asked, no: Rejection) -> Response<Body> {
    let (outcome, reason) = (no.outcome(), no.reason());
    let response = match no {
        Rejection::SignIn(Some(comeback)) if asked.page => sent_to_sign_in(house, exchange, asked, *comeback).await,
        other => refused(house, exchange, asked, &other),
    };
    exchange.answered(response.status().as_u16(), outcome, reason);
    response
}

async fn sent_to_sign_in(house: &House, exchange: &Exchange, asked: Asked, back: Comeback) -> Response<Body> {
    let wish = Wish { return_to: Some(back.return_to), ..Wish::default() };
    let departed = depart(house, exchange, &back.cookies, wish).await;
    departed.unwrap_or_else(|no| {
        tracing::warn!(id = %exchange.id, reason = %no.reason(), "a sign-in could not begin");
        refused(house, exchange, asked, &no)
    })
}

fn refused(house: &House, exchange: &Exchange, asked: Asked, no: &Rejection) -> Response<Body> {
    let mut response = match no {
        Rejection::Forbidden(_) if asked.page => forbidden_page(house, exchange),
        Rejection::Forbidden(_) => problem(exchange, StatusCode::FORBIDDEN, "forbidden", "Not allowed", "You are known, but this is not open to you."),
        Rejection::CrossSite => problem(exchange, StatusCode::FORBIDDEN, "cross-site", "Not from here", "This form works only from a page of this site."),
        Rejection::SignIn(_) | Rejection::UnreadableCredential(_) if !asked.page => unauthenticated(exchange),
        Rejection::Token(error) if !error.is_unavailable() => unauthenticated(exchange),
        Rejection::SignInFailed(error) => failed(house, exchange, error.blame(), error.public()),
        Rejection::NoSuchFlow(_) => failed(house, exchange, crate::oidc::Blame::Client, "This sign-in was not begun in this browser, or it took too long. Please try again."),
        other => fault(exchange, asked, fault_of(other)),
    };
    add_challenge(no, &mut response);
    if let Rejection::Limited(exceeded) = no {
        exceeded.write_headers(response.headers_mut());
    }
    response
}

fn fault_of(no: &Rejection) -> Fault<'_> {
    match no {
        Rejection::Malformed(_) | Rejection::Untolerated(_) => Fault::BadRequest,
        Rejection::UnknownHost | Rejection::UnknownPath => Fault::NotFound,
        Rejection::MethodNotAllowed => Fault::MethodNotAllowed,
        Rejection::Limited(exceeded) => Fault::TooManyRequests { retry_after: exceeded.retry_after() },
        Rejection::Busy => Fault::Overloaded { retry_after: SOON },
        Rejection::Forward(error) => fault_of_upstream(error),
        Rejection::Token(_) | Rejection::ProviderUnavailable(_) => {
            Fault::ProviderDown { provider: "The identity provider", retry_after: SOON }
        }
        Rejection::StoreUnavailable(_) => Fault::StoreDown { retry_after: SOON },
        Rejection::Internal(_)
        | Rejection::SignIn(_)
        | Rejection::UnreadableCredential(_)
        | Rejection::Forbidden(_)
        | Rejection::CrossSite
        | Rejection::SignInFailed(_)
        | Rejection::NoSuchFlow(_) => Fault::Internal,
    }
}

fn fault_of_upstream(error: &ForwardError) -> Fault<'static> {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::ContentTooLarge,
        StatusCode::BAD_REQUEST => Fault::BadRequest,
        StatusCode::REQUEST_TIMEOUT => Fault::RequestTimeout,
        StatusCode::GATEWAY_TIMEOUT => Fault::AppTimeout,
        StatusCode::SERVICE_UNAVAILABLE => Fault::Overloaded { retry_after: SOON },
        StatusCode::INTERNAL_SERVER_ERROR => Fault::Internal,
        _ => Fault::AppDown,
    }
}

fn fault(exchange: &Exchange, asked: Asked, fault: Fault<'_>) -> Response<Body> {
    if asked.page {
        let page = ErrorPage { fault, request_id: &exchange.id, retry: None, refresh: asked.repeatable };
        return show(exchange, page.page());
    }
    let (content_type, text) = fault.problem(&exchange.id);
    let mut response = machine(fault.status(), content_type, text);
    if let Some(seconds) = fault.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn forbidden_page(house: &House, exchange: &Exchange) -> Response<Body> {
    let (Some(principal), Some(inbound), Some(route)) =
        (exchange.principal.as_ref(), exchange.inbound.as_ref(), exchange.route.as_ref())
    else {
        return fault(exchange, Asked { page: true, repeatable: false }, Fault::Internal);
    };
    let question = super::judge::question(inbound, Some(principal));
    let required = route.access.explain(&question).missing();
    let switch = house.sign_in_url();
    let page = pages::Refusal {
        principal,
        provider: house.display_name(&principal.provider),
        host: inbound.authority.host(),
        required: &required,
        request_id: &exchange.id,
        switch: pages::Form { action: &switch, fields: &[] },
        back: "/",
    };
    show(exchange, page.page())
}

fn failed(house: &House, exchange: &Exchange, blame: crate::oidc::Blame, public: &str) -> Response<Body> {
    let status = match blame {
        crate::oidc::Blame::Client => StatusCode::BAD_REQUEST,
        crate::oidc::Blame::Provider => StatusCode::BAD_GATEWAY,
        crate::oidc::Blame::Us => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let retry = house.home();
    show(exchange, pages::SignInFailed { status, public, request_id: &exchange.id, retry }.page())
}

fn unauthenticated(exchange: &Exchange) -> Response<Body> {
    let detail = "Sign in with a browser, or send an access token as Authorization: Bearer.";
    problem(exchange, StatusCode::UNAUTHORIZED, "unauthenticated", "Not signed in", detail)
}

/// RFC 6750, section 3: a challenge with an error code only where there was a token.
fn add_challenge(no: &Rejection, response: &mut Response<Body>) {
    if response.status() != StatusCode::UNAUTHORIZED {
        return;
    }
    let challenge = match no {
        Rejection::Token(error) => error.challenge(REALM),
        Rejection::UnreadableCredential(_) => TokenError::invalid_request().challenge(REALM),
        _ => HeaderValue::from_static("Bearer realm=\"portcullis\""),
    };
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
}

const REALM: &str = "portcullis";

fn problem(exchange: &Exchange, status: StatusCode, kind: &str, title: &str, detail: &str) -> Response<Body> {
    let kind = format!("urn:portcullis:problem:{kind}");
    let (content_type, text) = pages::problem(status, &kind, title, detail, &exchange.id, serde_json::Map::new());
    machine(status, content_type, text)
}

fn machine(status: StatusCode, content_type: HeaderValue, text: String) -> Response<Body> {
    let mut response = Response::new(Body::ours(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A page as a response.
pub(super) fn show(_: &Exchange, page: Page) -> Response<Body> {
    page.into_response().map(Body::ours)
}

/// A redirect that no cache keeps.
pub(super) fn redirect(status: StatusCode, location: &str) -> Result<Response<Body>, Rejection> {
    let location = HeaderValue::try_from(location);
    let mut response = Response::new(Body::ours(""));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location.map_err(|_| Rejection::Internal("a redirect to an unprintable address"))?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Sets or clears one more cookie.
pub(super) fn set_cookie(response: &mut Response<Body>, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// What every response carries: the id under which the log knows the request.
pub(super) fn finish(exchange: &Exchange, response: &mut Response<Body>) {
    if let Ok(id) = HeaderValue::from_str(exchange.id.as_str()) {
        response.headers_mut().insert("x-request-id", id);
    }
}

/// The cookies of a request, and nothing else of it.
pub(super) fn cookies(headers: &HeaderMap) -> HeaderMap {
    headers.get_all(header::COOKIE).iter().map(|value| (header::COOKIE, value.clone())).collect()
}
