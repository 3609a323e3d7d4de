//! What a route of the configuration can serve.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, Method, Uri};

use super::answer::Answer;
use super::context::RequestContext;
use super::error::EndpointError;
use super::home;
use super::state::Endpoints;
use crate::identity::Principal;
use crate::request::RequestPath;
use crate::route::PathPrefix;

/// What a route serves where it neither forwards nor redirects. It stands at the route's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// Leads people to their apps: one page, which knows the others below `/.portcullis`.
    Portal,
    /// Shows whom `[console]` lets in what the gateway does, and has operators act on it.
    Console,
}

impl Application {
    /// The methods that it answers; all others are the router's to refuse.
    #[must_use]
    pub const fn methods(self) -> &'static [Method] {
        match self {
            Self::Portal => &[Method::GET, Method::HEAD],
            Self::Console => &[Method::GET, Method::HEAD, Method::POST],
        }
    }

    /// Whether it has anything at `path`, where its route is for `mount`.
    #[must_use]
    pub fn is_at(self, mount: &PathPrefix, path: &RequestPath) -> bool {
        match self {
            Self::Portal => mount.is_exactly(path.decoded()),
            // Which pages it has below its path it says itself.
            Self::Console => true,
        }
    }
}

/// The word of the configuration for it.
impl fmt::Display for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portal => "portal",
            Self::Console => "console",
        })
    }
}

impl Endpoints {
    /// Answers a request to the route of a portal for `mount`, which lets in `principal`; nobody is known on a public
    /// route.
    pub async fn portal(
        &self,
        mount: &PathPrefix,
        principal: Option<&Arc<Principal>>,
        context: RequestContext<'_>,
        (headers, uri): (&HeaderMap, &Uri),
    ) -> Answer {
        if !Application::Portal.is_at(mount, context.path) {
            return EndpointError::NotFound.into();
        }
        match principal {
            Some(principal) => home::of(self, context, principal, uri),
            None => home::answer(self, context, (headers, uri)).await,
        }
    }
}
