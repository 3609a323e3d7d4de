//! What the admin listener tells of the process: what is missing, what is measured at a scrape, and what the management
//! API acts on.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::control::Predecessors;
use super::{Draining, Event, Runtime};
use crate::admin::{
    LimitState, Management, Missing, ProcessRequest, ProviderKeys, ProviderOverview, ProviderState,
    RotationRequest, RouteLimits, SignalsOverview,
};
use crate::clock::Timestamp;
use crate::gate::{Gate, ProviderCondition};
use crate::limit::LimitUsage;
use crate::listener::{ConnectionRefusal, ConnectionStats};
use crate::session::Sessions;
use crate::signals::{SignalsSettings, StreamStatus};
use crate::storage::StateHealth;
use crate::telemetry::{Metrics, Scrape};

/// What readiness is found out from.
#[derive(Debug)]
pub(super) struct ReadinessSources {
    pub(super) gate: Gate,
    pub(super) state: StateHealth,
    pub(super) draining: Draining,
    pub(super) predecessors: Predecessors,
}

impl ReadinessSources {
    /// What keeps the process from its work. Where a provider or the state file is away, all that does not
    /// need it goes on; so only the drain makes the process as a whole unready.
    pub(super) fn missing(&self) -> Vec<Missing> {
        let part = |what: &str, why: &str| Missing { what: what.into(), why: why.into(), fatal: false };
        let drain = self.draining.has_begun().then(|| Missing { fatal: true, ..part("process", DRAINING) });
        let before = (self.predecessors.count() > 0).then(|| part("predecessor", PREDECESSOR));
        let state = self.state.troubles().into_iter().map(|why| part("state", &why));
        let gate = self.gate.missing().into_iter().map(|missing| part(&missing.what, &missing.why));
        drain.into_iter().chain(before).chain(state).chain(gate).collect()
    }
}

const DRAINING: &str = "it is draining: it takes no new connections, and ends when those it has are done";
const PREDECESSOR: &str = "the process that this one has taken over from is draining: its streams still live";

/// What the management API acts on.
pub(super) fn management(
    gate: &Gate,
    sessions: &Sessions,
    events: &mpsc::Sender<Event>,
    written: watch::Receiver<Arc<Value>>,
    rotate: mpsc::Sender<RotationRequest>,
) -> Management {
    let (gate, told, limited, events) = (gate.clone(), gate.clone(), gate.clone(), events.clone());
    Management {
        sessions: sessions.clone(),
        providers: Arc::new(move || gate.providers().into_iter().map(provider).collect()),
        signals: Arc::new(move || told.signals().into_iter().map(signals).collect()),
        limits: Arc::new(move || limited.limits().into_iter().map(limits).collect()),
        configuration: Arc::new(move || Arc::clone(&written.borrow())),
        rotate,
        process: Arc::new(move |request| {
            let event = match request {
                ProcessRequest::Reload => Event::Reload,
                ProcessRequest::Drain => Event::Drain,
            };
            events.try_send(event).is_ok()
        }),
    }
}

fn signals((settings, status): (SignalsSettings, StreamStatus)) -> SignalsOverview {
    SignalsOverview {
        name: settings.name,
        transmitter: settings.transmitter.to_string(),
        provider: settings.provider.to_string(),
        stream: status.stream,
        since: status.since.rfc3339(),
        reason: status.reason,
        verified: status.verified.map(Timestamp::rfc3339),
        heard: status.heard.map(Timestamp::rfc3339),
        undelivered: status.undelivered,
    }
}

fn limits((route, limits): (String, Vec<LimitUsage>)) -> RouteLimits {
    let state = |LimitUsage { name, burst, window, keys, at_bound, refused }| LimitState {
        name,
        burst,
        window,
        counted: keys,
        at_bound,
        refused,
    };
    RouteLimits { route, limits: limits.into_iter().map(state).collect() }
}

fn provider(condition: ProviderCondition) -> ProviderOverview {
    let ProviderCondition { name, issuer, since, has_metadata, reason, has_keys, keys_age } = condition;
    let state = match (&reason, has_metadata) {
        (None, _) => ProviderState::Ready,
        (Some(_), true) => ProviderState::Failing,
        (Some(_), false) => ProviderState::Unavailable,
    };
    let keys = ProviderKeys { known: has_keys, age: keys_age.map(|age| age.as_secs()) };
    let (name, issuer) = (name.to_string(), issuer.to_string());
    ProviderOverview { name, issuer, state, since: since.rfc3339(), reason, keys }
}

/// Puts the state file's health, and how sign-ins have ended, into the metrics.
#[expect(clippy::cast_precision_loss, reason = "nobody signs out 2^53 times")]
pub(super) fn state(metrics: &Metrics, health: &StateHealth, sessions: &Sessions) {
    let (health, sessions) = (health.clone(), sessions.clone());
    metrics.scrape_from("state", move || {
        let value = |name, help, value| Scrape { name, help, labels: Vec::new(), value };
        let up = f64::from(u8::from(health.troubles().is_empty()));
        let waiting = sessions.endings_waiting() as f64;
        let ended = sessions.ends().map(|(why, count)| Scrape {
            labels: vec![("reason", why.word().to_owned())],
            ..value("sessions_ended", "Sign-ins that have ended in this process, by reason", count as f64)
        });
        let state = [
            value("state_up", "Whether the state file takes what is written and is in its place", up),
            value(
                "state_endings_waiting",
                "Sign-outs that hold and that the state file has not taken",
                waiting,
            ),
        ];
        state.into_iter().chain(ended).collect()
    });
}

/// Puts what happens on each listener into the metrics.
pub(super) fn listeners(metrics: &Metrics, runtime: &Runtime) {
    let tallies: Vec<_> = runtime.tallies().collect();
    metrics.scrape_from("listeners", move || {
        tallies.iter().flat_map(|(address, stats)| counts(address, stats)).collect()
    });
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
fn counts(address: &SocketAddr, stats: &ConnectionStats) -> Vec<Scrape> {
    let value = |name, help, more: Option<(&'static str, String)>, count: u64| Scrape {
        name,
        help,
        labels: std::iter::once(("listener", address.to_string())).chain(more).collect(),
        value: count as f64,
    };
    let accepted =
        value("connections_accepted", "Connections accepted since the start", None, stats.accepted());
    let refused = ConnectionRefusal::ALL.map(|refusal| {
        let reason = Some(("reason", refusal.as_str().to_owned()));
        let help = "Connections that ended before the gate saw a request, by reason";
        value("connections_refused", help, reason, stats.refused(refusal))
    });
    std::iter::once(accepted).chain(refused).collect()
}
