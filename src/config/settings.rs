//! The whole configuration, valid.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::Value;

use crate::admin::AdminSettings;
use crate::gate::{ConsoleSettings, GateSettings, OwnSettings, RouteSettings};
use crate::listener::{ConnectionLimits, ListenerSettings};
use crate::oidc::RelyingPartySettings;
use crate::secret::Secret;
use crate::session::SessionSettings;
use crate::signals::SignalsSettings;
use crate::sinks::{self, ExportSettings, Selection, SinkSettings};
use crate::storage::redis::RedisSettings;
use crate::telemetry::{LogSettings, TelemetrySettings};

/// Everything a configuration file says, lowered and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Public listeners; at least one.
    pub listeners: Vec<ListenerSettings>,
    /// Bounds on their connections.
    pub connections: ConnectionLimits,
    /// Worker threads; the number of processors where not given.
    pub workers: Option<usize>,
    /// Networks whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The state file; `None`: sessions live in memory and end with the process.
    pub state: Option<PathBuf>,
    /// What seals what is kept at rest, the key that seals first: `[state] key`; empty: the file's mode protects it.
    pub state_keys: Vec<Secret>,
    /// The Redis that gateways share; `None`: this one is alone.
    pub redis: Option<RedisSettings>,
    /// How long streams may go on after SIGTERM.
    pub drain: Duration,
    /// How often what goes on for long is judged anew.
    pub reauthorize_every: Duration,
    /// How long each key of assertions signs: `[server] rotate_assertion_key`.
    pub rotate_assertion_key: Duration,
    /// The admin listener; `None`: there is none.
    pub admin: Option<AdminSettings>,
    /// How long sessions last, and what their cookie is called: `[session]`.
    pub session: SessionSettings,
    /// Where people sign in, and with which providers: `[server] public_url` and `[providers.*]`.
    pub relying_party: RelyingPartySettings,
    /// Who tells of people and sessions between sign-ins: `[signals.*]`.
    pub signals: Vec<SignalsSettings>,
    /// What holds for the gateway's own endpoints: `[server] sign_in_limits` and `[session] clear_site_data`.
    pub own: OwnSettings,
    /// `[[routes]]`, in the order of the file.
    pub routes: Vec<RouteSettings>,
    /// Who may do what in the console: `[console]`.
    pub console: ConsoleSettings,
    /// What is told of how the gateway works: `[telemetry]`; `None`: nothing beside the metrics.
    pub telemetry: Option<TelemetrySettings>,
    /// Which collector gets metrics and traces: `[telemetry] otlp`; `None`: there is none.
    pub exports: Option<ExportSettings>,
    /// What is logged, and how: `[log]`.
    pub log: LogSettings,
    /// Who keeps what happens beside the log: `[[audit.sinks]]`.
    pub sinks: Vec<SinkSettings>,
    /// Bytes that what happens may hold in memory until it is kept: `[audit] memory`.
    pub record_memory: usize,
    /// The file that says all this.
    pub file: PathBuf,
    /// Files whose change means a reload: the configuration, secrets, certificates.
    pub watched: Vec<PathBuf>,
    /// The file as it may be shown: no secret is in it.
    pub written: Arc<Value>,
}

impl Settings {
    /// Who keeps what happens: the log, as `[log]` says, and the others. The log tells requests, and what becomes of the
    /// record itself, as events; of everything else it has lines of its own.
    #[must_use]
    pub fn keepers(&self) -> sinks::Settings {
        let patterns: &[&str] = if self.log.access { &["access.*", "record.*"] } else { &["record.*"] };
        let told = Selection::only(patterns.iter().copied()).unwrap_or_default();
        let log = self.log.least().map_or(Selection::NONE, |level| told.from_level(level));
        sinks::Settings { log, sinks: self.sinks.clone() }
    }

    /// What the gate is built from.
    #[must_use]
    pub fn gate(&self) -> GateSettings {
        GateSettings {
            trusted_proxies: self.trusted_proxies.clone(),
            traces: self.telemetry.as_ref().map(|telemetry| telemetry.traces),
            session: self.session.clone(),
            relying_party: self.relying_party.clone(),
            signals: self.signals.clone(),
            own: self.own.clone(),
            routes: self.routes.clone(),
            console: self.console.clone(),
            reauthorize_every: self.reauthorize_every,
        }
    }
}
