//! What happens to a permitted request.

use std::pin::pin;
use std::task::Context;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use http_body::Body as _;

use super::authorize::{Grounds, Permitted};
use super::body::Body;
use super::credential::{Credential, WhileGood};
use super::inbound::{Inbound, RequestInfo};
use super::record::Notes;
use super::rejection::Rejection;
use super::review::{Exchange, ExchangeEnd};
use super::route::Route;
use super::service::Action;
use super::settings::RedirectSettings;
use super::snapshot::Snapshot;
use super::spans::method_word;
use crate::authn::{self, Accepted, Authentication, Carrier};
use crate::console::Visit;
use crate::endpoints::{Answer, Application, Content};
use crate::events::Kind;
use crate::forward::{ForwardContext, SessionTokens, Upstream, UpstreamBody, forward};
use crate::listener::RequestBody;
use crate::route::PathPrefix;
use crate::session::StreamUse;
use crate::trace::{OpenSpan, SpanKind, span};

/// Forwards a permitted request, redirects it, or has the gateway itself serve it.
#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` holds its arguments twice, and every connection keeps room for this future"
)]
pub(super) fn dispatch(
    snapshot: &Snapshot,
    info: RequestInfo<'_>,
    notes: &mut Notes,
    permitted: &Permitted<'_>,
    mut request: Request<RequestBody>,
) -> impl Future<Output = Result<Response<Body>, Rejection>> + Send {
    async move {
        let route = permitted.route;
        match &route.service.action {
            Action::Forward(upstream, plan) => {
                let personal =
                    mutant!(permitted.permit.principal().is_some(), "answer-for-shared-caches" => false);
                let http2 = request.version() == Version::HTTP_2;
                begin(&mut notes.credential, &request);
                remove_basic(route, request.headers_mut());
                let mut span = upstream_span(upstream, &request);
                let below = span.id().zip(info.trace).map(|(id, trace)| trace.below(id));
                let info = RequestInfo { trace: below.as_ref().or(info.trace), ..info };
                let context = forward_context(snapshot, info, permitted);
                let mut response = {
                    let (credential, mut ending) = (&notes.credential, None);
                    let ended = |cx: &mut Context<'_>| {
                        let ending = ending.get_or_insert_with(|| ExchangeEnd::of(route, credential));
                        ending.poll(cx, credential, exchange(permitted))
                    };
                    // Pinned where it is made, so that it is not moved: it is large.
                    let answer = pin!(forward(upstream, plan, &permitted.permit, context, request));
                    let answered = WhileGood::new(credential, answer, ended).await;
                    answered.inspect_err(|_: &Rejection| span.failed("upstream"))?
                };
                span.attribute("http.response.status_code", || response.status().as_u16());
                drop(span);
                notes.upstream = snapshot.keeper.recorder.wants(Kind::AccessGranted).then(Instant::now);
                if personal && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                    let by = permitted.grounds.authentication.carrier();
                    keep_from_shared_caches(by, response.headers_mut());
                }
                Ok(forwarded(notes, route, http2, response))
            }
            Action::Redirect(redirect) => redirected(redirect, route, permitted.inbound, &request),
            // Boxed: what the gateway serves is rare and large, and every request carries the room for its future.
            Action::Serve(application, mount) => {
                let session = notes.shown.map_or(0, |shown| shown.session);
                let answer = serve(snapshot, info, (permitted, session), (*application, mount), request);
                served(Box::pin(answer).await?, notes, route)
            }
            Action::Endpoint(endpoint) => {
                let look = snapshot.looks.of(request.headers().get(header::ACCEPT_LANGUAGE));
                let answer = snapshot.endpoints.answer(*endpoint, info.context(&route.realm, look), request);
                served(Box::pin(answer).await, notes, route)
            }
        }
    }
}

/// The span of what the app does until its answer begins. Which of several servers gets the request is not known here.
fn upstream_span(upstream: &Upstream, request: &Request<RequestBody>) -> OpenSpan {
    let mut span = span("upstream", SpanKind::Client);
    if span.id().is_some() {
        span.attribute("http.request.method", || method_word(request.method()));
        if let [only] = upstream.state().as_slice() {
            span.attribute("server.address", || only.server.to_string());
        }
    }
    span
}

