//! Where the gateway's own endpoints meet its routes: their rows, what they ask of all the others, and what their
//! errors are to the gate.

use std::sync::Arc;

use http::{Method, StatusCode};

use super::foundations::Foundations;
use super::limits::Limits;
use super::rejection::Rejection;
use super::route::{Action, Route};
use super::settings::RedirectSettings;
use crate::authn::Accepted;
use crate::endpoints::{Application, EndpointError, PublicUrl, Routes};
use crate::identity::{Principal, RouteName};
use crate::limit::LimitSettings;
use crate::policy::{Question, Verdict, explain};
use crate::request::{Authority, ClientAddress, RequestPath, Scheme};
use crate::route::{HostPattern, PathPrefix, RoutePattern, RouteTable};

/// The table of the endpoints: the same on every host.
///
/// They share their limits, but for the keys: apps fetch those, many of them from one address.
pub(super) fn compile(
    foundations: &Foundations,
    limits: &[LimitSettings],
    before: Option<&RouteTable<Arc<Route>>>,
) -> RouteTable<Arc<Route>> {
    let stats = foundations.metrics.route(&RouteName::new("portcullis"), foundations.workers);
    let former = before
        .and_then(|table| table.iter().map(|(_, route)| &route.limits).find(|limits| !limits.is_empty()));
    let limited = Limits::new(limits, former);
    let row = |(application, path, methods): (Application, &str, &[Method])| {
        let path: PathPrefix = path.parse().ok()?;
        let pattern = RoutePattern { host: HostPattern::Any, path, methods: methods.to_vec() };
        let limits = if application == Application::Keys { Limits::default() } else { limited.clone() };
        Some((pattern, Arc::new(Route::serving(application, Arc::clone(&stats), limits))))
    };
    RouteTable::build(Application::ENDPOINTS.into_iter().filter_map(row).collect()).unwrap_or_default()
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

impl Routes for RouteTable<Arc<Route>> {
    fn vouch_for(&self, authority: &Authority, scheme: Scheme, unwritten: u16) -> bool {
        self.vouches_for(authority, scheme, unwritten)
    }

    fn pass_tokens(&self) -> bool {
        self.iter().any(|(_, route)| route.passes_token())
    }

    fn open_to<'a>(
        &'a self,
        principal: &'a Arc<Principal>,
        client: ClientAddress,
    ) -> Box<dyn Iterator<Item = &'a RoutePattern> + 'a> {
        let open =
            move |(pattern, route): &(&RoutePattern, &Arc<Route>)| is_open(pattern, route, principal, client);
        Box::new(self.iter().filter(open).map(|(pattern, _)| pattern))
    }
}

fn is_open(pattern: &RoutePattern, route: &Route, principal: &Arc<Principal>, client: ClientAddress) -> bool {
    let Ok(path) = RequestPath::parse(&pattern.path.to_string()) else { return false };
    let question = Question { principal: Some(principal), method: &Method::GET, path: &path, client };
    let people = route.accept.has(Accepted::Session) && matches!(route.action, Action::Forward(..));
    people && explain(&route.access, &question).verdict == Verdict::Permitted
}

impl From<EndpointError> for Rejection {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::NotFound => Self::UnknownPath,
            EndpointError::CrossSite => Self::CrossSite,
            EndpointError::SignInFailed(failed) => Self::SignInFailed(failed),
            EndpointError::LostSignIn(lost) => Self::LostSignIn(lost),
            EndpointError::ProviderUnavailable(away) => Self::SignInUnavailable(away),
            EndpointError::StoreUnavailable(reason) => Self::StoreUnavailable(reason),
            EndpointError::Internal(reason) => Self::Internal(reason),
        }
    }
}
