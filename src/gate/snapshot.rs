//! What one configuration made. A reload builds another and puts it in this one's place, whole.

use std::sync::Arc;

use http::{HeaderMap, Method};

use super::compile::{Rows, Tended, compile};
use super::endpoints;
use super::foundations::Foundations;
use super::inbound::Inbound;
use super::record::RequestRecord;
use super::rejection::Rejection;
use super::route::Route;
use super::settings::GateSettings;
use crate::authn::{
    Authentication, AuthenticationError, Authenticator, BearerIssuer, BearerSettings, BearerVerifier,
};
use crate::endpoints::{CALLBACK, Cookies, Endpoints, HOME, Hosts, PublicUrl, Routes, holds, is_front};
use crate::forward::UpstreamError;
use crate::identity::RouteName;
use crate::oidc::{ProviderTask, Providers, SetupError};
use crate::request::{RequestPath, Scheme, Transport, TrustedProxies};
use crate::route::{Lookup, RouteTable};
use crate::session::SessionCookie;

/// Everything a request is judged by.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) routes: Arc<RouteTable<Arc<Route>>>,
    /// The gateway's own endpoints, which stand on every host that it knows.
    own: RouteTable<Arc<Route>>,
    pub(super) trusted: TrustedProxies,
    pub(super) endpoints: Endpoints,
    pub(super) providers: Providers,
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) members: Vec<Arc<ProviderTask>>,
    pub(super) upstreams: Vec<Arc<Tended>>,
    pub(super) foundations: Arc<Foundations>,
    /// What answers on listeners that send everything on to `https`.
    to_https: Arc<Route>,
    log: bool,
}

