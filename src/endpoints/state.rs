//! What the endpoints are built from, and what they share.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Response};

use super::context::RequestContext;
use super::error::EndpointError;
use super::handover::HandoverCookies;
use super::hosts::Hosts;
use super::tickets::Tickets;
use super::used_states::UsedStates;
use crate::authn::{Authentication, Authenticator};
use crate::clock::Clock;
use crate::forward::{Asserter, OwnCookies};
use crate::identity::ProviderName;
use crate::oidc::{FlowCookies, Providers};
use crate::secret::SealingKey;
use crate::session::{SessionCookie, Sessions};
use crate::telemetry::Metrics;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// The endpoints of one configuration.
#[derive(Debug)]
pub struct Endpoints {
    /// What outlives this configuration.
    pub(super) resources: Arc<Resources>,
    /// The hosts that are ours.
    pub hosts: Hosts,
    pub(super) providers: Providers,
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) cookies: Cookies,
    /// What a browser is told to forget at sign-out (`Clear-Site-Data`).
    site_data: Option<HeaderValue>,
}

/// What the endpoints use and a reload keeps.
#[derive(Debug)]
pub struct Resources {
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) sessions: Sessions,
    pub(super) keys: SealingKeys,
    pub(super) asserter: Arc<Asserter>,
    pub(super) tickets: Tickets,
    pub(super) used_states: UsedStates,
}

/// Keys for what browsers keep for us; one key serves one purpose (invariant 7).
#[derive(Debug)]
pub struct SealingKeys {
    /// Seals sign-ins in flight.
    pub flow: SealingKey,
    /// Seals forms that are kept while their senders sign in.
    pub form: SealingKey,
}

/// The cookies that the gateway sets.
#[derive(Debug)]
pub struct Cookies {
    pub(super) session: SessionCookie,
    pub(super) flows: FlowCookies,
    pub(super) handover: HandoverCookies,
}

/// A kind of what browsers keep (Clear Site Data, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteData {
    /// Pages and files in caches.
    Cache,
    /// Cookies of the whole registrable domain.
    Cookies,
    /// What scripts keep of the origin, and its service workers.
    Storage,
}

impl SiteData {
    /// The type as the field has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Cookies => "cookies",
            Self::Storage => "storage",
        }
    }
}

impl Resources {
    /// With no ticket handed out and no sign-in come back yet.
    #[must_use]
    pub fn new(
        clock: Clock,
        metrics: Metrics,
        sessions: Sessions,
        keys: SealingKeys,
        asserter: Arc<Asserter>,
    ) -> Self {
        let (tickets, used_states) = (Tickets::new(clock.clone()), UsedStates::new());
        Self { clock, metrics, sessions, keys, asserter, tickets, used_states }
    }
}

impl Cookies {
    /// `https`: whether people reach the sign-in host over TLS; `host`: that host, without port.
    #[must_use]
    pub fn new(session: SessionCookie, https: bool, host: &str, resources: &Resources) -> Self {
        let flows = FlowCookies::new(resources.keys.flow.clone(), https, host, resources.clock.clone());
        Self { session, flows, handover: HandoverCookies { https } }
    }
}

impl OwnCookies for Cookies {
    fn owns(&self, name: &str) -> bool {
        name == self.session.name()
            || mutant!(self.flows.owns(name), "app-sees-a-flow" => false)
            || mutant!(self.handover.owns(name), "app-sees-a-handover-secret" => false)
    }
}

impl Endpoints {
    /// `forget`: what browsers are told to forget of a host where somebody signs out.
    #[must_use]
    pub fn new(
        resources: Arc<Resources>,
        hosts: Hosts,
        providers: Providers,
        authenticator: Arc<Authenticator>,
        cookies: Cookies,
        forget: &[SiteData],
    ) -> Self {
        Self { resources, hosts, providers, authenticator, cookies, site_data: site_data(forget) }
    }

    /// The cookies that are ours, and no app's.
    #[must_use]
    pub const fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// What people call a provider.
    #[must_use]
    pub fn display_name<'a>(&'a self, name: &'a ProviderName) -> &'a str {
        self.providers.get(name.as_str()).map_or(name.as_str(), |provider| &provider.settings().display_name)
    }

    /// The session of a browser at the host that it asks.
    pub(super) async fn session(
        &self,
        context: RequestContext<'_>,
        headers: &HeaderMap,
    ) -> Result<Authentication, EndpointError> {
        Ok(self.authenticator.session(context.authority.host(), headers).await?)
    }

    /// Takes from the browser what it has kept of this origin for the person who was signed in: pages in caches
    /// and in the memory of the back button, `no-store` ones among them, and what else the configuration says (Clear
    /// Site Data, section 3.1; invariant 17). Browsers heed it in secure contexts.
    pub(super) fn forget_pages<B>(&self, response: &mut Response<B>) {
        let forget = mutant!(self.site_data.clone(), "pages-kept-after-sign-out" => None);
        response.headers_mut().extend(forget.map(|data| (CLEAR_SITE_DATA, data)));
    }
}

/// A list of quoted strings (Clear Site Data, section 3.1).
fn site_data(forget: &[SiteData]) -> Option<HeaderValue> {
    let quoted: Vec<_> = forget.iter().map(|data| format!("\"{}\"", data.as_str())).collect();
    HeaderValue::try_from(quoted.join(", ")).ok().filter(|value| !value.is_empty())
}
