//! A route, compiled: what its settings mean, ready to be asked at every request.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::endpoints::Front;
use super::path_mask::PathMasks;
use super::service::{Action, Service};
use super::settings::{OriginSettings, RouteAction, RouteSettings};
use crate::authn::Accept;
use crate::clock::Timestamp;
use crate::events::RouteWords;
use crate::forward::TokenPass;
use crate::identity::{RouteName, recent_until};
use crate::policy::{Access, AccessSettings};
use crate::request::PathExceptions;
use crate::secret::fingerprint;
use crate::session::{NetworkPrefix, Session, StreamUse};
use crate::telemetry::Outcome;

/// What is asked of a route when its requests are judged; and what serves them, of which nothing is asked before.
#[derive(Debug)]
pub(super) struct Route<S = Service> {
    pub(super) name: RouteName,
    /// The same as it stands in events.
    pub(super) words: RouteWords,
    pub(super) access: Arc<Access>,
    /// Where people enter its app, where they are led to it.
    pub(super) front: Option<Front>,
    pub(super) accept: Accept,
    pub(super) realm: Box<str>,
    pub(super) tolerated: PathExceptions,
    /// What of its paths is told nowhere.
    pub(super) masks: PathMasks,
    /// How many leading segments of a path its app does not see.
    pub(super) stripped: usize,
    /// How long downloads and uploads may go on behind the expiry of their bearer token.
    pub(super) after_expiry: Duration,
    /// Whether a stream that stays open is use of its session.
    pub(super) streams: StreamUse,
    /// How long ago the sign-in behind a session may have been.
    pub(super) session_max_age: Option<Duration>,
    /// How long a session may go without a use of this route.
    pub(super) session_idle_timeout: Option<Duration>,
    /// What is one network, where that counts.
    pub(super) session_network: Option<NetworkPrefix>,
    /// What pages of other origins may do.
    pub(super) origins: OriginSettings,
    /// Whether its app is handed the session's access token, which must be good then.
    pub(super) passes_token: bool,
    pub(super) service: S,
}

/// A route is told apart by its name, whichever configuration it is of.
fn words(name: &RouteName) -> RouteWords {
    let digest = fingerprint(name.as_str().as_bytes());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    RouteWords::new(number.max(1), name.as_str())
}

/// What challenges call the protection space where nothing else is said.
pub(super) const REALM: &str = "portcullis";

impl<S> Route<S> {
    /// Until when, that second included, `session` is young enough for the route: by the sign-in here or, where that was
    /// later, by the last one at the provider that is known.
    pub(super) fn session_until(&self, session: &Session) -> Option<Timestamp> {
        Some(recent_until(signed_in(session), self.session_max_age?))
    }

    /// Until when, that second included, `session` may go on here without a use of the route.
    pub(super) fn idle_until(&self, session: &Session) -> Option<Timestamp> {
        let idle_timeout = self.session_idle_timeout?;
        let used = session.last_used_on(&self.name).into_iter().chain([signed_in(session)]).max();
        used.map(|at| recent_until(at, idle_timeout))
    }

    /// Notes a use, where the route asks when it was.
    pub(super) fn note_use(&self, session: Option<&Session>) {
        if self.session_idle_timeout.is_some() {
            session.iter().for_each(|session| session.used_on(&self.name));
        }
    }

    /// One of the configuration.
    pub(super) fn compile(settings: &RouteSettings, service: S) -> Self {
        let (stripped, passes_token) = match &settings.action {
            RouteAction::Forward { forward, .. } => {
                (forward.rewrite.stripped(), forward.identity.token == TokenPass::Access)
            }
            RouteAction::Redirect(_) | RouteAction::Serve(_) => (0, false),
        };
        Self {
            name: settings.name.clone(),
            words: words(&settings.name),
            access: Arc::new(Access::compile(&settings.access)),
            front: Front::compile(settings),
            accept: settings.accept,
            realm: settings.realm.as_str().into(),
            tolerated: settings.path_exceptions,
            masks: settings.path_masks.clone(),
            stripped,
            after_expiry: settings.after_expiry,
            streams: settings.streams,
            session_max_age: settings.session_max_age,
            session_idle_timeout: settings.session_idle_timeout,
            session_network: settings.session_network,
            origins: settings.origins.clone(),
            passes_token,
            service,
        }
    }

    /// What the gateway does by itself for everybody: a row of a table like all others, on the same path.
    pub(super) fn ours(name: RouteName, service: S) -> Self {
        Self {
            words: words(&name),
            name,
            access: Arc::new(Access::compile(&AccessSettings::Public)),
            front: None,
            accept: Accept::NOTHING,
            realm: REALM.into(),
            tolerated: PathExceptions::default(),
            masks: PathMasks::default(),
            stripped: 0,
            after_expiry: Duration::ZERO,
            streams: StreamUse::default(),
            session_max_age: None,
            session_idle_timeout: None,
            session_network: None,
            origins: OriginSettings::default(),
            passes_token: false,
            service,
        }
    }
}

/// When its person last proved who they are, as far as is known.
fn signed_in(session: &Session) -> Timestamp {
    session.principal.auth_time.map_or(session.created, |at| at.max(session.created))
}

impl Route {
    /// How a request that went on and was answered so is counted: an application of ours refuses some by itself.
    pub(super) fn outcome_of(&self, status: StatusCode) -> Outcome {
        match (&self.service.action, status) {
            (Action::Serve(..), StatusCode::FORBIDDEN) => Outcome::Forbidden,
            (Action::Serve(..), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) => Outcome::NotFound,
            _ => self.outcome(),
        }
    }

    /// How a request that went on is counted.
    pub(super) fn outcome(&self) -> Outcome {
        match self.service.action {
            Action::Serve(..) | Action::Endpoint(_) | Action::Redirect(_) => Outcome::Own,
            Action::Forward(..) if self.access.is_public() => Outcome::Public,
            Action::Forward(..) => Outcome::Allowed,
        }
    }
}
