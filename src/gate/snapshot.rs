//! What one configuration made. A reload builds another and puts it in this one's place, whole.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use super::compile::{Rows, Tended, compile};
use super::foundations::Foundations;
use super::handover::HandoverCookies;
use super::inbound::Inbound;
use super::own;
use super::record::RequestRecord;
use super::rejection::Rejection;
use super::return_to::ReturnTo;
use super::route::Route;
use super::settings::{GateSettings, SiteData};
use crate::authn::{
    Authentication, AuthenticationError, Authenticator, BearerIssuer, BearerSettings, BearerVerifier,
};
use crate::forward::{OwnCookies, UpstreamError};
use crate::identity::{ProviderName, RouteName};
use crate::oidc::{FlowCookies, ProviderTask, Providers, SetupError};
use crate::request::{Authority, RequestPath, Scheme, Transport, TrustedProxies};
use crate::route::{Lookup, RouteTable};
use crate::session::SessionCookie;

/// Everything a request is judged by.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) routes: RouteTable<Arc<Route>>,
    /// The gateway's own endpoints, which stand on every host that it knows.
    own: RouteTable<Arc<Route>>,
    pub(super) trusted: TrustedProxies,
    pub(super) public: Option<PublicUrl>,
    pub(super) providers: Providers,
    pub(super) authenticator: Authenticator,
    pub(super) cookie: SessionCookie,
    pub(super) flows: FlowCookies,
    pub(super) handover: HandoverCookies,
    pub(super) members: Vec<Arc<ProviderTask>>,
    pub(super) upstreams: Vec<Arc<Tended>>,
    pub(super) foundations: Arc<Foundations>,
    /// What a browser is told to forget at sign-out (`Clear-Site-Data`).
    pub(super) site_data: Option<HeaderValue>,
    /// What answers on listeners that send everything on to `https`.
    to_https: Arc<Route>,
    log: bool,
}

