//! What tells browsers that sessions of a whole site may be bound on the sign-in host: the document of its domain
//! (sections 8.9 and 11.6).

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::json;

use crate::endpoints::context::RequestContext;
use crate::endpoints::error::EndpointError;
use crate::endpoints::state::Endpoints;

/// Where the document is.
pub const WELL_KNOWN: &str = "/.well-known/device-bound-sessions";

pub(in crate::endpoints) fn answer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
) -> Result<Response<Bytes>, EndpointError> {
    let site = endpoints.binding.site.as_deref().filter(|site| *site == context.authority.host());
    let public = endpoints.hosts.public.as_ref().filter(|_| site.is_some());
    let public = public.ok_or(EndpointError::NotFound)?;
    let document = json!({ "registering_origins": [public.url.origin().ascii_serialization()] });
    let mut response = Response::new(Bytes::from(document.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}
