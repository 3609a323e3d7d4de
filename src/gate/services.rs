//! Makes the services of a configuration, and the upstreams that they share.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::build_error::BuildError;
use super::foundations::Foundations;
use super::limits::Limits;
use super::route::Route;
use super::routing::{MakeService, Routing};
use super::service::{Action, Service};
use super::settings::{GateSettings, RedirectSettings, RouteAction, RouteSettings};
use crate::endpoints::Endpoint;
use crate::events::{Part, PartWatch, Recorder};
use crate::forward::{
    ForwardSettings, Plan, ReservedHeaders, Server, ServerState, Upstream, UpstreamError, UpstreamSettings,
};
use crate::identity::RouteName;
use crate::limit::Concurrency;
use crate::route::RouteTable;

/// What the endpoints' limits are counted under, beside the names of routes.
const ENDPOINTS: &str = "/.portcullis";

/// An upstream and the task that checks its servers. When no configuration has it any more, the checks end
/// and the connections that wait are closed; requests under way go on.
#[derive(Debug)]
pub(super) struct CheckedUpstream {
    pub(super) upstream: Arc<Upstream>,
    task: AbortHandle,
}

impl CheckedUpstream {
    fn start(upstream: Arc<Upstream>, recorder: &Recorder, background: &Handle) -> Arc<Self> {
        let watched = |state: ServerState| {
            let watch = PartWatch::new(Part::Upstream, &*state.server);
            watch.tell(recorder);
            (state.server, watch)
        };
        let watches: Vec<_> = upstream.state().into_iter().map(watched).collect();
        let tell = move |server: &str, fault: Option<&str>| {
            let watch = watches.iter().find(|(label, _)| **label == *server);
            match (watch, fault) {
                (Some((_, watch)), Some(fault)) => {
                    watch.lost(format!("it fails its health checks and is put aside: {fault}"));
                }
                (Some((_, watch)), None) => watch.back(),
                (None, _) => {}
            }
        };
        let task = background.spawn(Arc::clone(&upstream).run_health_checks(tell)).abort_handle();
        Arc::new(Self { upstream, task })
    }
}

impl Drop for CheckedUpstream {
    fn drop(&mut self) {
        self.task.abort();
        self.upstream.close_idle();
    }
}

/// What the services of a configuration are made from. A route that had its name in the configuration before, and an
/// upstream that had its settings, are handed on what they have counted and the connections that they hold.
pub(super) struct Services<'b> {
    foundations: &'b Foundations,
    generation: u64,
    reserved: Arc<ReservedHeaders>,
    former: HashMap<&'b RouteName, &'b Arc<Route>>,
    /// The endpoints share their limits, but for the keys (apps fetch those, many of them from one address), the back
    /// channel (a provider that ends thousands of sessions does so from one address, and may not try again), transmitters
    /// of signals (which do the same, and show a secret first), and what browsers ask of bound sessions: one that is turned
    /// away there goes on without its device.
    endpoint_limits: Limits,
    known: Upstreams,
    made: Upstreams,
}

impl<'b> Services<'b> {
    pub(super) fn new(
        settings: &GateSettings,
        foundations: &'b Foundations,
        generation: u64,
        before: Option<(&'b Routing, &[Arc<CheckedUpstream>])>,
    ) -> Self {
        let (routing, upstreams) = before.unzip();
        let former = routing.into_iter().flat_map(|routing| routing.table.iter());
        Self {
            foundations,
            generation,
            reserved: Arc::new(ReservedHeaders::new(settings.routes.iter().filter_map(forward))),
            former: former.map(|(_, route)| (&route.name, route)).collect(),
            endpoint_limits: Limits::new(
                &RouteName::new(ENDPOINTS),
                &settings.own.limits,
                foundations.replicas.rates.as_ref(),
                routing.and_then(|before| endpoint_limits(&before.endpoints)),
            ),
            known: upstreams.into_iter().flatten().cloned().map(SharedUpstream::Kept).collect(),
            made: Upstreams::default(),
        }
    }

    /// Begins to check the upstreams that were made.
    pub(super) fn start(self) -> Vec<Arc<CheckedUpstream>> {
        let (background, recorder) = (&self.foundations.background, &self.foundations.keeper.recorder);
        let started = self.made.all.into_iter().map(|shared| match shared {
            SharedUpstream::Kept(checked) => checked,
            SharedUpstream::New(upstream) => CheckedUpstream::start(upstream, recorder, background),
        });
        started.collect()
    }

    fn service(
        &self,
        name: &RouteName,
        limits: Limits,
        concurrency: Option<usize>,
        action: Action,
    ) -> Service {
        let stats = self.foundations.metrics.route(name, self.foundations.workers);
        let calls = Arc::clone(&self.foundations.reauthorization);
        let (concurrency, generation) = (Concurrency::new(concurrency), self.generation);
        Service { limits, concurrency, action, stats, calls, generation }
    }

    /// One already made for another route, that of the configuration before, or a new one.
    fn upstream(&mut self, settings: &UpstreamSettings) -> Result<Arc<Upstream>, UpstreamError> {
        if let Some(made) = self.made.find(settings) {
            return Ok(Arc::clone(made.upstream()));
        }
        let shared = match self.known.find(settings) {
            Some(kept) => kept.clone(),
            None => SharedUpstream::New(Upstream::new(settings.clone(), self.foundations.workers)?),
        };
        let upstream = Arc::clone(shared.upstream());
        self.made.push(shared);
        Ok(upstream)
    }
}

impl<'a> MakeService<'a> for Services<'_> {
    type Service = Service;

