//! Where a kept form goes on after the sign-in.

use crate::listener::Content;
use http::{Method, Request, Response};

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::house::House;
use super::super::kept::{KeptForm, whole};
use super::super::rejection::Rejection;
use super::super::respond::show;
use super::parameters;
use crate::pages::{Enctype, Replay, Resume, SEALED};

/// A sealed form is longer than what it holds, and longer again in a form's encoding.
const MAX_SEALED: usize = 512 * 1024;

/// `GET` fetches the form from its browser; `POST` brings it, and answers with a page that sends it.
pub(super) async fn answer(
    house: &House,
    exchange: &Exchange,
    request: Request<Content>,
) -> Result<Response<Body>, Rejection> {
    if request.method() == Method::POST {
        super::same_origin(exchange, request.headers())?;
        return replay(house, exchange, request).await;
    }
    let id = parameters(request.uri()).find(|(name, _)| name == "id").map(|(_, id)| id.into_owned());
    let id = id.filter(|id| {
        id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    let id = id.ok_or_else(|| Rejection::NoSuchFlow("a form that was kept has no such name".into()))?;
    Ok(show(Resume { id: &id }.page()))
}

async fn replay(
    house: &House,
    exchange: &Exchange,
    request: Request<Content>,
) -> Result<Response<Body>, Rejection> {
    let gone = || {
        Rejection::NoSuchFlow("the kept form is not for here, was changed, or is older than an hour".into())
    };
    let body = whole(request.into_body(), MAX_SEALED).await.ok_or_else(gone)?;
    let sealed = url::form_urlencoded::parse(&body).find(|(name, _)| name == SEALED);
    let sealed = sealed.map(|(_, sealed)| sealed.into_owned()).ok_or_else(gone)?;
    let origin = exchange.inbound()?.origin();
    let (key, clock) = (&house.foundations.keys.form, &house.foundations.clock);
    let form = KeptForm::open(key, sealed, &origin, clock).ok_or_else(gone)?;
    let fields = form.fields();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = Replay { action: form.target(), enctype: Enctype::default(), fields: &fields };
    Ok(show(page.page()))
}
