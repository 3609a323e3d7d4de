//! What the admin listener tells of the process: what is missing, what is measured at a scrape, and what the management
//! API acts on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::console::Loaded;
use super::control::Predecessors;
use super::session_engine::SessionEngine;
use super::verifying::{RecordState, Verified};
use super::{Draining, Event, Runtime};
use crate::admin::{
    LimitState, Management, Missing, ProviderKeys, ProviderOverview, ProviderState, RouteLimits,
    SignalsOverview,
};
use crate::clock::{Clock, Timestamp};
use crate::console::SharedShown;
use crate::events::Recorder;
use crate::gate::{Gate, Observers, ProviderCondition};
use crate::limit::LimitUsage;
use crate::listener::{ConnectionRefusal, ConnectionStats};
use crate::operate::{Operations, ProcessRequest, RotationRequest};
use crate::session::{LogHealth, Replica, Sessions};
use crate::signals::{SignalsSettings, StreamStatus};
use crate::sinks::{Audit, ExportHealth, Exporter, Exports, SinkHealth};
use crate::storage::StateHealth;
use crate::storage::redis::RedisHealth;
use crate::telemetry::{Metrics, Scrape};

/// What readiness is found out from.
#[derive(Debug)]
pub(super) struct ReadinessSources {
    pub(super) gate: Gate,
    pub(super) audit: Arc<Audit>,
    pub(super) record: RecordState,
    pub(super) state: StateHealth,
    pub(super) shared: Option<SharedSources>,
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
        let shared =
            self.shared.iter().flat_map(SharedSources::troubles).map(|why| part("shared state", &why));
        let gate = self.gate.missing().into_iter().map(|missing| part(&missing.what, &missing.why));
        let sinks = self.audit.health().into_iter();
        let sinks = sinks.filter_map(|sink| Some(part(&format!("sink {}", sink.name), &sink.told()?)));
        let record = altered(&self.record.verified()).map(|why| part("record", &why));
        let of_record = sinks.chain(record);
        drain.into_iter().chain(before).chain(state).chain(shared).chain(of_record).chain(gate).collect()
    }
}

/// What is to be told of a record that is not as it was written.
fn altered(verified: &Verified) -> Option<String> {
    let (many, first) = (verified.findings, verified.first.as_deref()?);
    Some(match many {
        1 => format!("it is not as it was written: {first}; see `portcullis audit verify`"),
        many => format!(
            "it is not as it was written, {many} findings, the first: {first}; see `portcullis audit verify`"
        ),
    })
}

const DRAINING: &str = "it is draining: it takes no new connections, and ends when those it has are done";
const PREDECESSOR: &str = "the process that this one has taken over from is draining: its streams still live";

/// What is told of the Redis that gateways share.
#[derive(Clone, Debug)]
pub(super) struct SharedSources {
    redis: RedisHealth,
    log: LogHealth,
}

impl SharedSources {
    /// `None` where this gateway is alone.
    pub(super) fn of(engine: &SessionEngine, replica: Option<&Replica>) -> Option<Self> {
        let SessionEngine::Redis(sessions) = engine else { return None };
        Some(Self { redis: sessions.client().health().clone(), log: replica?.health().clone() })
    }

    /// As the console shows it.
    pub(super) fn shown(&self) -> SharedShown {
        SharedShown {
            trouble: self.redis.trouble(),
            commands: self.redis.commands(),
            unheard: self.log.age(),
            gaps: self.log.gaps(),
        }
    }

    fn troubles(&self) -> Vec<String> {
        let (age, left) = (self.log.age(), self.log.left());
        let unheard = (age >= UNHEARD).then(|| {
            let then = match left.is_zero() {
                true => "nobody with a session is let in before it is heard".to_owned(),
                false => format!("sessions go on from memory for {} s more", left.as_secs()),
            };
            format!("what other gateways end was not heard for {} s; {then}", age.as_secs())
        });
        self.redis.trouble().into_iter().chain(unheard).collect()
    }
}

/// The log of ends is heard each second; what is older is told.
const UNHEARD: Duration = Duration::from_secs(4);

