//! The whole configuration, valid.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::Value;

use crate::admin::AdminSettings;
use crate::endpoints::Application;
use crate::gate::{BrandingSettings, ConsoleSettings, GateSettings, OwnSettings, RouteAction, RouteSettings};
use crate::listener::{ConnectionLimits, ListenerSettings};
use crate::oidc::RelyingPartySettings;
use crate::secret::Secret;
use crate::session::SessionSettings;
use crate::signals::SignalsSettings;
use crate::sinks::{
    self, ExportSettings, FarSettings, Kept, PostgresServer, Selection, SinkKind, SinkSettings,
};
use crate::storage::redis::RedisSettings;
use crate::telemetry::{LogSettings, TelemetrySettings};

/// How what the record holds is signed and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointSettings {
    /// How long a key signs.
    pub rotate_key: Duration,
    /// How often a running gateway verifies what its sinks keep.
    pub verify_every: Duration,
    /// The file into which checkpoints are written, where it is said.
    pub file: Option<PathBuf>,
}

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
    /// The PostgreSQL that sinks may keep events in: `[state] postgres`.
    pub postgres: Option<PostgresServer>,
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
    /// Whose pages they are, and in which languages: `[branding]`.
    pub branding: BrandingSettings,
    /// What is told of how the gateway works: `[telemetry]`; `None`: nothing beside the metrics.
    pub telemetry: Option<TelemetrySettings>,
    /// Which collector gets metrics and traces: `[telemetry] otlp`; `None`: there is none.
    pub exports: Option<ExportSettings>,
    /// What is logged, and how: `[log]`.
    pub log: LogSettings,
    /// Who keeps what happens beside the log: `[[audit.sinks]]`.
    pub sinks: Vec<SinkSettings>,
    /// What pseudonyms at sinks follow from: `[audit] pseudonym_key`; `None`: a key in the state file.
    pub pseudonym_key: Option<Secret>,
    /// Bytes that what happens may hold in memory until it is kept: `[audit] memory`.
    pub record_memory: usize,
    /// How what happened is signed and verified: `[audit] checkpoint_file`, `rotate_key` and `verify_every`.
    pub checkpoints: CheckpointSettings,
    /// The file that says all this.
    pub file: PathBuf,
    /// Files whose change means a reload: the configuration, secrets, certificates.
    pub watched: Vec<PathBuf>,
    /// The file as it may be shown: no secret is in it.
    pub written: Arc<Value>,
}

/// What the file of checkpoints is called, behind the name of what it lies beside.
pub const CHECKPOINTS: &str = "-checkpoints";

/// The file or folder that lies beside another one, whose name it has and more.
#[must_use]
pub fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

impl Settings {
    /// Who keeps what happens: the log, as `[log]` says, and the others. The log tells requests, and what becomes of the
    /// record itself, as events; of everything else it has lines of its own.
    #[must_use]
    pub fn keepers(&self) -> sinks::Settings {
        let without: &[&str] = if self.log.access { &[] } else { &["access.*", "request.unreadable"] };
        let told = Selection::except(without.iter().copied()).unwrap_or_default();
        let log = self.log.least().map_or(Selection::NONE, |level| told.from_level(level));
        sinks::Settings { log, sinks: self.sinks.clone() }
    }

    /// The folder of the store of events; none where there is none.
    #[must_use]
    pub fn store(&self) -> Option<&Path> {
        self.sinks.iter().find_map(|sink| match &sink.kind {
            SinkKind::Store(store) => Some(store.path.as_path()),
            SinkKind::File(_) | SinkKind::Output(_) | SinkKind::Spooled(_) => None,
        })
    }

    /// What sinks keep in a chain.
    pub fn chained(&self) -> impl Iterator<Item = Kept> {
        let here = self.sinks.iter().filter_map(|sink| match &sink.kind {
            SinkKind::File(file) if file.chain => Some(Kept::Files(file.path.clone())),
            SinkKind::Store(store) => Some(Kept::Store(store.path.clone())),
            SinkKind::File(_) | SinkKind::Output(_) | SinkKind::Spooled(_) => None,
        });
        let there = self.in_postgres().next().and(self.postgres.clone()).map(Kept::Postgres);
        here.chain(there)
    }

    /// The sinks whose events are kept, and chained, in PostgreSQL.
    pub fn in_postgres(&self) -> impl Iterator<Item = &SinkSettings> {
        let is_postgres = |kind: &SinkKind| match kind {
            SinkKind::Spooled(spooled) => matches!(spooled.far, FarSettings::Postgres(_)),
            SinkKind::File(_) | SinkKind::Output(_) | SinkKind::Store(_) => false,
        };
        self.sinks.iter().filter(move |sink| is_postgres(&sink.kind))
    }

    /// The file into which checkpoints are written: beside the state file, or the first file or store that is chained, where
    /// nothing is said; none where there is neither.
    #[must_use]
    pub fn checkpoint_file(&self) -> Option<PathBuf> {
        let first = || self.chained().find_map(|kept| kept.path().map(Path::to_owned));
        let default = || self.state.clone().or_else(first).map(|path| beside(&path, CHECKPOINTS));
        self.checkpoints.file.clone().or_else(default)
    }

    /// Whether some route serves the console.
    #[must_use]
    pub fn has_console(&self) -> bool {
        let is_console = |action: &RouteAction| matches!(action, RouteAction::Serve(Application::Console));
        self.routes.iter().any(|route| is_console(&route.action))
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
            branding: self.branding.clone(),
            reauthorize_every: self.reauthorize_every,
        }
    }
}
