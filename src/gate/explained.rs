//! What would happen to a request, told without sending one: the same tables and rules, and no network.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Method};
use url::{Position, Url};

use super::authenticate::AuthenticatedRequest;
use super::authorize::{Denial, RequestFields, decide};
use super::build_error::BuildError;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::routed::Routed;
use super::routing::{MakeService, Routing};
use super::settings::{GateSettings, RedirectSettings, RouteAction, RouteSettings};
use crate::authn::{Authentication, Carrier, CredentialId, Verified};
use crate::clock::Timestamp;
use crate::endpoints::{Application, Endpoint, PublicUrl};
use crate::forward::{ForwardSettings, UpstreamSettings, identity_headers};
use crate::identity::{Principal, RouteName};
use crate::policy::{Explanation, Verdict, explain as explain_policy};
use crate::request::{Authority, ClientAddress, Forwarding, RequestPath, Scheme};
use crate::route::Lookup;

/// A request that nobody sends: what `portcullis explain` asks about.
#[derive(Clone, Debug)]
pub struct Imagined {
    /// What is asked for.
    pub url: Url,
    /// The path as it was written, which a URL may have changed (`..`, `\\`).
    pub path: String,
    /// The method, by which routes and rules may tell requests apart.
    pub method: Method,
    /// Where the client is.
    pub client: IpAddr,
    /// Who asks; nobody where not given.
    pub principal: Option<Arc<Principal>>,
    /// When.
    pub now: Timestamp,
    /// Whether by a session that is bound to its device; `None` where that is not known.
    pub bound: Option<bool>,
}

/// What the gate would do with such a request.
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
    /// The gateway itself would answer with this.
    Serve(Application),
    /// This has nothing at the path, so that the answer would be 404.
    NotFound(Application),
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

/// Tells what the gate that `settings` make would do with `request`, by the very decision that a live one gets. Rates and
/// health are not looked at.
#[must_use]
pub fn explain<'a>(settings: &'a GateSettings, request: &Imagined) -> Explained<'a> {
    let told = routing(settings).and_then(|routing| judged(settings, &routing, request));
    told.unwrap_or_else(Explained::Refused)
}

/// What tells it again and again, of one configuration.
pub struct Explainer {
    settings: GateSettings,
    routing: Result<Routing<Served>, String>,
}

impl Explainer {
    /// One for the gate that `settings` make.
    #[must_use]
    pub fn new(settings: GateSettings) -> Self {
        Self { routing: routing(&settings), settings }
    }

    /// What it explains by.
    #[must_use]
    pub const fn settings(&self) -> &GateSettings {
        &self.settings
    }

    /// The same as [`explain`].
    #[must_use]
    pub fn explain(&self, request: &Imagined) -> Explained<'_> {
        let routing = self.routing.as_ref().map_err(Clone::clone);
        let told = routing.and_then(|routing| judged(&self.settings, routing, request));
        told.unwrap_or_else(Explained::Refused)
    }
}

impl fmt::Debug for Explainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explainer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn routing(settings: &GateSettings) -> Result<Routing<Served>, String> {
    let public = settings.relying_party.public_url.clone().and_then(PublicUrl::new);
    Routing::build(settings, public, &mut Imaginary::default()).map_err(unbuilt)
}

fn judged<'a>(
    settings: &'a GateSettings,
    routing: &Routing<Served>,
    imagined: &Imagined,
) -> Result<Explained<'a>, String> {
    let inbound = imagined.read()?;
    if routing.is_ours(&inbound, &inbound.path) {
        return Ok(Explained::Own);
    }
    let route = routing.route(&inbound).map_err(|no| unrouted(routing, &inbound, &no))?;
    let Served::Route(place) = route.service else { return Ok(Explained::Own) };
    let Some(settings) = settings.routes.get(place) else { return Ok(Explained::Own) };
    let routed = Routed::new(routing, &inbound, route).map_err(|no| no.reason().into_owned())?;
    let asked = imagined.authenticated(routed);
    let decision = explain_policy(
        &route.access,
        &inbound.question(imagined.principal.as_ref(), imagined.now, imagined.bound),
    );
    let told = match decide(routing, asked, RequestFields::Sent(&HeaderMap::new())) {
        Ok(permitted) => permitted.permit.principal().cloned(),
        Err(Denial::Refused(Rejection::Malformed(ambiguous))) => return Err(ambiguous.what),
        Err(Denial::SignIn(..) | Denial::StepUp(_) | Denial::Refused(_)) => None,
    };
    Ok(Explained::Route {
        route: settings,
        decision,
        action: Next::of(settings, &inbound.path, told.as_deref()),
    })
}

