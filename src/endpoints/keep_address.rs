//! An address that is too long to be taken along is kept by its own tab.

use bytes::Bytes;
use http::Response;

use super::context::RequestContext;
use super::paths::{RESUME, SIGN_IN};
use super::response::{challenge, show};
use super::return_to::ReturnTo;
use super::sign_in_request::SignInRequest;
use crate::pages::KeepAddress;
use crate::secret::Secret;

/// A page that puts the address away, and goes to sign in so that the way back leads to where it is taken up again.
pub(super) fn page(context: RequestContext<'_>, wanted: SignInRequest) -> Response<Bytes> {
    let id = Secret::random();
    let back = format!("{}{RESUME}?id={}", context.origin(), id.expose());
    let back = ReturnTo::parse(&back, |_| true);
    // Where the page is not the address itself, what it leads to stands in a query.
    let elsewhere = context.path.decoded() == SIGN_IN;
    let address = SignInRequest::to(wanted.return_to.clone()).address();
    let next = SignInRequest { return_to: back, ..wanted }.address();
    let page = KeepAddress {
        id: id.expose(),
        address: Some(address.as_str()).filter(|_| elsewhere),
        next: &next,
        sign_in: SIGN_IN,
        request_id: context.id,
    };
    challenge(context.realm, show(page.page(context.look)))
}
