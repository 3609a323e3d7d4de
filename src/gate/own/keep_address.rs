//! An address that is too long to be taken along is kept by its own tab.

use http::Response;

use super::super::body::Body;
use super::super::record::RequestRecord;
use super::super::rejection::Rejection;
use super::super::respond::{challenge, show};
use super::super::return_to::ReturnTo;
use super::{SIGN_IN, SignInRequest};
use crate::pages::{self, KeepAddress};
use crate::secret::Secret;

/// A page that puts the address away, and goes to sign in so that the way back leads to where it is taken up again.
pub(super) fn answer(record: &RequestRecord, wanted: SignInRequest) -> Result<Response<Body>, Rejection> {
    let inbound = record.inbound()?;
    let id = Secret::random();
    let back = format!("{}{}?id={}", inbound.origin(), pages::RESUME, id.expose());
    let back = ReturnTo::parse(&back, |_| true);
    // Where the page is not the address itself, what it leads to stands in a query.
    let elsewhere = inbound.path.decoded() == SIGN_IN;
    let address = SignInRequest { return_to: wanted.return_to.clone(), ..SignInRequest::default() }.address();
    let next = SignInRequest { return_to: back, ..wanted }.address();
    let page = KeepAddress {
        id: id.expose(),
        address: Some(address.as_str()).filter(|_| elsewhere),
        next: &next,
        sign_in: SIGN_IN,
        request_id: &record.id,
    };
    Ok(challenge(record, show(page.page())))
}
