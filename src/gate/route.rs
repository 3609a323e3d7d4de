//! A route, compiled: what its settings mean, ready to be asked at every request.

use std::sync::Arc;
use std::time::Duration;

use super::limits::Limits;
use super::settings::{OriginSettings, RedirectSettings, RouteAction, RouteSettings};
use crate::authn::Accept;
use crate::endpoints::Application;
use crate::forward::{ForwardSettings, Plan, ReservedHeaders, TokenPass, Upstream, UpstreamSettings};
use crate::identity::RouteName;
use crate::limit::Concurrency;
use crate::policy::{Access, AccessSettings};
use crate::request::PathExceptions;
use crate::session::StreamUse;
use crate::telemetry::{Outcome, RequestStats};

/// What the gate asks at every request of a route.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) name: RouteName,
    pub(super) access: Access,
    pub(super) accept: Accept,
    pub(super) realm: Box<str>,
    pub(super) limits: Limits,
    pub(super) concurrency: Concurrency,
    pub(super) tolerated: PathExceptions,
    pub(super) action: Action,
    pub(super) stats: Arc<RequestStats>,
    /// How long downloads and uploads may go on behind the expiry of their bearer token.
    pub(super) after_expiry: Duration,
    /// Whether a stream that stays open is use of its session.
    pub(super) streams: StreamUse,
    /// What pages of other origins may do.
    pub(super) origins: OriginSettings,
    /// Whether its app is handed the session's access token, which must be good then.
    passes_token: bool,
}

/// What happens to a permitted request.
#[derive(Debug)]
pub(super) enum Action {
    Forward(Arc<Upstream>, Box<Plan>),
    Redirect(RedirectSettings),
    Serve(Application),
}

/// What challenges call the protection space where nothing else is said.
pub(super) const REALM: &str = "portcullis";

impl Route {
    /// Compiles `settings`; `upstream` gives the shared upstream for its settings. The route that had this
    /// name `before` hands on what it has counted, so that a reload forgives nobody.
    pub(super) fn compile<E>(
        settings: &RouteSettings,
        reserved: &Arc<ReservedHeaders>,
        stats: Arc<RequestStats>,
        before: Option<&Self>,
        upstream: impl FnOnce(&UpstreamSettings) -> Result<Arc<Upstream>, E>,
    ) -> Result<Self, E> {
        let (action, passes_token) = match &settings.action {
            RouteAction::Forward { upstream: servers, forward } => {
                let plan = Plan::compile(forward, Arc::clone(reserved));
                (Action::Forward(upstream(servers)?, Box::new(plan)), passes_token(forward))
            }
            RouteAction::Redirect(redirect) => (Action::Redirect(redirect.clone()), false),
        };
        Ok(Self {
            name: settings.name.clone(),
            access: Access::compile(&settings.access),
            accept: settings.accept,
            realm: settings.realm.as_str().into(),
            limits: Limits::new(&settings.limits, before.map(|before| &before.limits)),
            concurrency: Concurrency::new(settings.concurrency),
            tolerated: settings.path_exceptions,
            action,
            stats,
            after_expiry: settings.after_expiry,
            streams: settings.streams,
            origins: settings.origins.clone(),
            passes_token,
        })
    }

    /// One of the gateway's own endpoints: a row of a table like all others, on the same path.
    pub(super) fn serving(application: Application, stats: Arc<RequestStats>, limits: Limits) -> Self {
        Self { limits, ..Self::ours(Action::Serve(application), stats) }
    }

    /// What the gateway does by itself for everybody.
    pub(super) fn ours(action: Action, stats: Arc<RequestStats>) -> Self {
        Self {
            name: stats.route().clone(),
            access: Access::compile(&AccessSettings::Public),
            accept: Accept::NOTHING,
            realm: REALM.into(),
            limits: Limits::default(),
            concurrency: Concurrency::new(None),
            tolerated: PathExceptions::default(),
            action,
            stats,
            after_expiry: Duration::ZERO,
            streams: StreamUse::default(),
            origins: OriginSettings::default(),
            passes_token: false,
        }
    }

    /// How a request that went on is counted.
    pub(super) fn outcome(&self) -> Outcome {
        match self.action {
            Action::Serve(_) | Action::Redirect(_) => Outcome::Own,
            Action::Forward(..) if self.access.is_public() => Outcome::Public,
            Action::Forward(..) => Outcome::Allowed,
        }
    }

    /// How many leading segments of a path its app does not see.
    pub(super) fn stripped(&self) -> usize {
        match &self.action {
            Action::Forward(_, plan) => plan.stripped(),
            Action::Redirect(_) | Action::Serve(_) => 0,
        }
    }

    pub(super) const fn passes_token(&self) -> bool {
        self.passes_token
    }
}

fn passes_token(forward: &ForwardSettings) -> bool {
    forward.identity.token == TokenPass::Access
}
