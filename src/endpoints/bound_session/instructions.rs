//! What a browser is told of a session that it has bound (sections 9.6 to 9.9).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{add_challenge, session_name};
use crate::endpoints::context::RequestContext;
use crate::endpoints::paths::REFRESH_BINDING;
use crate::endpoints::response::set_cookie;
use crate::endpoints::state::Endpoints;
use crate::session::{Binding, BindingScope};

/// The bound cookie, what the browser is to do about it, and, where it renews the cookie, the challenge for the next time.
pub(super) fn bound(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    binding: &Binding,
    challenge: bool,
) -> Response<Bytes> {
    let mut response = document(StatusCode::OK, &instructions(endpoints, context, binding));
    let now = endpoints.resources.clock.now();
    set_cookie(&mut response, endpoints.cookies.bound.set(binding, now));
    if challenge {
        add_challenge(endpoints, binding, &mut response);
    }
    response
}

/// Has the browser forget a session that is over, or that is not bound.
pub(super) fn over() -> Response<Bytes> {
    document(StatusCode::OK, &json!({ "continue": false }))
}

/// JSON that no cache keeps and no page of another site embeds: how long it takes may tell who is signed in.
pub(super) fn document(status: StatusCode, content: &Value) -> Response<Bytes> {
    let mut response = Response::new(content.to_string().into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

/// Any page may begin a request that has the cookie renewed: who follows a link from their mail would else come without
/// it and have to sign in. It is sent along with such links alone (`SameSite=Lax`), and renewed once in ten minutes.
fn instructions(endpoints: &Endpoints, context: RequestContext<'_>, binding: &Binding) -> Value {
    let (cookie, scope) = (&endpoints.cookies.bound, &binding.scope);
    let origin = context.origin();
    json!({
        "session_identifier": session_name(binding.session),
        "refresh_url": format!("{origin}{REFRESH_BINDING}"),
        "scope": {
            "origin": of_scope(endpoints, origin, scope),
            "include_site": matches!(scope, BindingScope::Site(_)),
            "scope_specification": [],
        },
        "credentials": [{ "type": "cookie", "name": cookie.name(scope), "attributes": cookie.attributes(scope) }],
        "allowed_refresh_initiators": ["*"],
    })
}

fn of_scope(endpoints: &Endpoints, origin: String, scope: &BindingScope) -> String {
    match scope {
        BindingScope::Host => origin,
        BindingScope::Site(site) => {
            let port = endpoints.hosts.public.as_ref().and_then(|public| public.url.port());
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("https://{site}{port}")
        }
    }
}
