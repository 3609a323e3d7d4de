//! What would happen to a request, told without sending one: the same tables and rules, and no network.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Method};
use url::{Position, Url};

use super::ambiguous::Ambiguous;
use super::routed::refused;
use super::settings::{GateSettings, RedirectSettings, RouteAction, RouteSettings};
use crate::endpoints::{self, PublicUrl};
use crate::forward::{ForwardSettings, UpstreamSettings, identity_headers};
use crate::identity::Principal;
use crate::policy::{Access, Explanation, Question, Verdict, explain as decide};
use crate::request::{Authority, ClientAddress, RequestPath, Scheme};
use crate::route::{Lookup, RouteTable};

/// A request that somebody thinks of.
#[derive(Clone, Debug)]
pub struct Imagined {
    /// What is asked for.
    pub url: Url,
    /// The path as it was written, which a URL may have changed (`..`, `\\`).
    pub path: String,
    /// How.
    pub method: Method,
    /// Where the client is.
    pub client: IpAddr,
    /// Who asks; nobody where not given.
    pub principal: Option<Arc<Principal>>,
}

/// What would become of it.
#[derive(Clone, Debug)]
pub enum Explained<'a> {
    /// It would be refused before any route: why.
    Refused(String),
    /// The gateway itself would answer.
    Own,
    /// A route claims it.
    Route {
        /// The route.
        route: &'a RouteSettings,
        /// Who may, and why.
        decision: Explanation,
        /// What would follow.
        action: Next<'a>,
    },
}

/// What would follow where the request is let in.
#[derive(Clone, Debug)]
pub enum Next<'a> {
    /// It would be forwarded with these headers added.
    Forward(&'a UpstreamSettings, &'a ForwardSettings, HeaderMap),
    /// It would be sent elsewhere.
    Redirect(&'a RedirectSettings),
}

impl Explained<'_> {
    /// Whether the request would be let in.
    #[must_use]
    pub fn is_let_in(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Own => true,
            Self::Route { decision, .. } => decision.verdict == Verdict::Permitted,
        }
    }
}

/// Tells what the gate that `settings` make would do with `request`. Rates and health are not looked at.
#[must_use]
pub fn explain<'a>(settings: &'a GateSettings, request: &Imagined) -> Explained<'a> {
    match judged(settings, request) {
        Ok(explained) => explained,
        Err(reason) => Explained::Refused(reason),
    }
}

fn judged<'a>(settings: &'a GateSettings, request: &Imagined) -> Result<Explained<'a>, String> {
    let scheme = if request.url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
    let authority = &request.url[Position::BeforeHost..Position::AfterPort];
    let authority = Authority::parse(authority).map_err(|error| error.to_string())?;
    let path = RequestPath::parse(&request.path).map_err(|error| error.to_string())?;
    let table = table(settings)?;
    if endpoints::holds(path.decoded())
        && (is_public(settings, &authority, scheme) || table.knows_host(&authority, scheme))
    {
        return Ok(Explained::Own);
    }
    let found = table.find(&authority, scheme, &path, &request.method);
    let claimed = !matches!(found, Lookup::UnknownPath | Lookup::UnknownHost);
    if !claimed && endpoints::is_front(&path, &request.method) && is_public(settings, &authority, scheme) {
        return Ok(Explained::Own);
    }
    let route = find(&table, &authority, scheme, &path, &request.method)?;
    let beyond = path.exceptions().beyond(route.path_exceptions);
    if !beyond.is_empty() {
        return Err(super::ambiguous::untolerated(beyond));
    }
    let (method, client) = (&request.method, ClientAddress::new(request.client));
    let question = Question { principal: request.principal.as_ref(), method, path: &path, client };
    let access = Access::compile(&route.access);
    let decision = decide(&access, &question);
    let stripped = match &route.action {
        RouteAction::Forward { forward, .. } => forward.rewrite.stripped(),
        RouteAction::Redirect(_) => 0,
    };
    let readings = path.readings(stripped).ok_or_else(|| Ambiguous::too_deep().what)?;
    for reading in &readings {
        if endpoints::holds(reading.decoded())
            || is_elsewhere(&table, &authority, scheme, reading, route, method)
        {
            return Err(Ambiguous::other_route(reading).what);
        }
    }
    let otherwise = refused(&access, &readings, &question).filter(|_| decision.verdict == Verdict::Permitted);
    if let Some(reading) = otherwise {
        return Err(Ambiguous::other_rule(reading).what);
    }
    let action = match &route.action {
        RouteAction::Redirect(redirect) => Next::Redirect(redirect),
        RouteAction::Forward { upstream, forward } => {
            Next::Forward(upstream, forward, headers(forward, request.principal.as_deref(), &decision))
        }
    };
    Ok(Explained::Route { route, decision, action })
}

fn is_public(settings: &GateSettings, authority: &Authority, scheme: Scheme) -> bool {
    let public = settings.relying_party.public_url.clone().and_then(PublicUrl::new);
    public.is_some_and(|public| public.is_at(authority, scheme))
}

fn table(settings: &GateSettings) -> Result<RouteTable<&RouteSettings>, String> {
    let rows = settings.routes.iter().map(|route| (route.pattern.clone(), route)).collect();
    RouteTable::build(rows).map_err(|_| "two routes claim the same requests".to_owned())
}

fn find<'a>(
    table: &RouteTable<&'a RouteSettings>,
    authority: &Authority,
    scheme: Scheme,
    path: &RequestPath,
    method: &Method,
) -> Result<&'a RouteSettings, String> {
    match table.find(authority, scheme, path, method) {
        Lookup::Found(route) => Ok(*route),
        Lookup::MethodNotAllowed => Err(format!("405: a route claims this path, but not {method}")),
        Lookup::UnknownPath => Err("404: no route of this host claims this path".to_owned()),
        Lookup::UnknownHost => Err("404: no route claims this host".to_owned()),
    }
}

/// Whether another route claims the path.
fn is_elsewhere(
    table: &RouteTable<&RouteSettings>,
    authority: &Authority,
    scheme: Scheme,
    path: &RequestPath,
    route: &RouteSettings,
    method: &Method,
) -> bool {
    match table.find(authority, scheme, path, method) {
        Lookup::Found(found) => !std::ptr::eq(*found, route),
        Lookup::MethodNotAllowed => true,
        Lookup::UnknownPath | Lookup::UnknownHost => false,
    }
}

/// On a public route nobody is anybody.
fn headers(forward: &ForwardSettings, principal: Option<&Principal>, decision: &Explanation) -> HeaderMap {
    let told = principal.filter(|_| decision.reason != crate::policy::Reason::Public);
    told.map(|principal| identity_headers(&forward.identity, principal)).unwrap_or_default()
}
