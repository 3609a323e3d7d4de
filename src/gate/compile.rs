//! The configured routes as a table, and the upstreams that they share.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::foundations::Foundations;
use super::route::Route;
use super::settings::{GateSettings, RouteAction, RouteSettings};
use super::snapshot::{BuildError, Snapshot};
use crate::forward::{ForwardSettings, ReservedHeaders, Server, Upstream, UpstreamError, UpstreamSettings};
use crate::identity::RouteName;
use crate::route::{Conflict, RouteTable};

/// What `[[routes]]` make.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) routes: Arc<RouteTable<Arc<Route>>>,
    pub(super) upstreams: Vec<Arc<Tended>>,
}

/// An upstream and the task that checks its servers. When no configuration has it any more, the checks end
/// and the connections that wait are closed; requests under way go on.
#[derive(Debug)]
pub(super) struct Tended {
    pub(super) upstream: Arc<Upstream>,
    task: AbortHandle,
}

impl Tended {
    fn start(upstream: Arc<Upstream>, background: &Handle) -> Arc<Self> {
        let task = background.spawn(Arc::clone(&upstream).run_health_checks()).abort_handle();
        Arc::new(Self { upstream, task })
    }
}

impl Drop for Tended {
    fn drop(&mut self) {
        self.task.abort();
        self.upstream.close_idle();
    }
}

/// Compiles every route; what the former house has and still fits is kept.
pub(super) fn compile(
    settings: &GateSettings,
    foundations: &Foundations,
    before: Option<&Snapshot>,
) -> Result<Rows, BuildError> {
    let reserved = Arc::new(ReservedHeaders::new(settings.routes.iter().filter_map(forward)));
    let old = before.map(|snapshot| snapshot.routes.iter().map(|(_, route)| (&route.name, route)).collect());
    let old: HashMap<&RouteName, &Arc<Route>> = old.unwrap_or_default();
    let known = before.map_or(&[][..], |snapshot| &snapshot.upstreams);
    let mut shared =
        Shared { known: known.iter().cloned().collect(), made: Upstreams::default(), foundations };
    let mut rows = Vec::with_capacity(settings.routes.len());
    for route in &settings.routes {
        let stats = foundations.metrics.route(&route.name, foundations.workers);
        let former = old.get(&route.name).map(|route| &***route);
        let compiled = Route::compile(route, &reserved, stats, former, |wanted| shared.upstream(wanted));
        let compiled = compiled.map_err(|cause| BuildError::Upstream(route.name.clone(), cause))?;
        rows.push((route.pattern.clone(), Arc::new(compiled)));
    }
    let names: Vec<RouteName> = settings.routes.iter().map(|route| route.name.clone()).collect();
    let routes = RouteTable::build(rows).map_err(|conflicts| conflict(&conflicts, &names))?;
    Ok(Rows { routes: Arc::new(routes), upstreams: shared.made.all })
}

fn forward(route: &RouteSettings) -> Option<&ForwardSettings> {
    match &route.action {
        RouteAction::Forward { forward, .. } => Some(forward),
        RouteAction::Redirect(_) => None,
    }
}

/// Upstreams, found by their servers: a file may have as many of them as routes.
#[derive(Default)]
struct Upstreams {
    all: Vec<Arc<Tended>>,
    by_servers: HashMap<Vec<Server>, Vec<usize>>,
}

impl Upstreams {
    fn find(&self, wanted: &UpstreamSettings) -> Option<&Arc<Tended>> {
        let mut indices = self.by_servers.get(&wanted.servers)?.iter();
        indices.find_map(|index| self.all.get(*index).filter(|tended| tended.upstream.settings() == wanted))
    }

    fn push(&mut self, tended: Arc<Tended>) {
        let servers = tended.upstream.settings().servers.clone();
        self.by_servers.entry(servers).or_default().push(self.all.len());
        self.all.push(tended);
    }
}

impl FromIterator<Arc<Tended>> for Upstreams {
    fn from_iter<I: IntoIterator<Item = Arc<Tended>>>(all: I) -> Self {
        let mut upstreams = Self::default();
        all.into_iter().for_each(|tended| upstreams.push(tended));
        upstreams
    }
}

/// Routes with equal settings have one upstream.
struct Shared<'a> {
    known: Upstreams,
    made: Upstreams,
    foundations: &'a Foundations,
}

impl Shared<'_> {
    /// One already made for another route, the former house's, or a new one.
    fn upstream(&mut self, wanted: &UpstreamSettings) -> Result<Arc<Upstream>, UpstreamError> {
        if let Some(made) = self.made.find(wanted) {
            return Ok(Arc::clone(&made.upstream));
        }
        let tended = match self.known.find(wanted) {
            Some(kept) => Arc::clone(kept),
            None => self.begin(wanted)?,
        };
        let upstream = Arc::clone(&tended.upstream);
        self.made.push(tended);
        Ok(upstream)
    }

    fn begin(&self, wanted: &UpstreamSettings) -> Result<Arc<Tended>, UpstreamError> {
        let upstream = Upstream::new(wanted.clone(), self.foundations.workers)?;
        Ok(Tended::start(upstream, &self.foundations.background))
    }
}

fn conflict(conflicts: &[Conflict], names: &[RouteName]) -> BuildError {
    let name = |index: usize| names.get(index).cloned().unwrap_or_else(|| RouteName::new("?"));
    let (first, second) = conflicts.first().map_or((0, 0), |conflict| (conflict.first, conflict.second));
    BuildError::Conflict(name(first), name(second))
}
