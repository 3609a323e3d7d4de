//! The gateway's own endpoints, below `/.portcullis`.

mod callback;
mod home;
mod keep_address;
mod lost;
mod resume;
mod sign_in;
mod sign_in_request;
mod sign_out;
mod ticket;

use std::borrow::Cow;
use std::sync::Arc;

use crate::listener::RequestBody;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use url::form_urlencoded;

use super::body::Body;
use super::foundations::Foundations;
use super::origins::is_here;
use super::record::RequestRecord;
use super::rejection::Rejection;
use super::route::{Action, Limits, Route};
use super::settings::RedirectSettings;
use super::snapshot::{PublicUrl, Snapshot};
use crate::authn::Authentication;
use crate::identity::RouteName;
use crate::limit::LimitSettings;
use crate::request::{RequestPath, Scheme, single};
use crate::route::{HostPattern, PathPrefix, RoutePattern, RouteTable};

pub(super) use sign_in::{others, resume_address, start_sign_in, switch_address};
pub(super) use sign_in_request::SignInRequest;

/// Below this path everything is the gateway's.
const ROOT: &str = "/.portcullis";
/// Where people see who they are.
pub(super) const HOME: &str = ROOT;
const HOME_WITH_SLASH: &str = "/.portcullis/";
/// The redirect URI's path.
pub(super) const CALLBACK: &str = "/.portcullis/callback";
/// Where sign-ins begin.
pub(super) const SIGN_IN: &str = "/.portcullis/sign-in";
/// Where apps' hosts take their sessions in.
const TICKET: &str = "/.portcullis/ticket";
const SIGN_OUT: &str = "/.portcullis/sign-out";
const SIGNED_OUT: &str = "/.portcullis/signed-out";
const RESUME: &str = crate::pages::RESUME;
const KEYS: &str = "/.portcullis/jwks.json";

/// What the gateway answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Who is signed in here; and everything below that is nothing.
    Home,
    /// Begins a sign-in, or lets the person choose a provider.
    SignIn,
    /// Where providers send people back to (`redirect_uri`).
    Callback,
    /// Where an app's host gets its session from the sign-in host's.
    Ticket,
    /// Ends the session.
    SignOut,
    /// Where providers send people after signing them out.
    SignedOut,
    /// Where a form goes on that was kept while its sender signed in.
    Resume,
    /// The keys that assertions are verified with (RFC 7517).
    Keys,
}

impl Endpoint {
    /// Every endpoint with its path and methods.
    const ALL: [(Self, &'static str, &'static [Method]); 8] = [
        (Self::Home, ROOT, &[Method::GET, Method::HEAD]),
        (Self::SignIn, SIGN_IN, &[Method::GET, Method::POST]),
        (Self::Callback, CALLBACK, &[Method::GET, Method::POST]),
        (Self::Ticket, TICKET, &[Method::GET]),
        (Self::SignOut, SIGN_OUT, &[Method::GET, Method::POST]),
        (Self::SignedOut, SIGNED_OUT, &[Method::GET]),
        (Self::Resume, RESUME, &[Method::GET, Method::POST]),
        (Self::Keys, KEYS, &[Method::GET, Method::HEAD]),
    ];

    fn path(self) -> &'static str {
        Self::ALL.iter().find(|(endpoint, ..)| *endpoint == self).map_or(ROOT, |(_, path, _)| path)
    }

    /// Whether it is served on every host, or on that of `public_url` alone: there is one redirect URI
    /// (decision 5).
    const fn is_everywhere(self) -> bool {
        !matches!(self, Self::Callback | Self::SignedOut)
    }

    /// Answers `request`.
    pub(super) async fn answer(
        self,
        snapshot: &Snapshot,
        record: &mut RequestRecord,
        request: Request<RequestBody>,
    ) -> Result<Response<Body>, Rejection> {
        let here = self.is_everywhere()
            || mutant!(record.is_on_public_host(snapshot), "callback-on-every-host" => true);
        let path = record.inbound()?.path.decoded();
        let front = self == Self::Home && (path == "/" || path == HOME_WITH_SLASH);
        if !here || (path != self.path() && !front) {
            return Err(Rejection::UnknownPath);
        }
        match self {
            Self::Home => home::answer(snapshot, record, request.headers()).await,
            Self::SignIn => sign_in::answer(snapshot, record, request).await,
            Self::Callback => callback::answer(snapshot, record, request).await,
            Self::Ticket => ticket::answer(snapshot, record, request).await,
            Self::SignOut => sign_out::answer(snapshot, record, request).await,
            Self::SignedOut => sign_out::back(snapshot, &request),
            Self::Resume => resume::answer(snapshot, record, request).await,
            Self::Keys => Ok(keys(snapshot)),
        }
    }
}

