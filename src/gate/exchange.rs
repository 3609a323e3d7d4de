//! One request from its head to the end of its response, and the line and the counts it leaves.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::inbound::Inbound;
use super::route::Route;
use crate::identity::{Principal, RequestId};
use crate::limit::Slot;
use crate::request::Transport;
use crate::telemetry::{AccessLine, Outcome, RequestStats};

/// Ends when it is dropped, however the response ends: it is the one place that records.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) id: RequestId,
    pub(super) transport: Arc<Transport>,
    pub(super) inbound: Option<Inbound>,
    pub(super) route: Option<Arc<Route>>,
    pub(super) principal: Option<Arc<Principal>>,
    pub(super) outcome: Outcome,
    pub(super) reason: Cow<'static, str>,
    pub(super) status: u16,
    pub(super) bytes: u64,
    pub(super) slot: Option<Slot>,
    pub(super) log: bool,
    unrouted: Arc<RequestStats>,
    started: Instant,
}

impl Exchange {
    pub(super) fn start(
        id: RequestId,
        transport: &Arc<Transport>,
        unrouted: &Arc<RequestStats>,
        log: bool,
    ) -> Self {
        Self {
            id,
            transport: Arc::clone(transport),
            inbound: None,
            route: None,
            principal: None,
            outcome: Outcome::Aborted,
            reason: Cow::Borrowed(""),
            status: 0,
            bytes: 0,
            slot: None,
            log,
            unrouted: Arc::clone(unrouted),
            started: Instant::now(),
        }
    }

    /// Notes how the request was answered; the end of its body is still to come.
    pub(super) fn answered(&mut self, status: u16, outcome: Outcome, reason: impl Into<Cow<'static, str>>) {
        self.status = status;
        self.outcome = outcome;
        self.reason = reason.into();
    }

    /// Whether a failure is on record already.
    pub(super) fn has_failed(&self) -> bool {
        self.outcome == Outcome::UpstreamError
    }

    fn line(&self) -> AccessLine<'_> {
        let inbound = self.inbound.as_ref();
        AccessLine {
            id: self.id.as_str(),
            client: Some(inbound.map_or(self.transport.peer.ip(), |inbound| inbound.forwarding.client.ip())),
            method: inbound.map_or("-", |inbound| inbound.method.as_str()),
            host: inbound.map_or("-", |inbound| inbound.authority.host()),
            path: inbound.map_or("-", |inbound| inbound.path.raw()),
            route: self.route.as_ref().map(|route| route.name.as_str()),
            user: self.principal.as_ref().map(|who| (who.provider.as_str(), who.user.as_str())),
            status: self.status,
            outcome: self.outcome,
            reason: &self.reason,
            bytes: self.bytes,
            took: self.started.elapsed(),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let stats = self.route.as_ref().map_or(&self.unrouted, |route| &route.stats);
        stats.record(self.transport.worker.0, self.outcome, self.started.elapsed());
        if self.log {
            self.line().write();
        }
    }
}