    fn for_route(&mut self, route: &'a RouteSettings) -> Result<Service, BuildError> {
        let former = self.former.get(&route.name).map(|former| &former.service.limits);
        let rates = self.foundations.replicas.rates.as_ref();
        let limits = Limits::new(&route.name, &route.limits, rates, former);
        let action = match &route.action {
            RouteAction::Forward { upstream, forward } => {
                let plan = Plan::compile(forward, Arc::clone(&self.reserved));
                let upstream = self.upstream(upstream);
                let upstream = upstream.map_err(|cause| BuildError::Upstream(route.name.clone(), cause))?;
                Action::Forward(upstream, Box::new(plan))
            }
            RouteAction::Redirect(redirect) => Action::Redirect(redirect.clone()),
            RouteAction::Serve(application) => Action::Serve(*application, route.pattern.path.clone()),
        };
        Ok(self.service(&route.name, limits, route.concurrency, action))
    }

    fn for_endpoint(&mut self, name: &RouteName, endpoint: Endpoint) -> Service {
        let unlimited = matches!(
            endpoint,
            Endpoint::Keys
                | Endpoint::Icon
                | Endpoint::BackChannelLogout
                | Endpoint::Signals
                | Endpoint::Bind
                | Endpoint::RefreshBinding
                | Endpoint::BoundSessionsOfSite
        );
        let limited = mutant!(!unlimited, "limit-ends-bound-sessions" => endpoint != Endpoint::Keys);
        let limits = if limited { self.endpoint_limits.clone() } else { Limits::default() };
        self.service(name, limits, None, Action::Endpoint(endpoint))
    }

    fn for_redirect(&mut self, name: &RouteName, redirect: RedirectSettings) -> Service {
        self.service(name, Limits::default(), None, Action::Redirect(redirect))
    }
}

fn endpoint_limits(endpoints: &RouteTable<Arc<Route>>) -> Option<&Limits> {
    endpoints.iter().map(|(_, route)| &route.service.limits).find(|limits| !limits.is_empty())
}

fn forward(route: &RouteSettings) -> Option<&ForwardSettings> {
    match &route.action {
        RouteAction::Forward { forward, .. } => Some(forward),
        RouteAction::Redirect(_) | RouteAction::Serve(_) => None,
    }
}

/// An upstream that routes with equal settings share.
#[derive(Clone)]
enum SharedUpstream {
    /// One of the configuration before, whose servers are checked already.
    Kept(Arc<CheckedUpstream>),
    New(Arc<Upstream>),
}

impl SharedUpstream {
    fn upstream(&self) -> &Arc<Upstream> {
        match self {
            Self::Kept(checked) => &checked.upstream,
            Self::New(upstream) => upstream,
        }
    }
}

/// Upstreams, found by their servers: a file may have as many of them as routes.
#[derive(Default)]
struct Upstreams {
    all: Vec<SharedUpstream>,
    by_servers: HashMap<Vec<Server>, Vec<usize>>,
}

impl Upstreams {
    fn find(&self, settings: &UpstreamSettings) -> Option<&SharedUpstream> {
        let mut indices = self.by_servers.get(&settings.servers)?.iter();
        indices
            .find_map(|index| self.all.get(*index).filter(|shared| shared.upstream().settings() == settings))
    }

    fn push(&mut self, shared: SharedUpstream) {
        let servers = shared.upstream().settings().servers.clone();
        self.by_servers.entry(servers).or_default().push(self.all.len());
        self.all.push(shared);
    }
}

impl FromIterator<SharedUpstream> for Upstreams {
    fn from_iter<I: IntoIterator<Item = SharedUpstream>>(all: I) -> Self {
        let mut upstreams = Self::default();
        all.into_iter().for_each(|shared| upstreams.push(shared));
        upstreams
    }
}
