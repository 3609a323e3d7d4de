//! A route, compiled: what its settings mean, ready to be asked at every request.

use std::sync::Arc;

use super::own::Endpoint;
use super::settings::{RedirectSettings, RouteAction, RouteSettings};
use crate::authn::Accept;
use crate::forward::{Plan, ReservedHeaders, Upstream};
use crate::identity::RouteName;
use crate::limit::{Concurrency, Limiter};
use crate::policy::{Access, AccessSettings};
use crate::request::PathExceptions;
use crate::telemetry::RequestStats;

/// What the gate asks at every request of a route.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) name: RouteName,
    pub(super) access: Access,
    pub(super) accept: Accept,
    pub(super) limiter: Limiter,
    pub(super) concurrency: Concurrency,
    pub(super) tolerated: PathExceptions,
    pub(super) action: Action,
    pub(super) stats: Arc<RequestStats>,
}

/// What happens to a permitted request.
#[derive(Debug)]
pub(super) enum Action {
    Forward(Arc<Upstream>, Box<Plan>),
    Redirect(RedirectSettings),
    Own(Endpoint),
}

/// Keys that one limiter remembers at most.
const LIMITER_KEYS: u64 = 100_000;

impl Route {
    /// Compiles `settings`; `upstream` gives the shared upstream for its settings.
    pub(super) fn compile<E>(
        settings: &RouteSettings,
        reserved: &Arc<ReservedHeaders>,
        stats: Arc<RequestStats>,
        upstream: impl FnOnce(&crate::forward::UpstreamSettings) -> Result<Arc<Upstream>, E>,
    ) -> Result<Self, E> {
        let action = match &settings.action {
            RouteAction::Forward { upstream: servers, forward } => {
                Action::Forward(upstream(servers)?, Box::new(Plan::compile(forward, Arc::clone(reserved))))
            }
            RouteAction::Redirect(redirect) => Action::Redirect(redirect.clone()),
        };
        Ok(Self {
            name: settings.name.clone(),
            access: Access::compile(&settings.access),
            accept: settings.accept,
            limiter: Limiter::new(&settings.limits, LIMITER_KEYS),
            concurrency: Concurrency::new(settings.concurrency),
            tolerated: settings.path_exceptions,
            action,
            stats,
        })
    }

    /// One of the gateway's own endpoints: a row of the same table, on the same path.
    pub(super) fn own(endpoint: Endpoint, stats: Arc<RequestStats>) -> Self {
        Self {
            name: stats.route().clone(),
            access: Access::compile(&AccessSettings::Public),
            accept: Accept { session: false, bearer: false },
            limiter: Limiter::new(&[], 0),
            concurrency: Concurrency::new(None),
            tolerated: PathExceptions::default(),
            action: Action::Own(endpoint),
            stats,
        }
    }
}
