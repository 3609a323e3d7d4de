//! One request from its head to the end of its response, and the line and the counts it leaves.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use http::header::USER_AGENT;
use http::{HeaderValue, Method, Request, StatusCode, Version};

use super::authorize::Grounds;
use super::credential::Credential;
use super::inbound::Inbound;
use super::review::{Cut, Exchange};
use super::route::Route;
use super::spans;
use crate::endpoints::device_in_words;
use crate::events::{Access, AccessEvent, Kind, Recorder, Shown};
use crate::identity::{Principal, RequestId};
use crate::limit::{ConcurrencyPermit, RateLimitState};
use crate::policy::Reason;
use crate::request::Transport;
use crate::telemetry::{Outcome, RequestStats};
use crate::trace::{Digits, RequestTrace, TraceQueue};

/// How often it is told that an answer without an end goes on, in microseconds.
const OPEN_EVERY: u64 = 15 * 60 * 1_000_000;

/// A request, from its head to the end of its response.
///
/// It is begun before anything is read, gets its `inbound` once the head is read, is told by [`Notes::answered`]
/// which answer goes out, and then moves into the body of the response, or into the task of an upgraded connection.
/// Its drop, wherever it happens, writes the line of the log and the counts: once for each request. Until it is
/// answered it counts as left by the client. It lends what it is given to the steps of the request, and none of
/// them reads a note back.
#[derive(Debug)]
pub(super) struct RequestRecord {
    pub(super) id: RequestId,
    /// The trace that it belongs to. Boxed: most have none.
    pub(super) trace: Option<Box<RequestTrace>>,
    pub(super) transport: Arc<Transport>,
    pub(super) inbound: Option<Inbound>,
    pub(super) notes: Notes,
    /// The version of HTTP and the browser's word for itself, where a sink asks for them.
    agent: Option<(&'static str, Option<HeaderValue>)>,
    keeper: Arc<RecordKeeper>,
    started: Instant,
    /// When it was told last that it goes on, in microseconds of the monotonic clock; 0: never.
    open_told: AtomicU64,
}

/// Where records go.
#[derive(Debug)]
pub(super) struct RecordKeeper {
    /// The counts of requests that no route claims.
    pub(super) unrouted: Arc<RequestStats>,
    pub(super) recorder: Recorder,
    /// Where recorded requests go.
    pub(super) traces: TraceQueue,
}

/// What the steps of a request find out, for its line and the counts; and what is held until the response has ended.
#[derive(Debug)]
pub(super) struct Notes {
    pub(super) route: Option<Arc<Route>>,
    pub(super) principal: Option<Arc<Principal>>,
    /// How that was shown.
    pub(super) shown: Option<Shown>,
    /// What somebody would need whom the rules refuse.
    pub(super) missing: Vec<String>,
    /// By which rule it was let in.
    pub(super) decision: Option<Reason>,
    /// The credential that the response lives by: when it ends, the response is cut off.
    pub(super) credential: Credential,
    /// What it was let in on, once its app has answered.
    pub(super) grounds: Option<Grounds>,
    /// What the rates leave to the client.
    pub(super) rate: RateLimitState,
    /// Its place among the requests that the route lets be under way at once.
    pub(super) concurrency: Option<ConcurrencyPermit>,
    pub(super) status: u16,
    /// When its app began to answer.
    pub(super) upstream: Option<Instant>,
    /// Bytes of the response's body.
    pub(super) bytes: u64,
    /// Whether what goes on behind the head of the response has no end that is known.
    pub(super) endless: bool,
    /// Whether the end of the response's body has been seen.
    pub(super) ended: bool,
    pub(super) outcome: Outcome,
    reason: Cow<'static, str>,
}

impl Notes {
    /// Notes how the request was answered; the end of its body is still to come.
    pub(super) fn answered(
        &mut self,
        status: StatusCode,
        outcome: Outcome,
        reason: impl Into<Cow<'static, str>>,
    ) {
        self.status = status.as_u16();
        self.ends(outcome, reason);
    }

    fn ends(&mut self, outcome: Outcome, reason: impl Into<Cow<'static, str>>) {
        self.outcome = outcome;
        self.reason = reason.into();
    }

    /// Notes how the response broke off; the first cause stays.
    pub(super) fn broke_off(&mut self, outcome: Outcome, reason: impl Into<Cow<'static, str>>) {
        if !matches!(self.outcome, Outcome::UpstreamError | Outcome::Aborted) {
            self.ends(outcome, reason);
        }
    }

    /// Notes that it was cut off.
    pub(super) fn cut_off(&mut self, cut: &Cut) {
        self.broke_off(Outcome::Aborted, format!("cut off: {cut}"));
    }

    /// It was not let through after all, whatever rule would have.
    pub(super) fn is_refused(&mut self) {
        self.decision = None;
    }

