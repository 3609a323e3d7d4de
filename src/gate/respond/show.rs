//! A page as a response.

use http::Response;

use crate::gate::body::Body;
use crate::pages::Page;

/// The whole response of a page: its status and fields come with it.
pub(super) fn show(page: Page) -> Response<Body> {
    page.into_response().map(Body::ours)
}