/// Why a configuration that reads well makes no gateway.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A provider's settings are unusable.
    #[error("provider {0}: {1}")]
    Provider(String, #[source] SetupError),
    /// An upstream's settings are unusable.
    #[error("route {0}: {1}")]
    Upstream(RouteName, #[source] UpstreamError),
    /// Two routes claim the same requests.
    #[error("routes {0} and {1} claim the same requests")]
    Conflict(RouteName, RouteName),
    /// `public_url` has no host.
    #[error("[server] public_url has no host")]
    PublicUrl,
}

impl Snapshot {
    /// Builds the house; what `before` has and still fits is kept, with its connections and caches.
    pub(super) fn build(
        settings: &GateSettings,
        foundations: &Arc<Foundations>,
        before: Option<&Self>,
    ) -> Result<Self, BuildError> {
        let public = settings.relying_party.public_url.clone();
        let public = public.map(|url| PublicUrl::new(url).ok_or(BuildError::PublicUrl)).transpose()?;
        let members = join(settings, foundations, before)?;
        let providers = Providers::new(members.iter().map(|member| Arc::clone(&member.provider)).collect());
        let Rows { routes, upstreams } = compile(settings, foundations, before)?;
        let https = public.as_ref().is_some_and(|public| public.scheme == Scheme::Https);
        let cookie = SessionCookie::new(&settings.session, https);
        let host = public.as_ref().map_or("", |public| public.authority.host());
        let cookies = Cookies::new(cookie.clone(), https, host, &foundations.endpoints);
        let bearer = bearer(&members, foundations);
        let authenticator =
            Authenticator::new(foundations.sessions.clone(), cookie, bearer, providers.clone());
        let authenticator = Arc::new(authenticator.counted_in(&foundations.metrics));
        Ok(Self {
            own: endpoints::compile(foundations, &settings.own.limits, before.map(|before| &before.own)),
            to_https: Arc::new(endpoints::to_https(foundations, public.as_ref())),
            trusted: TrustedProxies::new(settings.trusted_proxies.clone()),
            endpoints: Endpoints::new(
                Arc::clone(&foundations.endpoints),
                Hosts::new(public, Arc::clone(&routes) as Arc<dyn Routes>),
                providers.clone(),
                Arc::clone(&authenticator),
                cookies,
                &settings.own.forget,
            ),
            routes,
            upstreams,
            authenticator,
            providers,
            members,
            foundations: Arc::clone(foundations),
            log: settings.log,
        })
    }

    /// Counts a token that was refused.
    pub(super) fn count_credential(&self, found: Result<&Authentication, &AuthenticationError>) {
        if let Err(AuthenticationError::Token(error)) = found {
            self.foundations.metrics.token_check(error.label());
        }
    }

    /// Begins the record of a request.
    pub(super) fn record(&self, transport: &Arc<Transport>, headers: &HeaderMap) -> RequestRecord {
        let id = self.foundations.ids.of(headers, self.trusted.contains(transport.peer.ip()));
        RequestRecord::start(id, transport, &self.foundations.unrouted, self.log)
    }

    /// The route of a request.
    pub(super) fn route(&self, inbound: &Inbound) -> Result<&Arc<Route>, Rejection> {
        self.route_of(inbound, &inbound.path)
    }

    /// The route that the request would have with this path.
    pub(super) fn route_of(&self, inbound: &Inbound, path: &RequestPath) -> Result<&Arc<Route>, Rejection> {
        let (authority, scheme) = (&inbound.authority, inbound.forwarding.scheme);
        if inbound.to_https {
            return Ok(&self.to_https);
        }
        let own = holds(path.decoded());
        let ours = own
            && (self.endpoints.hosts.is_public(authority, scheme)
                || self.routes.knows_host(authority, scheme));
        let table =
            if ours { self.own.find(authority, scheme, path, &inbound.method) } else { Lookup::UnknownPath };
        let found = match table {
            Lookup::UnknownPath => self.routes.find(authority, scheme, path, &inbound.method),
            own @ (Lookup::Found(_) | Lookup::MethodNotAllowed | Lookup::UnknownHost) => own,
        };
        match found {
            Lookup::Found(route) => Ok(route),
            Lookup::MethodNotAllowed => Err(Rejection::MethodNotAllowed(self.allowed(inbound, path, ours))),
            Lookup::UnknownPath | Lookup::UnknownHost if self.is_front_page(inbound) => {
                self.front_page(inbound).ok_or(Rejection::UnknownPath)
            }
            Lookup::UnknownPath => Err(Rejection::UnknownPath),
            Lookup::UnknownHost if self.endpoints.hosts.is_public(authority, scheme) => {
                Err(Rejection::UnknownPath)
            }
            Lookup::UnknownHost => Err(Rejection::UnknownHost),
        }
    }

    /// Whether it is `https://public_url/`, which no route claims: people who type it get their own page.
    fn is_front_page(&self, inbound: &Inbound) -> bool {
        is_front(&inbound.path, &inbound.method)
            && self.endpoints.hosts.is_public(&inbound.authority, inbound.forwarding.scheme)
    }

    fn front_page(&self, inbound: &Inbound) -> Option<&Arc<Route>> {
        let home = RequestPath::parse(HOME).ok()?;
        match self.own.find(&inbound.authority, inbound.forwarding.scheme, &home, &inbound.method) {
            Lookup::Found(route) => Some(route),
            Lookup::MethodNotAllowed | Lookup::UnknownPath | Lookup::UnknownHost => None,
        }
    }

    fn allowed(&self, inbound: &Inbound, path: &RequestPath, own: bool) -> String {
        let table = if own { &self.own } else { &self.routes };
        let methods = table.allowed_methods(&inbound.authority, inbound.forwarding.scheme, path);
        methods.map(Method::as_str).collect::<Vec<_>>().join(", ")
    }
}

fn join(
    settings: &GateSettings,
    foundations: &Foundations,
    before: Option<&Snapshot>,
) -> Result<Vec<Arc<ProviderTask>>, BuildError> {
    let public = settings.relying_party.public_url.as_ref();
    let redirect = public.map(|url| {
        let mut url = url.clone();
        url.set_path(CALLBACK);
        url
    });
    let same =
        |snapshot: &&Snapshot| snapshot.endpoints.hosts.public.as_ref().map(|public| &public.url) == public;
    let kept = before.filter(same).map_or(&[][..], |snapshot| &snapshot.members);
    let providers = settings.relying_party.providers.iter();
    providers
        .map(|provider| match kept.iter().find(|member| member.provider.settings() == provider) {
            // Whoever has the configuration read anew wants to see what is, keys included.
            Some(member) => {
                member.keys.fetch_now();
                Ok(Arc::clone(member))
            }
            None => ProviderTask::join(
                provider.clone(),
                redirect.clone(),
                foundations.clock.clone(),
                &foundations.background,
            )
            .map_err(|cause| BuildError::Provider(provider.name.to_string(), cause)),
        })
        .collect()
}

fn bearer(members: &[Arc<ProviderTask>], foundations: &Foundations) -> BearerVerifier {
    let issuer = |member: &Arc<ProviderTask>| BearerIssuer {
        settings: member.provider.settings().clone(),
        keys: Arc::clone(&member.keys),
    };
    let issuers = members.iter().map(issuer).collect();
    BearerVerifier::new(issuers, foundations.clock.clone(), BearerSettings::default())
}