impl Imagined {
    fn read(&self) -> Result<Inbound, String> {
        let scheme = if self.url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
        let authority = &self.url[Position::BeforeHost..Position::AfterPort];
        Ok(Inbound {
            method: self.method.clone(),
            authority: Authority::parse(authority).map_err(|error| error.to_string())?,
            path: RequestPath::parse(&self.path).map_err(|error| error.to_string())?,
            forwarding: Forwarding { client: ClientAddress::new(self.client), scheme, host: None },
            to_https: false,
        })
    }

    /// The request as authentication would pass it on: with the imagined person where a live one shows a good
    /// token, and with nobody on a public route, where no credential is looked at.
    fn authenticated<'r, S>(&self, routed: Routed<'r, S>) -> AuthenticatedRequest<'r, S> {
        let principal = self.principal.clone().filter(|_| !routed.route.access.is_public());
        let authentication = principal.map_or(Authentication::Anonymous, |principal| {
            let token = Verified {
                principal,
                expires: Timestamp::from_seconds(u64::MAX),
                id: CredentialId::of(b"imagined"),
            };
            Authentication::of_token(&token, Carrier::Bearer)
        });
        AuthenticatedRequest { routed, authentication, sign_in_at: None, now: self.now, bound: self.bound }
    }
}

impl<'a> Next<'a> {
    fn of(route: &'a RouteSettings, path: &RequestPath, told: Option<&Principal>) -> Self {
        match &route.action {
            RouteAction::Serve(application) if application.is_at(&route.pattern.path, path) => {
                Self::Serve(*application)
            }
            RouteAction::Serve(application) => Self::NotFound(*application),
            RouteAction::Redirect(redirect) => Self::Redirect(redirect),
            RouteAction::Forward { upstream, forward } => {
                let headers = told.map(|principal| identity_headers(&forward.identity, principal));
                Self::Forward(upstream, forward, headers.unwrap_or_default())
            }
        }
    }
}

/// Starts no services: it tells at which place the settings are that they would be made from.
#[derive(Default)]
struct Imaginary {
    routes: usize,
}

/// What a request would be served by.
#[derive(Clone, Copy)]
enum Served {
    /// The route at this place.
    Route(usize),
    /// The gateway itself.
    Own,
}

impl<'a> MakeService<'a> for Imaginary {
    type Service = Served;

    fn for_route(&mut self, _: &'a RouteSettings) -> Result<Served, BuildError> {
        self.routes += 1;
        Ok(Served::Route(self.routes - 1))
    }

    fn for_endpoint(&mut self, _: &RouteName, _: Endpoint) -> Served {
        Served::Own
    }

    fn for_redirect(&mut self, _: &RouteName, _: RedirectSettings) -> Served {
        Served::Own
    }
}

fn unbuilt(error: BuildError) -> String {
    match error {
        BuildError::Conflict(..) => "two routes claim the same requests".to_owned(),
        BuildError::Provider(..)
        | BuildError::Transmitter(..)
        | BuildError::Upstream(..)
        | BuildError::PublicUrl => error.to_string(),
    }
}

fn unrouted<S>(routing: &Routing<S>, inbound: &Inbound, no: &Rejection) -> String {
    let Inbound { method, authority, path, forwarding, .. } = inbound;
    if matches!(no, Rejection::MethodNotAllowed(_)) {
        return format!("405: a route claims this path, but not {method}");
    }
    match routing.table.find(authority, forwarding.scheme, path, method) {
        Lookup::UnknownHost => "404: no route claims this host".to_owned(),
        Lookup::UnknownPath | Lookup::MethodNotAllowed | Lookup::Found(_) => {
            "404: no route of this host claims this path".to_owned()
        }
    }
}
