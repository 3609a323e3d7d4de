//! The gateway's own endpoints, below `/.portcullis`.

mod callback;
mod sign_in;
mod sign_out;
mod ticket;

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use hyper::body::Incoming;

use super::body::Body;
use super::exchange::Exchange;
use super::house::House;
use super::rejection::Rejection;

pub(super) use sign_in::{Wish, depart};

/// What the gateway answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Begins a sign-in, or lets the person choose a provider.
    SignIn,
    /// Where providers send people back to (`redirect_uri`).
    Callback,
    /// Where an app's host gets its session from the sign-in host's.
    Ticket,
    /// Ends the session.
    SignOut,
    /// Where providers send people after signing them out.
    SignedOut,
    /// The keys that assertions are verified with (RFC 7517).
    Keys,
}

impl Endpoint {
    /// Every endpoint with its path and methods.
    pub(super) const ALL: [(Self, &'static str, &'static [Method]); 6] = [
        (Self::SignIn, "/.portcullis/sign-in", &[Method::GET, Method::POST]),
        (Self::Callback, "/.portcullis/callback", &[Method::GET]),
        (Self::Ticket, "/.portcullis/ticket", &[Method::GET]),
        (Self::SignOut, "/.portcullis/sign-out", &[Method::GET, Method::POST]),
        (Self::SignedOut, "/.portcullis/signed-out", &[Method::GET]),
        (Self::Keys, "/.portcullis/jwks.json", &[Method::GET]),
    ];

    /// Whether it is served on every host, or on that of `public_url` alone.
    const fn is_everywhere(self) -> bool {
        matches!(self, Self::Ticket | Self::SignOut | Self::Keys)
    }

    /// Answers `request`.
    pub(super) async fn answer(
        self,
        house: &House,
        exchange: &mut Exchange,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Rejection> {
        if !self.is_everywhere() && !exchange.is_on_public_host(house) {
            return Err(Rejection::UnknownPath);
        }
        match self {
            Self::SignIn => sign_in::answer(house, exchange, request).await,
            Self::Callback => callback::answer(house, exchange, request).await,
            Self::Ticket => ticket::answer(house, exchange, request).await,
            Self::SignOut => sign_out::answer(house, exchange, request).await,
            Self::SignedOut => Ok(sign_out::signed_out(house, exchange)),
            Self::Keys => Ok(keys(house)),
        }
    }
}

/// The parameters of a query.
fn parameters(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

/// Lets a form through that a page of ours sent, and no other site's (invariant 18): browsers say where
/// a form comes from, and a request without that word is not one of theirs.
fn same_origin(house: &House, headers: &HeaderMap) -> Result<(), Rejection> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let by_fetch = text("sec-fetch-site").map(|site| site == "same-origin");
    let by_origin = || text("origin").and_then(|origin| url::Url::parse(origin).ok()).map(|url| house.claims(&url));
    let same = by_fetch.or_else(by_origin).unwrap_or_default();
    same.then_some(()).ok_or(Rejection::CrossSite)
}

fn keys(house: &House) -> Response<Body> {
    let mut response = Response::new(Body::ours(house.foundations.asserter.jwks()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
