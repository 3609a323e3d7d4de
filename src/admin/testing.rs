//! Sources for the tests of this room.

use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, watch};

use super::{AdminSources, Management, ProviderKeys, ProviderOverview, ProviderState, SignalsOverview};
use crate::clock::{Clock, Timestamp};
use crate::events::Recorder;
use crate::operate::{NextAssertionKey, Operations, ProcessRequest, RotationRequest};
use crate::secret::Secret;
use crate::session::{Sessions, testing};
use crate::sinks::{Audit, LineFormat, LogSink};
use crate::telemetry::Metrics;

/// When the sessions of these tests begin.
pub(super) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Sources with no session; the API is behind `token`.
pub(super) fn sources(token: Option<&str>) -> AdminSources {
    let management = management(testing::sessions(&Clock::manual(START))).0;
    AdminSources {
        readiness: Arc::new(Vec::new),
        metrics: Metrics::new(),
        hosts: vec!["ops.example".into()],
        token: watch::channel(token.map(Secret::new)).1,
        management,
    }
}

/// An API over `sessions`, with the providers `corp` and `partner`; and what was asked of the process.
pub(super) fn management(sessions: Sessions) -> (Management, Arc<Mutex<Vec<ProcessRequest>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&asked);
    let providers = || ["corp", "partner"].map(provider).into();
    let process = move |request| {
        hears.lock().unwrap().push(request);
        true
    };
    let configuration = || Arc::new(serde_json::json!({ "server": { "listen": "127.0.0.1:8443" } }));
    let management = Management {
        operations: Operations {
            sessions,
            recorder: Recorder::nowhere(),
            audit: audit(),
            rotate: rotating(),
            process: Arc::new(process),
        },
        providers: Arc::new(providers),
        signals: Arc::new(|| vec![signals()]),
        limits: Arc::new(Vec::new),
        configuration: Arc::new(configuration),
        events: Arc::new(|| Ok(None)),
        reports: Arc::new(|_, _| Ok(None)),
    };
    (management, asked)
}

/// What keeps nothing.
fn audit() -> Arc<Audit> {
    let log = LogSink::to(Box::new(std::io::sink()), LineFormat::Json).unwrap();
    Arc::new(Audit::start(Recorder::nowhere(), &log).unwrap())
}

/// Answers every time with the same key.
fn rotating() -> mpsc::Sender<RotationRequest> {
    let (send, mut asked) = mpsc::channel::<RotationRequest>(1);
    // No task: not every test of this room has a runtime.
    std::thread::spawn(move || {
        while let Some(RotationRequest { answer, .. }) = asked.blocking_recv() {
            let next = NextAssertionKey { kid: "next".into(), signs_from: START.rfc3339() };
            let _ = answer.send(Ok(next));
        }
    });
    send
}

fn signals() -> SignalsOverview {
    SignalsOverview {
        name: "corp".into(),
        transmitter: "https://signals.corp.example".into(),
        provider: "corp".into(),
        stream: Some("s1".into()),
        since: "2027-01-15T08:00:00Z".into(),
        reason: None,
        verified: Some("2027-01-15T08:00:00Z".into()),
        heard: None,
        undelivered: Vec::new(),
    }
}

fn provider(name: &str) -> ProviderOverview {
    ProviderOverview {
        name: name.into(),
        issuer: format!("https://id.{name}.example"),
        state: ProviderState::Ready,
        since: START.rfc3339(),
        reason: None,
        keys: ProviderKeys { known: true, age: Some(7) },
    }
}