/// The origin where people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicUrl {
    pub(super) url: Url,
    pub(super) authority: Authority,
    pub(super) scheme: Scheme,
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
        let public = settings.relying_party.public_url.clone().map(PublicUrl::new).transpose()?;
        let https = public.as_ref().is_some_and(|public| public.scheme == Scheme::Https);
        let members = join(settings, foundations, before)?;
        let Rows { routes, upstreams } = compile(settings, foundations, before)?;
        let cookie = SessionCookie::new(&settings.session, https);
        let providers = Providers::new(members.iter().map(|member| Arc::clone(&member.provider)).collect());
        let host = public.as_ref().map_or("", |public| public.authority.host());
        let bearer = bearer(&members, foundations);
        Ok(Self {
            routes,
            own: own::compile(foundations, &settings.own.limits, before.map(|before| &before.own)),
            site_data: site_data(&settings.own.forget),
            to_https: Arc::new(own::to_https(foundations, public.as_ref())),
            upstreams,
            trusted: TrustedProxies::new(settings.trusted_proxies.clone()),
            authenticator: Authenticator::new(
                foundations.sessions.clone(),
                cookie.clone(),
                bearer,
                providers.clone(),
            )
            .counted_in(&foundations.metrics),
            providers,
            cookie,
            flows: FlowCookies::new(foundations.keys.flow.clone(), https, host, foundations.clock.clone()),
            handover: HandoverCookies { https },
            public,
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
    pub(super) fn route(&self, transport: &Transport, inbound: &Inbound) -> Result<&Arc<Route>, Rejection> {
        self.route_of(transport, inbound, &inbound.path)
    }

    /// The route that the request would have with this path.
    pub(super) fn route_of(
        &self,
        transport: &Transport,
        inbound: &Inbound,
        path: &RequestPath,
    ) -> Result<&Arc<Route>, Rejection> {
        let (authority, scheme) = (&inbound.authority, inbound.forwarding.scheme);
        if transport.to_https && scheme == Scheme::Http {
            return Ok(&self.to_https);
        }
        let own = own::holds(path.decoded());
        let ours = own && (self.is_public(authority, scheme) || self.routes.knows_host(authority, scheme));
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
            Lookup::UnknownHost if self.is_public(authority, scheme) => Err(Rejection::UnknownPath),
            Lookup::UnknownHost => Err(Rejection::UnknownHost),
        }
    }

    /// Whether it is `https://public_url/`, which no route claims: people who type it get their own page.
    fn is_front_page(&self, inbound: &Inbound) -> bool {
        own::is_front(&inbound.path, &inbound.method)
            && self.is_public(&inbound.authority, inbound.forwarding.scheme)
    }

    fn front_page(&self, inbound: &Inbound) -> Option<&Arc<Route>> {
        let home = RequestPath::parse(own::HOME).ok()?;
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

    /// Whether `url` lies on the sign-in host or on one that some route names: where a sign-in may lead back
    /// to. A route for any host names none: a stranger's host is not ours because it leads here
    /// (invariant 13). A route without a port answers on every port, but whatever else listens on that host is
    /// not ours: it names the port of `public_url`. Nothing leads from TLS to clear text.
    pub(super) fn claims(&self, url: &Url) -> bool {
        let Some((authority, scheme)) = origin(url) else { return false };
        let expected = self.public.as_ref().map_or(scheme, |public| public.scheme);
        let unwritten = self.public.as_ref().map_or(scheme.default_port(), PublicUrl::port);
        mutant!(scheme == expected, "return-to-clear-text" => true)
            && (self.is_public(&authority, scheme)
                || mutant!(
                    self.routes.vouches_for(&authority, scheme, unwritten),
                    "return-address-on-any-port" => self.routes.vouches_for(&authority, scheme, authority.port_or_default(scheme)),
                ))
    }

    /// `to` where a sign-in may lead back to it, else its like on the port of the sign-in host, or on that host
    /// itself.
    pub(super) fn claimed(&self, to: ReturnTo) -> ReturnTo {
        let Some(public) = self.public.as_ref().filter(|_| !self.claims(to.url())) else { return to };
        let mut moved = to.url().clone();
        let ours = moved.set_port(public.url.port()).is_ok() && self.claims(&moved);
        to.on(if ours { &moved } else { &public.url })
    }

    /// Whether sign-in happens on this very host.
    pub(super) fn is_public(&self, authority: &Authority, scheme: Scheme) -> bool {
        self.public.as_ref().is_some_and(|public| public.is_at(authority, scheme))
    }

    /// Whether `url` lies on the sign-in host.
    pub(super) fn is_public_url(&self, url: &Url) -> bool {
        self.public.as_ref().is_some_and(|public| public.url.origin() == url.origin())
    }

    /// The front page of the sign-in host.
    pub(super) fn home(&self) -> &str {
        self.public.as_ref().map_or("/", |public| public.url.as_str())
    }

    /// What people call a provider.
    pub(super) fn display_name<'a>(&'a self, name: &'a ProviderName) -> &'a str {
        self.providers.get(name.as_str()).map_or(name.as_str(), |provider| &provider.settings().display_name)
    }
}

impl OwnCookies for Snapshot {
    fn owns(&self, name: &str) -> bool {
        name == self.cookie.name()
            || mutant!(self.flows.owns(name), "app-sees-a-flow" => false)
            || mutant!(self.handover.owns(name), "app-sees-a-hop" => false)
    }
}

impl PublicUrl {
    pub(super) fn new(url: Url) -> Result<Self, BuildError> {
        let (authority, scheme) = origin(&url).ok_or(BuildError::PublicUrl)?;
        Ok(Self { url, authority, scheme })
    }

    /// Whether a request for `authority` is for this very host and port.
    pub(super) fn is_at(&self, authority: &Authority, scheme: Scheme) -> bool {
        self.authority.host() == authority.host() && self.port() == authority.port_or_default(scheme)
    }

    /// The port of the origin, written or not.
    pub(super) fn port(&self) -> u16 {
        self.authority.port_or_default(self.scheme)
    }

    /// The address of one of our own endpoints there.
    pub(super) fn endpoint(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }
}

/// A list of quoted strings (Clear Site Data, section 3.1).
fn site_data(forget: &[SiteData]) -> Option<HeaderValue> {
    let quoted: Vec<_> = forget.iter().map(|data| format!("\"{}\"", data.as_str())).collect();
    HeaderValue::try_from(quoted.join(", ")).ok().filter(|value| !value.is_empty())
}

fn origin(url: &Url) -> Option<(Authority, Scheme)> {
    let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
    let authority = Authority::parse(&url[url::Position::BeforeHost..url::Position::AfterPort]);
    authority.ok().map(|authority| (authority, scheme))
}

fn join(
    settings: &GateSettings,
    foundations: &Foundations,
    before: Option<&Snapshot>,
) -> Result<Vec<Arc<ProviderTask>>, BuildError> {
    let public = settings.relying_party.public_url.as_ref();
    let redirect = public.map(|url| {
        let mut url = url.clone();
        url.set_path(own::CALLBACK);
        url
    });
    let same = |snapshot: &&Snapshot| snapshot.public.as_ref().map(|public| &public.url) == public;
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
