//! Who is signed in at this host.

use http::{HeaderMap, Response, StatusCode};

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::house::House;
use super::super::rejection::Rejection;
use super::super::respond::{redirect, show};
use super::{SIGN_IN, session, sign_out};
use crate::authn::Authentication;

/// The person's own page, or the way to sign in.
pub(super) async fn answer(
    house: &House,
    exchange: &mut Exchange,
    headers: &HeaderMap,
) -> Result<Response<Body>, Rejection> {
    match session(house, exchange, headers).await? {
        Authentication::Session(_, session) => Ok(show(sign_out::question(house, &session.principal))),
        Authentication::Anonymous | Authentication::Ended | Authentication::Bearer(_) => {
            redirect(StatusCode::SEE_OTHER, SIGN_IN)
        }
    }
}
