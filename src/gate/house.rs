//! What one configuration made. A reload builds another and puts it in this one's place, whole.

use std::collections::HashSet;
use std::sync::Arc;

use http::Method;
use url::Url;

use super::foundations::Foundations;
use super::inbound::Inbound;
use super::own::Endpoint;
use super::rejection::Rejection;
use super::route::Route;
use super::settings::{GateSettings, RouteAction, RouteSettings};
use crate::authn::{Authenticator, BearerIssuer, BearerVerifier};
use crate::forward::{ReservedHeaders, Upstream, UpstreamError, UpstreamSettings};
use crate::identity::RouteName;
use crate::oidc::{FlowCookies, Member, Providers, SetupError};
use crate::request::{Authority, RequestPath, Scheme, TrustedProxies};
use crate::route::{Conflict, HostPattern, Lookup, PathPrefix, RoutePattern, RouteTable};
use crate::session::SessionCookie;

/// Everything a request is judged by.
#[derive(Debug)]
pub(super) struct House {
    pub(super) routes: RouteTable<Arc<Route>>,
    pub(super) trusted: TrustedProxies,
    pub(super) public: Option<PublicUrl>,
    pub(super) providers: Providers,
    pub(super) authenticator: Authenticator,
    pub(super) cookie: SessionCookie,
    pub(super) flows: FlowCookies,
    pub(super) members: Vec<Arc<Member>>,
    pub(super) upstreams: Vec<Arc<Upstream>>,
    pub(super) foundations: Arc<Foundations>,
    pub(super) log: bool,
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

impl House {
    /// Builds the house; what `before` has and still fits is kept, with its connections and caches.
    pub(super) fn build(
        settings: &GateSettings,
        foundations: &Arc<Foundations>,
        before: Option<&Self>,
    ) -> Result<Self, BuildError> {
        let public = settings.relying_party.public_url.clone().map(PublicUrl::new).transpose()?;
        let https = public.as_ref().is_some_and(|public| public.scheme == Scheme::Https);
        let members = join(settings, foundations, before)?;
        let (routes, upstreams) = routes(settings, public.as_ref(), foundations, before)?;
        let cookie = SessionCookie::new(&settings.session, https);
        Ok(Self {
            routes,
            upstreams,
            trusted: TrustedProxies::new(settings.trusted_proxies.clone()),
            providers: Providers::new(members.iter().map(|member| Arc::clone(&member.provider)).collect()),
            authenticator: Authenticator::new(
                Arc::clone(&foundations.sessions),
                cookie.clone(),
                bearer(&members, foundations),
            ),
            cookie,
            flows: FlowCookies::new(&foundations.flow_key, https, foundations.clock.clone()),
            public,
            members,
            foundations: Arc::clone(foundations),
            log: settings.log,
        })
    }

    /// The route of a request.
    pub(super) fn route(&self, inbound: &Inbound) -> Result<&Arc<Route>, Rejection> {
        let scheme = inbound.forwarding.scheme;
        match self.routes.find(&inbound.authority, scheme, &inbound.path, &inbound.method) {
            Lookup::Found(route) => Ok(route),
            Lookup::MethodNotAllowed => Err(Rejection::MethodNotAllowed),
            Lookup::UnknownPath => Err(Rejection::UnknownPath),
            Lookup::UnknownHost => Err(Rejection::UnknownHost),
        }
    }

    /// Whether some route claims the origin of `url`: where a sign-in may lead back to.
    pub(super) fn claims(&self, url: &Url) -> bool {
        let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
        let expected = self.public.as_ref().map_or(scheme, |public| public.scheme);
        let authority = Authority::parse(&url[url::Position::BeforeHost..url::Position::AfterPort]);
        scheme == expected && authority.is_ok_and(|authority| self.routes.knows_host(&authority, scheme))
    }

    /// Whether sign-in happens on this very host.
    pub(super) fn is_public(&self, authority: &Authority, scheme: Scheme) -> bool {
        self.public.as_ref().is_some_and(|public| {
            public.authority.host() == authority.host()
                && public.authority.port_or_default(public.scheme) == authority.port_or_default(scheme)
        })
    }
}

impl PublicUrl {
    fn new(url: Url) -> Result<Self, BuildError> {
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let authority = Authority::parse(authority).map_err(|_| BuildError::PublicUrl)?;
        let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
        Ok(Self { url, authority, scheme })
    }

