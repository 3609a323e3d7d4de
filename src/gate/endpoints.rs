//! What the gateway's own endpoints ask of all other routes, and what their errors are to the gate.

use std::sync::Arc;

use http::Method;

use super::rejection::Rejection;
use super::route::Route;
use super::service::Action;
use crate::authn::Accepted;
use crate::clock::Timestamp;
use crate::endpoints::{Application, EndpointError, Routes};
use crate::identity::Principal;
use crate::policy::{Question, Verdict, explain};
use crate::request::{Authority, ClientAddress, RequestPath, Scheme};
use crate::route::{RoutePattern, RouteTable};

impl Routes for RouteTable<Arc<Route>> {
    fn vouch_for(&self, authority: &Authority, scheme: Scheme, unwritten: u16) -> bool {
        self.vouches_for(authority, scheme, unwritten)
    }

    fn pass_tokens(&self) -> bool {
        self.iter().any(|(_, route)| route.passes_token)
    }

    fn open_to<'a>(
        &'a self,
        principal: &'a Arc<Principal>,
        client: ClientAddress,
        now: Timestamp,
    ) -> Box<dyn Iterator<Item = &'a RoutePattern> + 'a> {
        let rows = self.iter().filter(|(_, route)| is_for_people(route));
        let open = rows.filter(move |(pattern, route)| is_open(pattern, route, principal, client, now));
        Box::new(open.map(|(pattern, _)| pattern))
    }
}

fn is_for_people(route: &Route) -> bool {
    route.accept.has(Accepted::Session) && is_app(&route.service.action)
}

/// Open at once, or after a stronger sign-in.
fn is_open(
    pattern: &RoutePattern,
    route: &Route,
    principal: &Arc<Principal>,
    client: ClientAddress,
    now: Timestamp,
) -> bool {
    let Ok(path) = RequestPath::parse(&pattern.path.to_string()) else { return false };
    // Whether the session is bound is asked when it comes there.
    let (method, bound) = (&Method::GET, Some(true));
    let question = Question { principal: Some(principal), method, path: &path, client, now, bound };
    matches!(explain(&route.access, &question).verdict, Verdict::Permitted | Verdict::StepUp)
}

/// Whether people are led to it. The page that leads there is none of the apps.
const fn is_app(action: &Action) -> bool {
    match action {
        Action::Forward(..) => true,
        Action::Redirect(_)
        | Action::Serve(Application::Portal | Application::Console, _)
        | Action::Endpoint(_) => false,
    }
}

impl From<EndpointError> for Rejection {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::NotFound => Self::UnknownPath,
            EndpointError::CrossSite => Self::CrossSite,
            EndpointError::SignInFailed(failed) => Self::SignInFailed(failed),
            EndpointError::UnmetStepUp(unmet) => Self::UnmetStepUp(unmet),
            EndpointError::LostSignIn(lost) => Self::LostSignIn(lost),
            EndpointError::ProviderUnavailable(away) => Self::SignInUnavailable(away),
            EndpointError::StoreUnavailable(reason) => Self::StoreUnavailable(reason),
            EndpointError::Internal(reason) => Self::Internal(reason),
        }
    }
}
