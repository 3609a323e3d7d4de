//! The cookies that the gateway sets, and that are no app's business.

use http::HeaderValue;

use super::handover::HandoverCookies;
use super::resources::Resources;
use crate::forward::OwnCookies;
use crate::oidc::FlowCookies;
use crate::session::{BindingScope, BoundCookie, SessionCookie};

/// The cookies of one configuration.
#[derive(Debug)]
pub struct Cookies {
    /// The key of a session.
    pub(super) session: SessionCookie,
    /// What shows the device of a bound session.
    pub(super) bound: BoundCookie,
    /// Sign-ins in flight.
    pub(super) flows: FlowCookies,
    /// Secrets that stay behind on an app's host.
    pub(super) handover: HandoverCookies,
}

impl Cookies {
    /// `https`: whether people reach the sign-in host over TLS; `host`: that host, without port.
    #[must_use]
    pub fn new(
        session: SessionCookie,
        bound: BoundCookie,
        https: bool,
        host: &str,
        resources: &Resources,
    ) -> Self {
        let flows = FlowCookies::new(resources.keys.flow.clone(), https, host, resources.clock.clone());
        Self { session, bound, flows, handover: HandoverCookies { https } }
    }

    /// `Set-Cookie` that takes a bound cookie away that shows nothing: its browser then shows the device anew.
    #[must_use]
    pub fn clear_bound(&self, scope: &BindingScope) -> HeaderValue {
        self.bound.clear_of(scope)
    }
}

impl OwnCookies for Cookies {
    fn owns(&self, name: &str) -> bool {
        name == self.session.name()
            || mutant!(self.bound.owns(name), "app-sees-the-bound-cookie" => false)
            || mutant!(self.flows.owns(name), "app-sees-a-flow" => false)
            || mutant!(self.handover.owns(name), "app-sees-a-handover-secret" => false)
    }
}
