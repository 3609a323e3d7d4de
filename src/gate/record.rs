//! One request from its head to the end of its response, and the line and the counts it leaves.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, Method, StatusCode};

use super::credential::{Credential, CredentialEnd};
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::route::{REALM, Route};
use crate::endpoints::RequestContext;
use crate::identity::{Principal, ProviderName, RequestId};
use crate::limit::{ConcurrencyPermit, RateLimitState};
use crate::policy::Reason;
use crate::request::Transport;
use crate::telemetry::{AccessLine, Outcome, RequestStats};

/// Ends when it is dropped, however the response ends: it is the one place that records.
#[derive(Debug)]
pub(super) struct RequestRecord {
    pub(super) id: RequestId,
    pub(super) transport: Arc<Transport>,
    pub(super) inbound: Option<Inbound>,
    pub(super) route: Option<Arc<Route>>,
    pub(super) principal: Option<Arc<Principal>>,
    /// What the response lives by.
    pub(super) credential: Credential,
    /// The provider that a sign-in has to go to, where only that one can help.
    pub(super) sign_in_at: Option<ProviderName>,
    /// What the policy decided, where it was asked.
    pub(super) decision: Option<Reason>,
    /// Whether a refusal may ask for Basic: the route takes it, and no browser would put up its dialog.
    pub(super) asks_basic: bool,
    /// Whether a `Destination` was judged, which the app is told in its own words.
    pub(super) has_destination: bool,
    /// The origin whose scripts may read a refusal.
    pub(super) reader: Option<HeaderValue>,
    pub(super) standing: RateLimitState,
    pub(super) slot: Option<ConcurrencyPermit>,
    pub(super) status: u16,
    pub(super) bytes: u64,
    /// Whether the end of the response's body has been seen.
    pub(super) ended: bool,
    outcome: Outcome,
    reason: Cow<'static, str>,
    log: bool,
    unrouted: Arc<RequestStats>,
    started: Instant,
}

impl RequestRecord {
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
            credential: Credential::default(),
            sign_in_at: None,
            decision: None,
            asks_basic: false,
            has_destination: false,
            reader: None,
            standing: RateLimitState::default(),
            slot: None,
            status: 0,
            bytes: 0,
            ended: false,
            outcome: Outcome::Aborted,
            reason: Cow::Borrowed("the client left before there was an answer"),
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

    /// Notes that every step let the request go on.
    pub(super) fn passed(&mut self, status: StatusCode) {
        let outcome = self.route.as_ref().map_or(Outcome::Own, |route| route.outcome());
        self.answered(status.as_u16(), outcome, "");
    }

    /// Notes how the response broke off; the first cause stays.
    pub(super) fn broke_off(&mut self, outcome: Outcome, reason: impl Into<Cow<'static, str>>) {
        if !matches!(self.outcome, Outcome::UpstreamError | Outcome::Aborted) {
            self.answered(self.status, outcome, reason);
        }
    }

    /// Notes that it was cut off with its credential.
    pub(super) fn cut_off(&mut self, end: CredentialEnd) {
        self.broke_off(Outcome::Aborted, format!("cut off: {end}"));
    }

    /// Whether a client reads the body of the response: not of one to `HEAD`.
    pub(super) fn has_body(&self) -> bool {
        self.inbound.as_ref().is_none_or(|inbound| inbound.method != Method::HEAD)
    }

    /// The request as it was read.
    pub(super) fn inbound(&self) -> Result<&Inbound, Rejection> {
        self.inbound.as_ref().ok_or(Rejection::Internal("a request that was not read"))
    }

    /// The request as the endpoints see it.
    pub(super) fn context(&self) -> Result<RequestContext<'_>, Rejection> {
        let inbound = self.inbound()?;
        Ok(RequestContext {
            id: &self.id,
            authority: &inbound.authority,
            forwarding: &inbound.forwarding,
            path: &inbound.path,
            realm: self.realm(),
        })
    }

    /// What a challenge calls the protection space.
    pub(super) fn realm(&self) -> &str {
        self.route.as_deref().map_or(REALM, |route| &route.realm)
    }

    fn write(&self) {
        let inbound = self.inbound.as_ref();
        let reason = self.words();
        let line = AccessLine {
            id: self.id.as_str(),
            client: Some(inbound.map_or(self.transport.peer.ip(), |inbound| inbound.forwarding.client.ip())),
            method: inbound.map_or("-", |inbound| inbound.method.as_str()),
            host: inbound.map_or("-", |inbound| inbound.authority.as_str()),
            path: inbound.map_or("-", |inbound| inbound.path.raw()),
            route: self.route.as_ref().map(|route| route.name.as_str()),
            user: self.principal.as_ref().map(|who| (who.provider.as_str(), who.user.as_str())),
            status: self.status,
            outcome: self.outcome,
            reason: &reason,
            bytes: self.bytes,
            took: self.started.elapsed(),
        };
        line.write();
    }

    /// The exact cause, or else the rule that decided.
    fn words(&self) -> Cow<'_, str> {
        match (self.route.as_ref(), self.decision) {
            (Some(route), Some(decision)) if self.reason.is_empty() => {
                decision.said(&route.access).to_string().into()
            }
            _ => Cow::Borrowed(&self.reason),
        }
    }
}

impl Drop for RequestRecord {
    fn drop(&mut self) {
        let stats = self.route.as_ref().map_or(&self.unrouted, |route| &route.stats);
        stats.record(self.transport.worker.0, self.outcome, self.started.elapsed());
        if self.log {
            self.write();
        }
    }
}
