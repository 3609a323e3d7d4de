//! Where a kept form goes on after the sign-in.

use bytes::Bytes;
use http::{Method, Request, Response};
use url::form_urlencoded;

use super::answer::Answer;
use super::body::read_to_end;
use super::context::RequestContext;
use super::deferred_form::DeferredForm;
use super::error::EndpointError;
use super::paths::RESUME;
use super::response::{challenge, show};
use super::return_to::ReturnTo;
use super::same_origin::same_origin;
use super::sign_in_request::{SignInRequest, parameter};
use super::state::Endpoints;
use crate::authn::Authentication;
use crate::listener::RequestBody;
use crate::pages::{Enctype, Keep, Replay, Resume, SEALED};
use crate::secret::Secret;

/// A sealed form is longer than what it holds, and longer again in a form's encoding.
const MAX_SEALED: usize = 512 * 1024;

/// A page that has its browser keep a form whose sender's session is over or does not suffice, and goes to sign in as
/// `wanted` says, so that the way back leads to where the tab's form is taken up again.
#[must_use]
pub fn keep_form(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    form: &DeferredForm,
    wanted: SignInRequest,
) -> Option<Response<Bytes>> {
    let id = Secret::random();
    let sealed = form.seal(&endpoints.resources.keys.form)?;
    let back = format!("{}{RESUME}?id={}", context.origin(), id.expose());
    let sign_in_url = SignInRequest { return_to: ReturnTo::parse(&back, |_| true), ..wanted }.address();
    let page = Keep { id: id.expose(), sealed: &sealed, sign_in_url: &sign_in_url, request_id: context.id };
    Some(challenge(context.realm, show(page.page(context.look))))
}

/// `GET` fetches the form from its browser; `POST` brings it, and answers with a page that sends it.
pub(super) async fn answer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: Request<RequestBody>,
) -> Answer {
    if request.method() != Method::POST {
        return fetch(context, &request).into();
    }
    if let Err(error) = same_origin(context, request.headers()) {
        return error.into();
    }
    match endpoints.session(context, request.headers()).await {
        Ok(found) => {
            let page = replay(endpoints, context, &found, request.into_body()).await;
            Answer::to(found.principal().cloned(), page)
        }
        Err(error) => error.into(),
    }
}

fn fetch<B>(context: RequestContext<'_>, request: &Request<B>) -> Result<Response<Bytes>, EndpointError> {
    let id = parameter(request.uri(), "id");
    let id = id.filter(|id| {
        id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    let id = id.ok_or_else(|| EndpointError::lost("what a tab keeps has no such name"))?;
    Ok(show(Resume { id: &id }.page(context.look)))
}

/// Whoever filled the form in may be another than the person who is signed in by now: it goes out when they say so.
async fn replay(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    found: &Authentication,
    body: RequestBody,
) -> Result<Response<Bytes>, EndpointError> {
    let gone = || EndpointError::lost("the kept form is not for here, was changed, or is older than an hour");
    let body = read_to_end(body, MAX_SEALED).await.ok_or_else(gone)?;
    let sealed = form_urlencoded::parse(&body).find(|(name, _)| name == SEALED);
    let (_, sealed) = sealed.ok_or_else(gone)?;
    let (key, clock) = (&endpoints.resources.keys.form, &endpoints.resources.clock);
    let form = DeferredForm::open(key, &sealed, &context.origin(), clock).ok_or_else(gone)?;
    let fields = form.fields();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = Replay {
        action: form.target(),
        enctype: if form.multipart().is_some() { Enctype::Multipart } else { Enctype::UrlEncoded },
        fields: &fields,
        multipart: form.multipart(),
        person: found
            .principal()
            .map(|principal| (&**principal, endpoints.display_name(&principal.provider))),
    };
    Ok(show(page.page(context.look)))
}
