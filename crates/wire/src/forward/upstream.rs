//! The servers of an upstream, their health, and every worker's connections to them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::HeaderValue;

use super::balance::{Choice, ServerHealth};
use super::connect::{Connector, own_host};
use super::pool::{ActiveRequest, Pool};
use super::replay::ReplayBudget;
use super::tls::TlsConnectors;
use super::{Server, ServerAddress, UpstreamError, UpstreamSettings};
use crate::request::WorkerId;

/// Where requests go: servers and their health, which all workers share, and connections, which they
/// do not.
pub struct Upstream {
    settings: UpstreamSettings,
    servers: Vec<UpstreamServer>,
    workers: Vec<WorkerPools>,
    replay_budget: Arc<ReplayBudget>,
    started: Instant,
}

/// One server: how to get to it, what it is called, and how it fares.
pub(super) struct UpstreamServer {
    pub(super) connector: Connector,
    pub(super) host: HeaderValue,
    pub(super) health: ServerHealth,
    pub(super) tls: bool,
}

/// The connections of one worker, by server, and the turn of the next request (round robin).
struct WorkerPools {
    turn: AtomicUsize,
    pools: Vec<Arc<Pool>>,
}

/// What is known of a server, for metrics and health pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerState {
    /// `host:port` or the socket's path.
    pub server: Arc<str>,
    /// What active health checks say; true where there are none.
    pub up: bool,
    /// Whether failures have put it aside for now.
    pub ejected: bool,
    /// Requests under way.
    pub active: usize,
    /// Connections waiting for a request.
    pub idle: usize,
}

impl Upstream {
    /// Sets up pools for `workers` worker threads; connects to nothing yet.
    ///
    /// # Errors
    /// Where there is no server, or TLS cannot be set up as the settings want it.
    pub fn new(settings: UpstreamSettings, workers: usize) -> Result<Arc<Self>, UpstreamError> {
        let servers = servers(&settings)?;
        let workers = (0..workers.max(1)).map(|_| WorkerPools::new(&settings)).collect();
        Ok(Arc::new(Self {
            settings,
            servers,
            workers,
            replay_budget: Arc::default(),
            started: Instant::now(),
        }))
    }

    /// What it was made from.
    #[must_use]
    pub const fn settings(&self) -> &UpstreamSettings {
        &self.settings
    }

    /// What is known of each server, in the order of the settings.
    #[must_use]
    pub fn state(&self) -> Vec<ServerState> {
        self.servers.iter().enumerate().map(|(index, server)| self.server_state(index, server)).collect()
    }

    fn server_state(&self, index: usize, server: &UpstreamServer) -> ServerState {
        ServerState {
            server: Arc::clone(server.connector.label()),
            up: server.health.is_up(),
            ejected: server.health.is_ejected(|| self.now()),
            active: self.active(index),
            idle: self.pools(index).map(|pool| pool.close_dead_and_count()).sum(),
        }
    }

    /// Closes every connection that waits, as when the upstream has been taken out of the
    /// configuration; requests under way go on.
    pub fn close_idle(&self) {
        self.workers.iter().flat_map(|worker| &worker.pools).for_each(|pool| pool.close());
    }

    /// Closes connections that have waited for `most` sweeps, and those that have been closed.
    pub(super) fn sweep(&self, most: u32) {
        self.workers.iter().flat_map(|worker| &worker.pools).for_each(|pool| pool.sweep(most));
    }

    /// What bodies may hold that could have to be sent again.
    pub(super) const fn replay_budget(&self) -> &Arc<ReplayBudget> {
        &self.replay_budget
    }

    pub(super) fn servers(&self) -> &[UpstreamServer] {
        &self.servers
    }

    /// Whether a connection may turn out to speak HTTP/2.
    pub(super) fn may_be_http2(&self) -> bool {
        self.servers.iter().any(|server| server.connector.may_be_http2(false))
    }

    /// The server for the next request of `worker` that is none of `tried`.
    pub(super) fn pick(&self, worker: WorkerId, tried: &[usize]) -> Option<usize> {
        if self.servers.len() == 1 {
            return tried.is_empty().then_some(0);
        }
        let turn = self.worker(worker).turn.fetch_add(1, Ordering::Relaxed);
        let choice = Choice {
            balance: self.settings.balance,
            count: self.servers.len(),
            healthy: &|index| self.is_healthy(index),
            active: &|index| self.active(index),
        };
        choice.pick(turn, tried)
    }

    /// The worker's pool for a server, marked as having one request more under way.
    pub(super) fn enter(&self, worker: WorkerId, server: usize) -> ActiveRequest {
        ActiveRequest::new(&self.worker(worker).pools[server])
    }

    pub(super) fn succeeded(&self, server: usize) {
        self.servers[server].health.succeed();
    }

    pub(super) fn failed(&self, server: usize) {
        self.servers[server].health.fail(self.settings.ejection, self.now());
    }

    fn worker(&self, worker: WorkerId) -> &WorkerPools {
        &self.workers[worker.0 % self.workers.len()]
    }

    fn is_healthy(&self, server: usize) -> bool {
        let health = &self.servers[server].health;
        health.is_up() && !health.is_ejected(|| self.now())
    }

    fn active(&self, server: usize) -> usize {
        self.pools(server).map(|pool| pool.active()).sum()
    }

    fn pools(&self, server: usize) -> impl Iterator<Item = &Arc<Pool>> {
        self.workers.iter().map(move |worker| &worker.pools[server])
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

impl WorkerPools {
    fn new(settings: &UpstreamSettings) -> Self {
        let pools = settings.servers.iter().map(|_| Arc::new(Pool::new(settings))).collect();
        Self { turn: AtomicUsize::new(0), pools }
    }
}

fn servers(settings: &UpstreamSettings) -> Result<Vec<UpstreamServer>, UpstreamError> {
    if settings.servers.is_empty() {
        return Err(UpstreamError::NoServer);
    }
    let tls =
        settings.servers.iter().any(speaks_tls).then(|| TlsConnectors::new(&settings.tls)).transpose()?;
    let ready = |server: &Server| {
        let connector = Connector::new(server, tls.as_ref(), settings)?;
        let (host, tls) = (own_host(server)?, speaks_tls(server));
        Ok(UpstreamServer { connector, host, health: ServerHealth::default(), tls })
    };
    settings.servers.iter().map(ready).collect()
}

const fn speaks_tls(server: &Server) -> bool {
    matches!(server.address, ServerAddress::Tcp { tls: true, .. })
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("state", &self.state()).finish_non_exhaustive()
    }
}
