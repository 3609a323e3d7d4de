//! Which request is whose: the part of a configuration that judges requests, and starts nothing.

use std::sync::Arc;

use http::{Method, StatusCode};

use super::build_error::BuildError;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::route::Route;
use super::service::Service;
use super::settings::{GateSettings, RedirectSettings, RouteSettings};
use crate::endpoints::{Endpoint, HOME, PublicUrl, WELL_KNOWN, holds, is_front};
use crate::identity::RouteName;
use crate::request::{Authority, RequestPath, Scheme};
use crate::route::{Conflict, HostPattern, Lookup, PathPrefix, RoutePattern, RouteTable};
use crate::session::Bind;

/// Makes what serves the routes of a configuration; or what stands for it, where nothing is to be served.
pub(super) trait MakeService<'a> {
    type Service;

    /// For one of `[[routes]]`.
    fn for_route(&mut self, route: &'a RouteSettings) -> Result<Self::Service, BuildError>;

    /// For one of the gateway's own endpoints.
    fn for_endpoint(&mut self, name: &RouteName, endpoint: Endpoint) -> Self::Service;

    /// For everything on a listener that sends its clients elsewhere.
    fn for_redirect(&mut self, name: &RouteName, redirect: RedirectSettings) -> Self::Service;
}

/// All routes of a configuration.
#[derive(Debug)]
pub(super) struct Routing<S = Service> {
    /// Those of `[[routes]]`.
    pub(super) table: Arc<RouteTable<Arc<Route<S>>>>,
    /// The gateway's own endpoints, which stand on every host that it knows.
    pub(super) endpoints: RouteTable<Arc<Route<S>>>,
    /// What answers on listeners that send everything on to `https`.
    to_https: Arc<Route<S>>,
    pub(super) public: Option<PublicUrl>,
    /// The domain of which one binding covers all hosts, where browsers find its document here.
    pub(super) site: Option<String>,
    /// Whether a session opens nothing that is not bound to its device.
    pub(super) requires_binding: bool,
}