/// What an application of ours answers.
async fn serve(
    snapshot: &Snapshot,
    info: RequestInfo<'_>,
    (permitted, session): (&Permitted<'_>, u64),
    (application, mount): (Application, &PathPrefix),
    request: Request<RequestBody>,
) -> Result<Answer, Rejection> {
    let look = snapshot.looks.of(request.headers().get(header::ACCEPT_LANGUAGE));
    let (person, context) = (permitted.permit.principal(), info.context(&permitted.route.realm, look));
    match (application, person) {
        (Application::Portal, person) => {
            let asked = (request.headers(), request.uri());
            Ok(snapshot.endpoints.portal(mount, person, context, asked).await)
        }
        (Application::Console, Some(person)) => {
            let role = snapshot.roles.of(permitted, snapshot.clock.now())?;
            Ok(snapshot.console.answer(Visit { mount, person, role, session, context }, request).await)
        }
        // No such route loads (invariant 1).
        (Application::Console, None) => Err(Rejection::UnknownPath),
    }
}

/// The exchange while its app has not answered.
const fn exchange<'a>(permitted: &'a Permitted<'_>) -> Exchange<'a> {
    let Permitted { inbound, route, grounds, .. } = permitted;
    Exchange { inbound, route, grounds, upgraded: false }
}

/// While the client sends a body, its session counts as used. A gRPC exchange has no end of its own, so that the
/// expiry of its token ends it at once.
fn begin(credential: &mut Credential, request: &Request<RequestBody>) {
    if credential.is_none() || request.body().is_end_stream() {
        return;
    }
    credential.set_use(mutant!(StreamUse::Used, "upload-is-no-use" => StreamUse::Unused));
    if is_grpc(request.headers()) {
        credential.strict();
    }
}

/// Where the route takes Basic as a credential for the gateway, its app is sent none, whether it was good or not.
fn remove_basic(route: &Route, headers: &mut HeaderMap) {
    if mutant!(route.accept.has(Accepted::Basic) && authn::names_basic(headers), "basic-reaches-the-app" => false)
    {
        headers.remove(header::AUTHORIZATION);
    }
}

fn forward_context<'a>(
    snapshot: &'a Snapshot,
    info: RequestInfo<'a>,
    permitted: &'a Permitted<'_>,
) -> ForwardContext<'a> {
    let Grounds { authentication, destination, .. } = &permitted.grounds;
    let carrier = authentication.carrier();
    ForwardContext {
        transport: info.transport,
        forwarding: &permitted.inbound.forwarding,
        authority: &permitted.inbound.authority,
        path: &permitted.inbound.path,
        request_id: info.id,
        trace: info.trace,
        bearer: matches!(carrier, Some(Carrier::Bearer)),
        // An app that is handed tokens finds a bearer token in the request itself, but not one that another field
        // brought.
        brought: carrier.filter(|_| permitted.route.passes_token).and_then(Carrier::brought),
        tokens: session_tokens(authentication),
        own_cookies: snapshot.endpoints.cookies(),
        asserter: Some(&snapshot.asserter),
        audience: permitted.inbound.authority.host(),
        destination: destination.as_ref().map(|destination| &destination.path),
    }
}

fn session_tokens(authentication: &Authentication) -> SessionTokens<'_> {
    authentication.tokens().map_or_else(SessionTokens::default, |tokens| SessionTokens {
        access: tokens.access.as_ref(),
        id: tokens.id.as_ref(),
    })
}

/// The upstream's response as it goes out. From here on the route says whether the exchange is use of its session;
/// and what has no end of its own ends with its token.
fn forwarded(
    notes: &mut Notes,
    route: &Route,
    http2: bool,
    response: Response<UpstreamBody>,
) -> Response<Body> {
    notes.credential.set_use(route.streams);
    let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    notes.endless = switched || is_endless(response.headers());
    if mutant!(notes.endless && !notes.credential.is_none(), "event-stream-outlives-its-token" => false) {
        notes.credential.strict();
    }
    let grpc = http2 && is_grpc(response.headers());
    response.map(|content| Body::upstream(content).for_grpc(grpc))
}

const GRPC: &str = "application/grpc";

/// Whether a body with these fields is one that goes on without an end of its own: the expiry of its token ends it.
fn is_endless(headers: &HeaderMap) -> bool {
    is_of(headers, &[GRPC, "text/event-stream"])
}

fn is_grpc(headers: &HeaderMap) -> bool {
    is_of(headers, &[GRPC])
}

/// Whether the content's type begins like one of these; `application/grpc` is also `application/grpc+proto`.
fn is_of(headers: &HeaderMap, kinds: &[&str]) -> bool {
    let given = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let begins =
        |kind: &&str| given.get(..kind.len()).is_some_and(|it| it.eq_ignore_ascii_case(kind.as_bytes()));
    kinds.iter().any(begins)
}

