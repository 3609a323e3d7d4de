//! Whether a page of this very origin made a browser send a request.

use http::{HeaderMap, header};

use super::context::RequestContext;
use super::error::EndpointError;
use crate::request::{Authority, Scheme, single};

/// Lets a form through that a page of this very origin sent, and no other site's (invariant 18): browsers
/// say where a form comes from, and a request without that word is not one of theirs.
///
/// # Errors
/// [`EndpointError::CrossSite`] for every other request.
pub fn same_origin(context: RequestContext<'_>, headers: &HeaderMap) -> Result<(), EndpointError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let by_fetch = text("sec-fetch-site")
        .map(|site| mutant!(site == "same-origin", "form-of-a-sibling" => site != "cross-site"));
    let by_origin = || {
        let origin = single(headers, &header::ORIGIN)?.to_str().ok()?;
        Some(is_here(context.authority, context.forwarding.scheme, origin))
    };
    // A script of the app's own is of this origin, too: what it asks for it could read, and do unseen.
    let by_script = text("sec-fetch-mode").is_some_and(|mode| mode != "navigate");
    if mutant!(by_script, "form-of-a-script" => false) {
        return Err(EndpointError::CrossSite);
    }
    let same = by_fetch.or_else(by_origin).unwrap_or(mutant!(false, "form-without-origin" => true));
    same.then_some(()).ok_or(EndpointError::CrossSite)
}

/// Whether `origin` is the one that a request with this scheme and authority is for.
#[must_use]
pub fn is_here(authority: &Authority, scheme: Scheme, origin: &str) -> bool {
    let said = origin.strip_prefix(&format!("{scheme}://")).and_then(|text| Authority::parse(text).ok());
    said.is_some_and(|said| {
        said.host() == authority.host()
            && mutant!(
                said.port_or_default(scheme) == authority.port_or_default(scheme),
                "origin-on-another-port" => true,
            )
    })
}