    /// The address of one of our own endpoints there.
    pub(super) fn endpoint(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }
}

fn join(
    settings: &GateSettings,
    foundations: &Foundations,
    before: Option<&House>,
) -> Result<Vec<Arc<Member>>, BuildError> {
    let redirect = settings.relying_party.public_url.as_ref().map(|url| {
        let mut url = url.clone();
        url.set_path("/.portcullis/callback");
        url
    });
    let same_public = |house: &&House| house.public.as_ref().map(|p| &p.url) == settings.relying_party.public_url.as_ref();
    let kept = before.filter(same_public).map_or(&[][..], |house| &house.members);
    let providers = settings.relying_party.providers.iter();
    providers
        .map(|provider| match kept.iter().find(|member| member.provider.settings() == provider) {
            Some(member) => Ok(Arc::clone(member)),
            None => Member::join(provider.clone(), redirect.clone(), foundations.clock.clone(), &foundations.background)
                .map_err(|cause| BuildError::Provider(provider.name.to_string(), cause)),
        })
        .collect()
}

fn bearer(members: &[Arc<Member>], foundations: &Foundations) -> BearerVerifier {
    let accepted = members.iter().filter(|member| !member.provider.settings().audiences.is_empty());
    let issuer = |member: &Arc<Member>| BearerIssuer {
        settings: member.provider.settings().clone(),
        keys: Arc::clone(&member.keys),
    };
    BearerVerifier::new(accepted.map(issuer).collect(), foundations.clock.clone())
}

type Routes = (RouteTable<Arc<Route>>, Vec<Arc<Upstream>>);

fn routes(
    settings: &GateSettings,
    public: Option<&PublicUrl>,
    foundations: &Foundations,
    before: Option<&House>,
) -> Result<Routes, BuildError> {
    let reserved = Arc::new(ReservedHeaders::new(settings.routes.iter().filter_map(identity)));
    let mut upstreams = Vec::new();
    let mut rows = own_rows(settings, public, foundations);
    for route in &settings.routes {
        let stats = foundations.metrics.route(&route.name, foundations.workers);
        let compiled = Route::compile(route, &reserved, stats, |wanted| shared(wanted, &mut upstreams, before, foundations));
        let compiled = compiled.map_err(|cause| BuildError::Upstream(route.name.clone(), cause))?;
        rows.push((route.pattern.clone(), Arc::new(compiled)));
    }
    let names: Vec<RouteName> = rows.iter().map(|(_, route)| route.name.clone()).collect();
    let table = RouteTable::build(rows).map_err(|conflicts| conflict(&conflicts, &names))?;
    Ok((table, upstreams))
}

fn identity(route: &RouteSettings) -> Option<&crate::forward::IdentitySettings> {
    match &route.action {
        RouteAction::Forward { forward, .. } => Some(&forward.identity),
        RouteAction::Redirect(_) => None,
    }
}

/// The upstream with these settings: one already made for another route, the former house's, or a new one.
fn shared(
    wanted: &UpstreamSettings,
    upstreams: &mut Vec<Arc<Upstream>>,
    before: Option<&House>,
    foundations: &Foundations,
) -> Result<Arc<Upstream>, UpstreamError> {
    let same = |upstream: &&Arc<Upstream>| upstream.settings() == wanted;
    if let Some(known) = upstreams.iter().find(same) {
        return Ok(Arc::clone(known));
    }
    let kept = before.and_then(|house| house.upstreams.iter().find(same)).map(Arc::clone);
    let upstream = match kept {
        Some(upstream) => upstream,
        None => foundations.start(Upstream::new(wanted.clone(), foundations.workers)?),
    };
    upstreams.push(Arc::clone(&upstream));
    Ok(upstream)
}

fn conflict(conflicts: &[Conflict], names: &[RouteName]) -> BuildError {
    let name = |index: usize| names.get(index).cloned().unwrap_or_else(|| RouteName::new("?"));
    let (first, second) = conflicts.first().map_or((0, 0), |conflict| (conflict.first, conflict.second));
    BuildError::Conflict(name(first), name(second))
}

fn own_rows(
    settings: &GateSettings,
    public: Option<&PublicUrl>,
    foundations: &Foundations,
) -> Vec<(RoutePattern, Arc<Route>)> {
    let stats = foundations.metrics.route(&RouteName::new("portcullis"), foundations.workers);
    let mut hosts: HashSet<HostPattern> = settings.routes.iter().map(|route| route.pattern.host.clone()).collect();
    if let Some(own) = public.filter(|public| !hosts.iter().any(|host| host.covers(&public.authority, public.scheme))) {
        hosts.insert(HostPattern::Exact(own.authority.host().to_owned(), own.authority.port()));
    }
    let row = |host: &HostPattern, (endpoint, path, methods): (Endpoint, &str, &[Method])| {
        let path: PathPrefix = path.parse().ok()?;
        let pattern = RoutePattern { host: host.clone(), path, methods: methods.to_vec() };
        Some((pattern, Arc::new(Route::own(endpoint, Arc::clone(&stats)))))
    };
    hosts.iter().flat_map(|host| Endpoint::ALL.into_iter().filter_map(move |own| row(host, own))).collect()
}
