//! Where a kept form goes on after the sign-in.

use crate::listener::RequestBody;
use http::{Method, Request, Response};

use super::super::body::Body;
use super::super::deferred_form::{DeferredForm, whole};
use super::super::record::RequestRecord;
use super::super::rejection::Rejection;
use super::super::respond::show;
use super::super::snapshot::Snapshot;
use super::{parameters, session};
use crate::pages::{Enctype, Replay, Resume, SEALED};

/// A sealed form is longer than what it holds, and longer again in a form's encoding.
const MAX_SEALED: usize = 512 * 1024;

/// `GET` fetches the form from its browser; `POST` brings it, and answers with a page that sends it.
pub(super) async fn answer(
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    request: Request<RequestBody>,
) -> Result<Response<Body>, Rejection> {
    if request.method() == Method::POST {
        super::same_origin(record, request.headers())?;
        return replay(snapshot, record, request).await;
    }
    let id = parameters(request.uri()).find(|(name, _)| name == "id").map(|(_, id)| id.into_owned());
    let id = id.filter(|id| {
        id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    let id = id.ok_or_else(|| Rejection::no_such_flow("what a tab keeps has no such name"))?;
    Ok(show(Resume { id: &id }.page()))
}

/// Whoever filled the form in may be another than the person who is signed in by now: it goes out when they say so.
async fn replay(
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    request: Request<RequestBody>,
) -> Result<Response<Body>, Rejection> {
    let gone =
        || Rejection::no_such_flow("the kept form is not for here, was changed, or is older than an hour");
    let standing = session(snapshot, record, request.headers()).await?;
    let principal = standing.principal();
    let body = whole(request.into_body(), MAX_SEALED).await.ok_or_else(gone)?;
    let sealed = url::form_urlencoded::parse(&body).find(|(name, _)| name == SEALED);
    let (_, sealed) = sealed.ok_or_else(gone)?;
    let origin = record.inbound()?.origin();
    let (key, clock) = (&snapshot.foundations.keys.form, &snapshot.foundations.clock);
    let form = DeferredForm::open(key, &sealed, &origin, clock).ok_or_else(gone)?;
    let fields = form.fields();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = Replay {
        action: form.target(),
        enctype: if form.multipart().is_some() { Enctype::Multipart } else { Enctype::UrlEncoded },
        fields: &fields,
        multipart: form.multipart(),
        person: principal.map(|principal| (&**principal, snapshot.display_name(&principal.provider))),
    };
    Ok(show(page.page()))
}
