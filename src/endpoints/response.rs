//! Responses of the endpoints.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use url::Url;

use super::context::RequestContext;
use super::error::EndpointError;
use crate::authn::Challenge;
use crate::pages::{self, Page};

/// A page as a response.
pub(super) fn show(page: Page) -> Response<Bytes> {
    page.into_response().map(Bytes::from)
}

/// A redirect that no cache keeps.
///
/// # Errors
/// Where the address cannot be written into a field.
pub fn redirect(status: StatusCode, location: &str) -> Result<Response<Bytes>, EndpointError> {
    let location = HeaderValue::try_from(location)
        .map_err(|_| EndpointError::Internal("a redirect to an address that cannot be written"))?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A redirect as a page that goes on by itself, with the cookies that the redirect set.
pub(super) fn interstitial(context: RequestContext<'_>, response: Response<Bytes>) -> Response<Bytes> {
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let Some(target) = location.and_then(|location| Url::parse(location).ok()) else { return response };
    let mut page = show(pages::interstitial(context.look, &target));
    for cookie in response.headers().get_all(header::SET_COOKIE) {
        set_cookie(&mut page, cookie.clone());
    }
    page
}

/// Sets or clears one more cookie.
pub(super) fn set_cookie(response: &mut Response<Bytes>, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// Says how one signs in by other means: 401 always does (RFC 9110, section 15.5.2).
pub fn challenge<B>(realm: &str, mut response: Response<B>) -> Response<B> {
    let challenge = Challenge { realm, error: None, scope: None, strength: None }.header();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}