    /// Whether it was let through, whatever became of it afterwards.
    const fn access(&self) -> Access {
        match self.decision {
            Some(_) => Access::Granted,
            None => Access::Refused,
        }
    }
}

impl Default for Notes {
    fn default() -> Self {
        Self {
            route: None,
            principal: None,
            shown: None,
            missing: Vec::new(),
            decision: None,
            credential: Credential::default(),
            grounds: None,
            rate: RateLimitState::default(),
            concurrency: None,
            status: 0,
            upstream: None,
            bytes: 0,
            endless: false,
            ended: false,
            outcome: Outcome::Aborted,
            reason: Cow::Borrowed("the client left before there was an answer"),
        }
    }
}

impl RequestRecord {
    pub(super) fn start<B>(
        id: RequestId,
        trace: Option<RequestTrace>,
        transport: &Arc<Transport>,
        keeper: &Arc<RecordKeeper>,
        request: &Request<B>,
    ) -> Self {
        let agent = || (version(request.version()), request.headers().get(USER_AGENT).cloned());
        Self {
            id,
            trace: trace.map(Box::new),
            transport: Arc::clone(transport),
            inbound: None,
            notes: Notes::default(),
            agent: keeper.recorder.wants_agent().then(agent),
            keeper: Arc::clone(keeper),
            started: Instant::now(),
            open_told: AtomicU64::new(0),
        }
    }

    /// What goes on behind its answer, where that is an app's; `upgraded`: in another protocol.
    pub(super) fn exchange(&self, upgraded: bool) -> Option<Exchange<'_>> {
        let Notes { route, grounds, .. } = &self.notes;
        Some(Exchange {
            inbound: self.inbound.as_ref()?,
            route: route.as_ref()?,
            grounds: grounds.as_ref()?,
            upgraded,
        })
    }

    /// Whether a client reads the body of the response: not of one to `HEAD`.
    pub(super) fn has_body(&self) -> bool {
        self.inbound.as_ref().is_none_or(|inbound| inbound.method != Method::HEAD)
    }

    /// Tells that an answer begins which has no end that is known, where it is one.
    pub(super) fn tell_opened(&self) {
        if self.notes.endless && self.notes.decision.is_some() && self.has_body() {
            self.open_told.store(self.now(), Relaxed);
            self.tell(Access::Opened, self.started.elapsed());
        }
    }

    /// Tells that it still goes on, where that was told long ago.
    pub(super) fn tell_open(&self) {
        let told = self.open_told.load(Relaxed);
        if told != 0 && self.now().saturating_sub(told) >= OPEN_EVERY {
            self.open_told.store(self.now(), Relaxed);
            self.tell(Access::Open, self.started.elapsed());
        }
    }

    /// At least 1.
    fn now(&self) -> u64 {
        let now = self.keeper.recorder.clock().monotonic();
        u64::try_from(now.as_micros()).unwrap_or(u64::MAX).max(1)
    }

    /// The path as it may be told, of this route.
    pub(super) fn path(&self) -> Cow<'_, str> {
        let Some(inbound) = &self.inbound else { return Cow::Borrowed("-") };
        let is_clear = self.notes.outcome != Outcome::BadRequest;
        let masks = self.notes.route.as_ref().map(|route| &route.masks);
        masks.map_or(Cow::Borrowed(inbound.path.raw()), |masks| masks.told(&inbound.path, is_clear))
    }

    fn tell(&self, access: Access, took: Duration) {
        let (inbound, notes) = (self.inbound.as_ref(), &self.notes);
        let kind = match access {
            Access::Granted => Kind::AccessGranted,
            Access::Refused => Kind::AccessRefused,
            Access::Opened => Kind::AccessOpened,
            Access::Open => Kind::AccessOpen,
        };
        if !self.keeper.recorder.wants(kind) {
            return;
        }
        let by = notes.route.as_ref().zip(notes.decision);
        let rule = by.as_ref().map(|(route, decision)| decision.in_words(&route.access));
        let trace = self.trace.as_ref().map(|trace| trace.own.trace.digits());
        let words = notes.credential.session().map(|session| session.words(device_in_words));
        let (http, agent) = self.agent.as_ref().map(|(http, agent)| (*http, agent.as_ref())).unzip();
        self.keeper.recorder.emit(&AccessEvent {
            access,
            id: self.id.as_str(),
            trace: trace.as_ref().map(Digits::as_str),
            client: inbound.map_or(self.transport.peer.ip(), |inbound| inbound.forwarding.client.ip()),
            agent: agent.flatten().map(HeaderValue::as_bytes),
            http,
            method: inbound.map_or("-", |inbound| inbound.method.as_str()),
            host: inbound.map_or("-", |inbound| inbound.authority.as_str()),
            path: &self.path(),
            route: notes.route.as_ref().map(|route| &route.words),
            who: notes.principal.as_deref(),
            shown: notes.shown,
            device: words.map(|words| &*words.device),
            amr: words.map_or(&[], |words| &words.amr),
            status: notes.status,
            outcome: notes.outcome,
            rule: rule.as_ref().map(|rule| rule as &dyn Display),
            missing: &notes.missing,
            reason: &notes.reason,
            bytes: notes.bytes,
            took,
            upstream: notes.upstream.map(|at| at.saturating_duration_since(self.started)),
        });
    }
}

pub(super) const fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

impl Drop for RequestRecord {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let stats = self.notes.route.as_ref().map_or(&self.keeper.unrouted, |route| &route.service.stats);
        stats.record(self.transport.worker.0, self.notes.outcome, took);
        if let Some(trace) = self.trace.as_ref().filter(|trace| trace.own.sampled) {
            stats.note_example(
                self.transport.worker.0,
                took,
                trace.own.trace,
                self.keeper.recorder.clock().moment(),
            );
            let recorded = trace.recording.as_ref().and_then(|it| it.finish(spans::of_request(self, trace)));
            recorded.into_iter().for_each(|recorded| self.keeper.traces.put(recorded));
        }
        self.tell(self.notes.access(), took);
    }
}

#[cfg(test)]
mod tests;