impl<S> Routing<S> {
    pub(super) fn build<'a>(
        settings: &'a GateSettings,
        public: Option<PublicUrl>,
        make: &mut impl MakeService<'a, Service = S>,
    ) -> Result<Self, BuildError> {
        let table = table(&settings.routes, make)?;
        Ok(Self {
            site: settings.session.bind_site.clone().filter(|site| is_served(&table, public.as_ref(), site)),
            requires_binding: settings.session.bind == Bind::Required,
            table: Arc::new(table),
            endpoints: endpoints(make),
            to_https: Arc::new(to_https(public.as_ref(), make)),
            public,
        })
    }

    /// The route of a request.
    pub(super) fn route(&self, inbound: &Inbound) -> Result<&Arc<Route<S>>, Rejection> {
        self.route_of(inbound, &inbound.path)
    }

    /// The route that the request would have with this path.
    pub(super) fn route_of(
        &self,
        inbound: &Inbound,
        path: &RequestPath,
    ) -> Result<&Arc<Route<S>>, Rejection> {
        let (authority, scheme) = (&inbound.authority, inbound.forwarding.scheme);
        if inbound.to_https {
            return Ok(&self.to_https);
        }
        let ours = self.is_ours(inbound, path);
        let endpoint = if ours {
            self.endpoints.find(authority, scheme, path, &inbound.method)
        } else {
            Lookup::UnknownPath
        };
        let found = match endpoint {
            Lookup::UnknownPath => self.table.find(authority, scheme, path, &inbound.method),
            ours @ (Lookup::Found(_) | Lookup::MethodNotAllowed | Lookup::UnknownHost) => ours,
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

    /// Whether the gateway itself answers at this path, on the host that was asked for.
    pub(super) fn is_ours(&self, inbound: &Inbound, path: &RequestPath) -> bool {
        let (authority, scheme) = (&inbound.authority, inbound.forwarding.scheme);
        let here = || self.is_public(authority, scheme) || self.table.knows_host(authority, scheme);
        holds(path.decoded()) && here() || self.is_document_of_site(authority, path)
    }

    fn is_document_of_site(&self, authority: &Authority, path: &RequestPath) -> bool {
        path.decoded() == WELL_KNOWN && self.site.as_deref() == Some(authority.host())
    }

    fn is_public(&self, authority: &Authority, scheme: Scheme) -> bool {
        self.public.as_ref().is_some_and(|public| public.is_at(authority, scheme))
    }

    /// Whether it is `https://public_url/`, which no route claims: people who type it get their own page.
    fn is_front_page(&self, inbound: &Inbound) -> bool {
        is_front(&inbound.path, &inbound.method)
            && self.is_public(&inbound.authority, inbound.forwarding.scheme)
    }

    fn front_page(&self, inbound: &Inbound) -> Option<&Arc<Route<S>>> {
        let home = RequestPath::parse(HOME).ok()?;
        match self.endpoints.find(&inbound.authority, inbound.forwarding.scheme, &home, &inbound.method) {
            Lookup::Found(route) => Some(route),
            Lookup::MethodNotAllowed | Lookup::UnknownPath | Lookup::UnknownHost => None,
        }
    }

    fn allowed(&self, inbound: &Inbound, path: &RequestPath, ours: bool) -> String {
        let table = if ours { &self.endpoints } else { &*self.table };
        let methods = table.allowed_methods(&inbound.authority, inbound.forwarding.scheme, path);
        methods.map(Method::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// Whether requests for `site` itself come here: its document lets browsers bind its sessions on the sign-in host.
fn is_served<S>(table: &RouteTable<Arc<Route<S>>>, public: Option<&PublicUrl>, site: &str) -> bool {
    let Some(public) = public else { return false };
    // Where people sign in at another port than 443, the domain is asked there as well.
    let at = Authority::parse(&format!("{site}:{}", public.port())).ok();
    public.authority.host() == site
        || at.is_some_and(|at| table.vouches_for(&at, public.scheme, public.port()))
}

fn table<'a, S>(
    routes: &'a [RouteSettings],
    make: &mut impl MakeService<'a, Service = S>,
) -> Result<RouteTable<Arc<Route<S>>>, BuildError> {
    let mut rows = Vec::with_capacity(routes.len());
    for route in routes {
        let compiled = Route::compile(route, make.for_route(route)?);
        rows.push((route.pattern.clone(), Arc::new(compiled)));
    }
    RouteTable::build(rows).map_err(|conflicts| conflict(&conflicts, routes))
}

fn conflict(conflicts: &[Conflict], routes: &[RouteSettings]) -> BuildError {
    let name =
        |index: usize| routes.get(index).map_or_else(|| RouteName::new("?"), |route| route.name.clone());
    let (first, second) = conflicts.first().map_or((0, 0), |conflict| (conflict.first, conflict.second));
    BuildError::Conflict(name(first), name(second))
}

/// The table of the endpoints: the same on every host.
fn endpoints<'a, S>(make: &mut impl MakeService<'a, Service = S>) -> RouteTable<Arc<Route<S>>> {
    let name = RouteName::new("portcullis");
    let row = |(endpoint, path, methods): (Endpoint, &str, &[Method])| {
        let path: PathPrefix = path.parse().ok()?;
        let pattern = RoutePattern { host: HostPattern::Any, path, methods: methods.to_vec() };
        let service = make.for_endpoint(&name, endpoint);
        Some((pattern, Arc::new(Route::ours(name.clone(), service))))
    };
    RouteTable::build(Endpoint::TABLE.into_iter().filter_map(row).collect()).unwrap_or_default()
}

/// The answer to everything on a listener that is there for addresses without `https` (308: the method stays).
fn to_https<'a, S>(public: Option<&PublicUrl>, make: &mut impl MakeService<'a, Service = S>) -> Route<S> {
    let name = RouteName::new("to-https");
    let redirect = RedirectSettings {
        scheme: Some(Scheme::Https),
        host: None,
        port: public.and_then(|public| public.url.port()),
        path: None,
        status: StatusCode::PERMANENT_REDIRECT,
    };
    let service = make.for_redirect(&name, redirect);
    Route::ours(name, service)
}
