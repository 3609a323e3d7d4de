//! Health, readiness, metrics.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;

use super::AdminSources;
use super::peer::Peer;
use crate::listener::RequestBody;
use crate::request::Authority;
use crate::telemetry::Exposition;

/// What is answered here: a row for each path and method. `HEAD` is answered as `GET` is, and its body is
/// left out by the server. A path of no row is 404, a method that the path's rows do not have is 405.
const ROUTES: [AdminRoute; 3] = [
    AdminRoute {
        path: "/healthz",
        method: Method::GET,
        names: ListenerNames::Any,
        answer: |_, _| text(StatusCode::OK, "ok\n"),
    },
    AdminRoute { path: "/readyz", method: Method::GET, names: ListenerNames::Any, answer: readiness },
    AdminRoute { path: "/metrics", method: Method::GET, names: ListenerNames::Ours, answer: metrics },
];

struct AdminRoute {
    path: &'static str,
    method: Method,
    names: ListenerNames,
    answer: fn(&AdminSources, &HeaderMap) -> Response<Full<Bytes>>,
}

/// Under which names of the listener a page is given out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ListenerNames {
    /// Whatever the prober of a cloud or of Kubernetes calls it.
    Any,
    /// Its addresses, `localhost` and the operator's names: another site's page could read it otherwise.
    Ours,
}

/// Answers a request for one of them. `peer` says whether its name has to be one of ours: what comes over the
/// socket of a user of this machine is no page of a browser's.
pub(super) fn answer(
    request: &Request<RequestBody>,
    sources: &AdminSources,
    peer: Peer,
) -> Response<Full<Bytes>> {
    let at_path = || ROUTES.iter().filter(|route| route.path == request.uri().path());
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let found = at_path().find(|route| route.method == method);
    if found.is_none() && at_path().next().is_some() {
        return not_allowed(at_path());
    }
    let names = found.map_or(ListenerNames::Ours, |route| route.names);
    let anywhere = names == ListenerNames::Any || matches!(peer, Peer::LocalUser(_));
    if !anywhere && !mutant!(is_ours(request, &sources.hosts), "metrics-under-any-name" => true) {
        return misdirected();
    }
    let nowhere = || text(StatusCode::NOT_FOUND, "here are /healthz, /readyz and /metrics\n");
    found.map_or_else(nowhere, |route| (route.answer)(sources, request.headers()))
}

/// 405 with the methods of a path (RFC 9110, section 15.5.6).
fn not_allowed<'a>(routes: impl Iterator<Item = &'a AdminRoute>) -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n");
    for route in routes {
        let allowed = if route.method == Method::GET { "GET, HEAD" } else { route.method.as_str() };
        response.headers_mut().extend(HeaderValue::from_str(allowed).map(|value| (header::ALLOW, value)));
    }
    response
}

/// Whether the request names this listener by an address, as `localhost` or by a name of the operator's. A
/// page of another site whose name its owner has pointed here (DNS rebinding) calls it by that name.
pub(super) fn is_ours(request: &Request<RequestBody>, hosts: &[String]) -> bool {
    let asked = Authority::of(request.uri(), request.headers(), request.version());
    let Ok(asked) =
        asked.inspect_err(|error| tracing::warn!(%error, "a page of the admin listener was refused"))
    else {
        return false;
    };
    let host = asked.host();
    let ours = asked.is_address() || host == "localhost" || hosts.iter().any(|known| known == host);
    if !ours {
        tracing::warn!(
            host,
            "a page of the admin listener was asked for under this name and refused; where that is its name, add it \
             to `[admin] hosts`"
        );
    }
    ours
}

pub(super) fn misdirected() -> Response<Full<Bytes>> {
    let told = "this page is given out under an IP address, `localhost` or a name of the operator's alone\n";
    text(StatusCode::MISDIRECTED_REQUEST, told)
}

fn readiness(sources: &AdminSources, _: &HeaderMap) -> Response<Full<Bytes>> {
    let missing = (sources.readiness)();
    let fatal = missing.iter().any(|missing| missing.fatal);
    let status = if fatal { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let told = serde_json::json!({ "ready": !fatal, "missing": missing });
    typed(status, "application/json", format!("{told:#}\n"))
}

/// In the text that the reader asks for.
fn metrics(sources: &AdminSources, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let accept = headers.get_all(header::ACCEPT).iter().map(HeaderValue::as_bytes);
    let exposition = Exposition::asked_for(accept);
    let Ok(rendered) = sources.metrics.render(exposition) else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written\n");
    };
    let mut response = typed(StatusCode::OK, exposition.content_type(), rendered);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", body.to_owned())
}

fn typed(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::testing::sources;

    fn asked(method: Method, host: &str, path: &str) -> (u16, Option<String>) {
        let sources = sources(None);
        let mut request = Request::new(RequestBody::EMPTY);
        (*request.method_mut(), *request.uri_mut()) = (method, path.parse().unwrap());
        request.headers_mut().insert(header::HOST, host.parse().unwrap());
        let response = answer(&request, &sources, Peer::Network);
        let allowed = response.headers().get(header::ALLOW).map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), allowed)
    }

    #[test]
    fn each_page_is_given_out_to_whom_it_is_for_and_by_its_methods_alone() {
        for (method, host, path, status) in [
            (Method::GET, "127.0.0.1", "/healthz", 200),
            (Method::HEAD, "127.0.0.1", "/metrics", 200),
            (Method::GET, "anything.example", "/readyz", 200),
            (Method::GET, "ops.example", "/metrics", 200),
            (Method::GET, "evil.example", "/metrics", 421),
            (Method::GET, "localhost", "/nowhere", 404),
            (Method::GET, "evil.example", "/nowhere", 421),
            (Method::GET, "localhost", "/metrics/", 404),
            (Method::POST, "localhost", "/nowhere", 404),
        ] {
            assert_eq!(asked(method.clone(), host, path), (status, None), "{method} {host} {path}");
        }
        for (method, path) in
            [(Method::POST, "/healthz"), (Method::DELETE, "/metrics"), (Method::PUT, "/readyz")]
        {
            assert_eq!(asked(method, "localhost", path), (405, Some("GET, HEAD".to_owned())), "{path}");
        }
    }
}