/// Puts the Redis that gateways share into the metrics, where there is one.
#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
pub(super) fn shared(metrics: &Metrics, engine: &SessionEngine, replica: Option<&Replica>) {
    let Some(told) = SharedSources::of(engine, replica) else { return };
    metrics.scrape_from("shared state", move || {
        let value = |name, help, labels, value| Scrape { name, help, labels, value };
        let (done, failed) = told.redis.commands();
        let result = |result: &str| vec![("result", result.to_owned())];
        let commands = "Commands to the shared store since the start, by whether they were done";
        vec![
            value(
                "shared_state_up",
                "Whether the last command to the shared store was done",
                Vec::new(),
                f64::from(u8::from(told.redis.trouble().is_none())),
            ),
            value("shared_state_commands_total", commands, result("done"), done as f64),
            value("shared_state_commands_total", commands, result("failed"), failed as f64),
            value(
                "shared_state_unheard_seconds",
                "How long ago it was heard what other gateways end",
                Vec::new(),
                told.log.age().as_secs_f64(),
            ),
            value(
                "shared_state_gaps_total",
                "How often some of what others ended was missed and everything was read anew, since the start",
                Vec::new(),
                told.log.gaps() as f64,
            ),
        ]
    });
}

/// What operators act on.
pub(super) fn operations(
    sessions: &Sessions,
    recorder: &Recorder,
    audit: &Arc<Audit>,
    events: &mpsc::Sender<Event>,
    rotate: mpsc::Sender<RotationRequest>,
) -> Operations {
    let events = events.clone();
    let process = move |request| {
        let event = match request {
            ProcessRequest::Reload => Event::Reload,
            ProcessRequest::Drain => Event::Drain,
        };
        events.try_send(event).is_ok()
    };
    let (sessions, recorder, audit) = (sessions.clone(), recorder.clone(), Arc::clone(audit));
    Operations { sessions, recorder, audit, rotate, process: Arc::new(process) }
}

/// What the management API acts on.
pub(super) fn management(
    gate: &Gate,
    operations: Operations,
    audit: &Arc<Audit>,
    written: watch::Receiver<Arc<Value>>,
    loaded: watch::Receiver<Arc<Loaded>>,
) -> Management {
    let (audit, asked) = (Arc::clone(audit), Arc::clone(audit));
    let (gate, told, limited) = (gate.clone(), gate.clone(), gate.clone());
    Management {
        operations,
        providers: Arc::new(move || gate.providers().into_iter().map(provider).collect()),
        signals: Arc::new(move || told.signals().into_iter().map(signals).collect()),
        limits: Arc::new(move || limited.limits().into_iter().map(limits).collect()),
        events: Arc::new(move || audit.store()),
        reports: Arc::new(move |question, patience| {
            let loaded = Arc::clone(&loaded.borrow());
            loaded.report(question, asked.store()?, patience)
        }),
        configuration: Arc::new(move || Arc::clone(&written.borrow())),
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
            ..value(
                "sessions_ended_total",
                "Sign-ins that have ended in this process, by reason",
                count as f64,
            )
        });
        let state = [
            value("state_up", "Whether the state file takes what is written and is in its place", up),
            value(
                "state_endings_waiting",
                "Sign-outs that hold and that the session store has not taken",
                waiting,
            ),
        ];
        state.into_iter().chain(ended).collect()
    });
}

/// Puts how the sinks do into the metrics.
#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
pub(super) fn sinks(metrics: &Metrics, audit: &Arc<Audit>, recorder: &Recorder) {
    let (audit, recorder) = (Arc::clone(audit), recorder.clone());
    metrics.scrape_from("sinks", move || {
        let left_out = Scrape {
            name: "events_left_out_total",
            help: "Events of strangers that were more than the record takes of them in a second",
            labels: Vec::new(),
            value: recorder.left_out() as f64,
        };
        let of_sinks = audit.health();
        of_sinks.iter().flat_map(|sink| of_sink(sink).chain(of_spool(sink))).chain([left_out]).collect()
    });
}

