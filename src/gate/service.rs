//! What serves the requests of a route: what they count towards, and what happens to those that are permitted.

use std::sync::Arc;

use super::limits::Limits;
use super::reauthorize::Reauthorization;
use super::settings::RedirectSettings;
use crate::endpoints::{Application, Endpoint};
use crate::forward::{Plan, Upstream};
use crate::limit::Concurrency;
use crate::route::PathPrefix;
use crate::telemetry::RequestStats;

/// What serves the requests of a route.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) limits: Limits,
    pub(super) concurrency: Concurrency,
    pub(super) action: Action,
    pub(super) stats: Arc<RequestStats>,
    /// When its exchanges are judged anew.
    pub(super) calls: Arc<Reauthorization>,
    /// Of which configuration it is.
    pub(super) generation: u64,
}

/// What happens to a permitted request.
#[derive(Debug)]
pub(super) enum Action {
    /// It is forwarded.
    Forward(Arc<Upstream>, Box<Plan>),
    /// The client is sent elsewhere.
    Redirect(RedirectSettings),
    /// The gateway itself answers, with what stands at the route's path.
    Serve(Application, PathPrefix),
    /// The gateway itself answers, with what stands on every host.
    Endpoint(Endpoint),
}
