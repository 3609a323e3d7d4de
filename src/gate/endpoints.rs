//! What the gateway's own endpoints ask of all other routes, and what their errors are to the gate.

use std::fmt;
use std::sync::Arc;

use http::Method;

use super::rejection::Rejection;
use super::route::Route;
use super::settings::{RouteAction, RouteSettings};
use crate::authn::Accepted;
use crate::clock::Timestamp;
use crate::endpoints::{Application, EndpointError, Routes};
use crate::identity::Principal;
use crate::policy::{Access, Decision, Question, decide};
use crate::portal::{Tile, written};
use crate::request::{Authority, ClientAddress, RequestPath, Scheme};
use crate::route::{RoutePattern, RouteTable};

impl<S: fmt::Debug + Send + Sync> Routes for RouteTable<Arc<Route<S>>> {
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
    ) -> Box<dyn Iterator<Item = (&'a RoutePattern, &'a Tile)> + 'a> {
        let rows = self.iter().filter_map(move |(pattern, route)| {
            let front = route.front.as_ref()?;
            front.is_open(&route.access, principal, client, now).then_some((pattern, &front.tile))
        });
        Box::new(rows)
    }
}

/// Where people enter an app that they are led to.
#[derive(Debug)]
pub(super) struct Front {
    tile: Tile,
    path: RequestPath,
}

impl Front {
    /// That of a route; none where it leads to no app of people's. The page that leads there is none of the apps.
    pub(super) fn compile(settings: &RouteSettings) -> Option<Self> {
        let is_app = match settings.action {
            RouteAction::Forward { .. } => settings.accept.has(Accepted::Session),
            RouteAction::Redirect(_) | RouteAction::Serve(Application::Portal | Application::Console) => {
                false
            }
        };
        Self::at(&settings.pattern, settings.tile.as_ref().filter(|_| is_app)?)
    }

    /// None where nobody can look at it by its address.
    fn at(pattern: &RoutePattern, tile: &Tile) -> Option<Self> {
        let is_looked_at = pattern.methods.is_empty() || pattern.methods.contains(&Method::GET);
        let path = RequestPath::parse(&written(&pattern.path)).ok().filter(|_| is_looked_at)?;
        Some(Self { tile: tile.clone(), path })
    }

    /// Open at once, or after a stronger sign-in.
    fn is_open(
        &self,
        access: &Access,
        principal: &Arc<Principal>,
        client: ClientAddress,
        now: Timestamp,
    ) -> bool {
        // Whether the session is bound is asked when it comes there.
        let (method, bound) = (&Method::GET, Some(true));
        let question = Question { principal: Some(principal), method, path: &self.path, client, now, bound };
        let open = matches!(decide(access, &question), Decision::Permit(_) | Decision::StepUp(..));
        mutant!(open, "portal-shows-closed-apps" => true)
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

#[cfg(test)]
mod tests;