/// Whether a path, decoded, is the gateway's.
pub(super) fn holds(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether it is the front page of a host: where no route claims it, `public_url` itself shows the person's page.
pub(super) fn is_front(path: &RequestPath, method: &Method) -> bool {
    path.decoded() == "/" && matches!(*method, Method::GET | Method::HEAD)
}

/// The table of the endpoints: the same on every host.
///
/// They share their limits, but for the keys: apps fetch those, many of them from one address.
pub(super) fn compile(
    foundations: &Foundations,
    limits: &[LimitSettings],
    before: Option<&RouteTable<Arc<Route>>>,
) -> RouteTable<Arc<Route>> {
    let stats = foundations.metrics.route(&RouteName::new("portcullis"), foundations.workers);
    let former =
        before.and_then(|table| table.iter().map(|(_, route)| route).find(|route| route.is_limited()));
    let limited = Limits::new(limits, former.map(|route| &**route));
    let row = |(endpoint, path, methods): (Endpoint, &str, &[Method])| {
        let path: PathPrefix = path.parse().ok()?;
        let pattern = RoutePattern { host: HostPattern::Any, path, methods: methods.to_vec() };
        let limits = if endpoint == Endpoint::Keys { Limits::default() } else { limited.clone() };
        Some((pattern, Arc::new(Route::own(endpoint, Arc::clone(&stats), limits))))
    };
    RouteTable::build(Endpoint::ALL.into_iter().filter_map(row).collect()).unwrap_or_default()
}

/// The answer to everything on a listener that is there for addresses without `https` (308: the method stays).
pub(super) fn to_https(foundations: &Foundations, public: Option<&PublicUrl>) -> Route {
    let stats = foundations.metrics.route(&RouteName::new("to-https"), foundations.workers);
    let port = public.and_then(|public| public.url.port());
    let redirect = RedirectSettings {
        scheme: Some(Scheme::Https),
        host: None,
        port,
        path: None,
        status: StatusCode::PERMANENT_REDIRECT,
    };
    Route::ours(Action::Redirect(redirect), stats)
}

/// The page where a person sees who they are and which apps are open to them, from any host.
pub(super) fn home_address(snapshot: &Snapshot) -> String {
    snapshot.public.as_ref().map_or_else(|| ROOT.to_owned(), |public| public.endpoint(ROOT).into())
}

/// The parameters of a query.
fn parameters(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

/// Lets a form through that a page of this very origin sent, and no other site's (invariant 18): browsers
/// say where a form comes from, and a request without that word is not one of theirs.
fn same_origin(record: &RequestRecord, headers: &HeaderMap) -> Result<(), Rejection> {
    let inbound = record.inbound()?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let by_fetch = text("sec-fetch-site")
        .map(|site| mutant!(site == "same-origin", "form-of-a-sibling" => site != "cross-site"));
    let by_origin = || Some(is_here(inbound, single(headers, &header::ORIGIN)?.to_str().ok()?));
    let same = by_fetch.or_else(by_origin).unwrap_or(mutant!(false, "form-without-origin" => true));
    same.then_some(()).ok_or(Rejection::CrossSite)
}

/// The session of a browser at this host.
async fn session(
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    headers: &HeaderMap,
) -> Result<Authentication, Rejection> {
    let found = snapshot.authenticator.session(record.inbound()?.authority.host(), headers).await?;
    record.principal = found.principal().map(Arc::clone);
    Ok(found)
}

fn keys(snapshot: &Snapshot) -> Response<Body> {
    let mut response = Response::new(Body::ours(snapshot.foundations.asserter.jwks()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
