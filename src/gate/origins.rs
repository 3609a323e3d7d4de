//! What pages of other origins may do: preflights, refusals that scripts may read, and requests that a page of
//! another host makes a browser send (invariant 18).

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body::Body;

use super::authenticate::AuthenticatedRequest;
use super::authorize::RequestFields;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::routed::Routed;
use super::settings::{OriginSettings, Preflight, SentFrom};
use crate::authn::AmbientAuthority;
use crate::endpoints::is_here;
use crate::request::{could_be, single};

/// What scripts may read of a refusal beside its body: what is wrong, and when to try again.
const READABLE: HeaderValue = HeaderValue::from_static("WWW-Authenticate, Retry-After, X-Request-Id");

/// Fields that no preflight has. With one of them, a server could take the request for another method's, or for one
/// in somebody's name.
const NOT_OF_A_PREFLIGHT: [&str; 7] = [
    "authorization",
    "cookie",
    "transfer-encoding",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-portcullis-authorization",
];

/// The origin that may read what the gateway answers, where the request names one of the route's.
pub(super) fn reader(settings: &OriginSettings, headers: &HeaderMap) -> Option<HeaderValue> {
    if settings.readers.is_empty() {
        return None;
    }
    let origin = single(headers, &header::ORIGIN)?;
    settings.readers.iter().any(|reader| origin == reader.as_str()).then(|| origin.clone())
}

/// Lets scripts of `reader` read a refusal (Fetch, section 3.3.3). The answer depends on the origin, which `Vary`
/// tells caches.
pub(super) fn let_read(reader: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, reader);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READABLE);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

/// Whether this is a preflight that the app answers itself (Fetch, section 3.3.2). It carries no credential, so
/// nobody could be judged; whatever carries one, a body or another method in its fields is no preflight.
pub(super) fn is_passed_preflight<B: Body>(settings: &OriginSettings, request: &Request<B>) -> bool {
    let headers = request.headers();
    settings.preflight == Preflight::Pass
        && mutant!(*request.method() == Method::OPTIONS, "get-as-preflight" => true)
        && single(headers, &header::ORIGIN).is_some()
        && single(headers, &header::ACCESS_CONTROL_REQUEST_METHOD).is_some()
        && mutant!(request.body().is_end_stream(), "preflight-with-a-body" => true)
        && mutant!(!headers.keys().any(is_not_of_a_preflight), "preflight-with-credentials" => true)
}

/// By any name that a server could take for one of these: CGI and WSGI read `_` as `-`.
fn is_not_of_a_preflight(name: &HeaderName) -> bool {
    NOT_OF_A_PREFLIGHT.iter().any(|not| could_be(name, not))
}

/// Refuses what changes something, and WebSockets, where a page of another host made the browser send it. Browsers
/// send cookies along for every host of the same site, and let any page open a WebSocket. They send Basic along
/// from everywhere, so that it is guarded on every route. A bearer token they never send of their own accord.
pub(super) fn check<S>(
    asked: &AuthenticatedRequest<'_, S>,
    fields: RequestFields<'_>,
) -> Result<Sender, Rejection> {
    let Routed { inbound, route, .. } = asked.routed;
    let guarded = match asked.authentication.ambient() {
        AmbientAuthority::No => false,
        AmbientAuthority::SameSite => {
            mutant!(route.origins.sent_from == SentFrom::SameHost, "page-of-a-sibling" => false)
        }
        AmbientAuthority::AnySite => mutant!(true, "basic-from-any-page" => false),
    };
    if !guarded || !is_effective(inbound, fields) {
        return Ok(Sender::Unasked);
    }
    let sender = match fields {
        RequestFields::Sent(headers) => Sender::read(inbound, headers),
        RequestFields::Remembered { grounds, .. } => grounds.sender.clone(),
    };
    if sender.is_let_in(&route.origins) { Ok(sender) } else { Err(Rejection::CrossSite) }
}

/// Whether it may change something (RFC 9110, section 9.2.1), or opens a stream both ways.
fn is_effective(inbound: &Inbound, fields: RequestFields<'_>) -> bool {
    let upgrades = match fields {
        RequestFields::Sent(headers) => headers.contains_key(header::UPGRADE),
        RequestFields::Remembered { upgraded, .. } => upgraded,
    };
    !inbound.method.is_safe() || mutant!(upgrades, "websocket-of-a-sibling" => false)
}

/// Whose page made a browser send a request, as far as anybody asked.
#[derive(Clone, Debug)]
pub(super) enum Sender {
    /// Nobody asked when it came.
    Unasked,
    /// A page of this very host, or no browser: such a client sends neither `Origin` nor `Sec-Fetch-Site`.
    Here,
    /// One of this origin.
    Elsewhere(HeaderValue),
    /// One that the browser does not name.
    Unknown,
    /// It is a preflight that the app answers itself.
    Preflight,
}

impl Sender {
    fn read(inbound: &Inbound, headers: &HeaderMap) -> Self {
        if !headers.contains_key(header::ORIGIN) {
            let mut sites = headers.get_all(HeaderName::from_static("sec-fetch-site")).iter();
            let here = sites.all(|site| site == "same-origin" || site == "none");
            return if here { Self::Here } else { Self::Unknown };
        }
        let Some(origin) = single(headers, &header::ORIGIN) else { return Self::Unknown };
        let here = |origin| is_here(&inbound.authority, inbound.forwarding.scheme, origin);
        if origin.to_str().is_ok_and(here) { Self::Here } else { Self::Elsewhere(origin.clone()) }
    }

    /// Whether its page may: one of the very host, or of an origin that the route names.
    fn is_let_in(&self, settings: &OriginSettings) -> bool {
        match self {
            Self::Here => true,
            Self::Elsewhere(origin) => settings.readers.iter().any(|reader| origin == reader.as_str()),
            Self::Unasked | Self::Unknown | Self::Preflight => false,
        }
    }
}

/// Whether it is a preflight that the route's app answers itself, as it was when it came.
pub(super) fn is_passed(settings: &OriginSettings, sender: &Sender) -> bool {
    matches!(sender, Sender::Preflight) && settings.preflight == Preflight::Pass
}