/// A cache in front of the gateway may keep what does not say whose it is, and give it to anybody (invariant 17; RFC
/// 9111, sections 3 and 4.2.2): the app need not know that it is protected, and no cache knows a session's cookie for a
/// credential. Nor does one know `X-Portcullis-Authorization` (section 3.5), so that behind it nothing is public.
fn keep_from_shared_caches(by: Option<&Carrier>, headers: &mut HeaderMap) {
    let beside = mutant!(matches!(by, Some(Carrier::Beside(_))), "answer-beside-is-public" => false);
    let private = beside.then(|| made_private(headers)).flatten();
    if let Some(private) = private {
        headers.insert(header::CACHE_CONTROL, private);
        FOR_SHARED_CACHES.iter().for_each(|name| drop(headers.remove(*name)));
    } else if !says_whose_it_is(headers) {
        headers.append(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}

/// Whether the app says something of shared caches: then its word counts.
fn says_whose_it_is(headers: &HeaderMap) -> bool {
    let known = ["public", "private", "no-store", "s-maxage"];
    directives(headers).any(|word| known.iter().any(|known| is_called(word, known)))
}

/// What is said of caches, on however many lines (RFC 9111, section 5.2).
fn directives(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn is_called(word: &str, name: &str) -> bool {
    word.split('=').next().unwrap_or_default().trim().eq_ignore_ascii_case(name)
}

/// What caches in front of the gateway obey before `Cache-Control` (RFC 9213, and what nginx and CDNs have of their own).
const FOR_SHARED_CACHES: [&str; 5] = [
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "surrogate-control",
    "x-accel-expires",
    "edge-control",
];

/// What the app says, without the words that let shared caches keep it.
fn made_private(headers: &HeaderMap) -> Option<HeaderValue> {
    let kept = directives(headers).filter(|word| !lets_share(word));
    HeaderValue::try_from(kept.fold(String::from("private"), |all, word| all + ", " + word)).ok()
}

/// A directive that lets shared caches keep an answer, or that need not be repeated: `made_private` begins with
/// `private`.
fn lets_share(word: &str) -> bool {
    word.is_empty() || ["private", "public", "s-maxage"].iter().any(|shared| is_called(word, shared))
}

/// Where the gate asks nobody who they are, what was served may know. What goes on is an app's stream in all but its source:
/// it ends with its credential, and it is use of its session where the route says so.
fn served(answer: Answer, notes: &mut Notes, route: &Route) -> Result<Response<Body>, Rejection> {
    notes.principal = answer.principal.or_else(|| notes.principal.take());
    Ok(answer.response?.map(|content| match content {
        Content::Whole(bytes) => Body::ours(bytes),
        Content::Stream(stream) => {
            notes.credential.set_use(route.streams);
            notes.credential.strict();
            Body::stream(stream)
        }
    }))
}

fn redirected<B>(
    redirect: &RedirectSettings,
    route: &Route,
    inbound: &Inbound,
    request: &Request<B>,
) -> Result<Response<Body>, Rejection> {
    let location = HeaderValue::try_from(location(redirect, inbound, request));
    let location =
        location.map_err(|_| Rejection::Internal("a redirect to an address that cannot be written"))?;
    let mut response = Response::new(Body::ours(""));
    *response.status_mut() = redirect.status;
    response.headers_mut().insert(header::LOCATION, location);
    if mutant!(!route.access.is_public(), "redirect-for-shared-caches" => false) {
        // 301 and 308 are kept by any cache that is not told otherwise (RFC 9110, section 15.4).
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

fn location<B>(redirect: &RedirectSettings, inbound: &Inbound, request: &Request<B>) -> String {
    let scheme = redirect.scheme.unwrap_or(inbound.forwarding.scheme);
    let asked = match redirect.scheme {
        // The port that was asked for belongs to the other scheme.
        Some(_) => {
            let port = redirect.port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}{port}", inbound.authority.host())
        }
        None => inbound.authority.to_string(),
    };
    let host = redirect.host.as_deref().unwrap_or(&asked);
    let path = redirect.path.as_deref().unwrap_or_else(|| inbound.path.raw());
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{host}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn invariant_17_what_the_app_says_nothing_of_is_for_its_reader_alone() {
        let kept_by = |by: Option<&Carrier>, said: Option<&'static str>| {
            let said = said.map(|said| (header::CACHE_CONTROL, HeaderValue::from_static(said)));
            let mut headers: HeaderMap = said.into_iter().collect();
            keep_from_shared_caches(by, &mut headers);
            let lines = headers.get_all(header::CACHE_CONTROL).iter().map(|line| line.to_str().unwrap());
            lines.collect::<Vec<_>>().join(", ")
        };
        let kept = |said| kept_by(None, said);
        for (said, expected) in [
            (None, "private"),
            (Some("public, max-age=60"), "private, max-age=60"),
            (Some("S-MaxAge=9,Public"), "private"),
            (Some("s-maxage =9, max-age=1"), "private, max-age=1"),
            (Some("no-store"), "private, no-store"),
            (Some("no-cache=\"a, b\", private"), "private, no-cache=\"a, b\""),
        ] {
            assert_eq!(kept_by(Some(&Carrier::Beside(Secret::new("token"))), said), expected, "{said:?}");
        }
        assert_eq!(kept(None), "private");
        for (said, expected) in [
            ("max-age=60", "max-age=60, private"),
            ("no-cache, publicity", "no-cache, publicity, private"),
            ("", ", private"),
        ] {
            assert_eq!(kept(Some(said)), expected, "no cache knows a session's cookie");
        }
        for said in
            ["public, max-age=60", "s-maxage = 9", "max-age=1,Private", "no-store", "private=\"set-cookie\""]
        {
            assert_eq!(kept(Some(said)), said, "the app's word counts");
        }
    }
}
