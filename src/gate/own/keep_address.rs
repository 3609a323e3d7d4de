//! An address that is too long to be taken along is kept by its own tab.

use http::Response;

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::rejection::Rejection;
use super::super::respond::{challenge, show};
use super::super::return_to::ReturnTo;
use super::{SIGN_IN, Wish};
use crate::pages::{self, KeepAddress};
use crate::secret::Secret;

/// A page that puts the address away, and goes to sign in so that the way back leads to where it is taken up again.
pub(super) fn answer(exchange: &Exchange, wish: Wish) -> Result<Response<Body>, Rejection> {
    let inbound = exchange.inbound()?;
    let id = Secret::random();
    let back = format!("{}{}?id={}", inbound.origin(), pages::RESUME, id.expose());
    let back = ReturnTo::parse(&back, |_| true);
    // Where the page is not the address itself, what it leads to stands in a query.
    let elsewhere = inbound.path.decoded() == SIGN_IN;
    let address = Wish { return_to: wish.return_to.clone(), ..Wish::default() }.address();
    let next = Wish { return_to: back, ..wish }.address();
    let page = KeepAddress {
        id: id.expose(),
        address: Some(address.as_str()).filter(|_| elsewhere),
        next: &next,
        sign_in: SIGN_IN,
        request_id: &exchange.id,
    };
    Ok(challenge(exchange, show(page.page())))
}
