//! Whether a browser is navigating, or a script or program is calling.

use http::{HeaderMap, Method};

/// Whether a refused request is better answered by a page or a redirect than by a status for programs.
#[must_use]
pub fn is_navigation(method: &Method, _headers: &HeaderMap) -> bool {
    method == Method::GET
}