/// Puts whether the record is as it was written into the metrics, where something is chained.
#[expect(clippy::cast_precision_loss, reason = "nobody finds 2^53 faults")]
pub(super) fn record(metrics: &Metrics, record: RecordState) {
    metrics.scrape_from("record", move || {
        let Verified { has_record, age, findings, .. } = record.verified();
        let value = |name, help, value| Scrape { name, help, labels: Vec::new(), value };
        let age = value(
            "record_verified_age_seconds",
            "How long ago this process has verified its record; since its start, where it has not yet",
            age.as_secs_f64(),
        );
        let findings = value(
            "record_findings",
            "What was not as it was written when the record was verified last",
            findings as f64,
        );
        if has_record { vec![age, findings] } else { Vec::new() }
    });
}

/// What a collector may be told.
pub(super) fn exports(observers: &Observers) -> Exports {
    let metrics = observers.metrics.clone();
    Exports {
        metrics: Arc::new(move || metrics.gather()),
        traces: observers.traces.queue().clone(),
        process: observers.recorder.process().into(),
        clock: Clock::system(),
    }
}

/// Puts how the collector of metrics and traces is into the metrics, where there is one.
#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
pub(super) fn collector(metrics: &Metrics, exporter: &Arc<Exporter>) {
    let exporter = Arc::clone(exporter);
    let spans = |result: &str, count: u64| Scrape {
        name: "collector_spans_total",
        help: "Spans of recorded requests, by whether the collector has them",
        labels: vec![("result", result.to_owned())],
        value: count as f64,
    };
    metrics.scrape_from("collector", move || {
        let Some(ExportHealth { up, sent, lost }) = exporter.health() else { return Vec::new() };
        let up = Scrape {
            name: "collector_up",
            help: "Whether the last call to the collector of metrics and traces was good",
            labels: Vec::new(),
            value: f64::from(u8::from(up)),
        };
        vec![up, spans("sent", sent), spans("lost", lost)]
    });
}

fn told_of(sink: &SinkHealth, name: &'static str, help: &'static str, value: f64) -> Scrape {
    Scrape { name, help, labels: vec![("sink", sink.name.to_string())], value }
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
fn of_sink(sink: &SinkHealth) -> impl Iterator<Item = Scrape> + use<> {
    let value = |name, help, value| told_of(sink, name, help, value);
    let behind = "How long the oldest event that the sink does not have yet has waited";
    [
        value("sink_up", "Whether the sink can write", f64::from(u8::from(sink.trouble.is_none()))),
        value("events_total", "Events that the sink has written", sink.written as f64),
        value("events_lost_total", "Events that the sink has lost", sink.lost as f64),
        value("events_behind_seconds", behind, sink.behind.as_secs_f64()),
    ]
    .into_iter()
}

/// Of a sink whose far end may be away.
#[expect(clippy::cast_precision_loss, reason = "a spool is smaller than 2^53 bytes")]
fn of_spool(sink: &SinkHealth) -> impl Iterator<Item = Scrape> + use<> {
    let value = |name, help, value| told_of(sink, name, help, value);
    let waiting = sink.waiting.as_ref();
    let lasts = waiting.and_then(|waiting| waiting.lasts);
    let bytes = waiting.map(|waiting| {
        [
            value("spool_bytes", "Bytes that wait on disk until the far end has them", waiting.bytes as f64),
            value("spool_size_bytes", "Bytes that may wait on disk", waiting.bound as f64),
        ]
    });
    let lasts = lasts.map(|lasts| {
        let help =
            "How long the room that is left on disk will do if as much happens as did in the last minute";
        value("spool_lasts_seconds", help, lasts.as_secs_f64())
    });
    bytes.into_iter().flatten().chain(lasts)
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
        value("connections_accepted_total", "Connections accepted since the start", None, stats.accepted());
    let refused = ConnectionRefusal::ALL.map(|refusal| {
        let reason = Some(("reason", refusal.as_str().to_owned()));
        let help = "Connections that ended before the gate saw a request, by reason";
        value("connections_refused_total", help, reason, stats.refused(refusal))
    });
    std::iter::once(accepted).chain(refused).collect()
}
