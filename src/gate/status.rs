//! What is missing, and what is measured at a scrape.

use std::time::Duration;

use super::signals;
use super::snapshot::Snapshot;
use crate::clock::Timestamp;
use crate::forward::ServerState;
use crate::identity::{Issuer, ProviderName};
use crate::oidc::{Provider, ProviderEndpoint, ProviderStatus, ProviderTask};
use crate::telemetry::Scrape;

/// A part that cannot do its work at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnavailablePart {
    /// The part as the health endpoint names it, such as `provider corp`.
    pub what: String,
    /// Why it cannot, in words for operators.
    pub why: String,
}

/// A configured provider and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderCondition {
    /// Its name in the configuration.
    pub name: ProviderName,
    /// Its issuer identifier.
    pub issuer: Issuer,
    /// Since when it is so.
    pub since: Timestamp,
    /// Whether people are sent there.
    pub has_metadata: bool,
    /// Why it cannot do its work; `None` where it can.
    pub reason: Option<String>,
    /// Whether a usable key is known.
    pub has_keys: bool,
    /// Since when its keys are known.
    pub keys_age: Option<Duration>,
}

impl ProviderCondition {
    pub(super) fn of(task: &ProviderTask) -> Self {
        let (since, has_metadata, reason) = match task.provider.status() {
            ProviderStatus::Ready { since } => (since, true, None),
            ProviderStatus::Failing { since, reason } => (since, true, Some(reason)),
            ProviderStatus::Unavailable { since, reason } => (since, false, Some(reason)),
        };
        Self {
            name: task.provider.name().clone(),
            issuer: task.provider.issuer().clone(),
            since,
            has_metadata,
            reason,
            has_keys: !task.keys.current().is_empty(),
            keys_age: task.keys.age(),
        }
    }
}

/// The parts that cannot do their work at the moment.
pub(super) fn missing(snapshot: &Snapshot) -> Vec<UnavailablePart> {
    let away = snapshot.provider_tasks.iter().filter_map(|task| match task.provider.status() {
        ProviderStatus::Ready { .. } => None,
        ProviderStatus::Failing { reason, .. } | ProviderStatus::Unavailable { reason, .. } => {
            Some(UnavailablePart { what: format!("provider {}", task.provider.name()), why: reason })
        }
    });
    away.chain(signals::missing(snapshot)).collect()
}

/// What is measured at a scrape.
pub(super) fn scrapes(snapshot: &Snapshot) -> Vec<Scrape> {
    let mut values = Vec::new();
    for task in &snapshot.provider_tasks {
        let labels = vec![("provider", task.provider.name().to_string())];
        let ready = matches!(task.provider.status(), ProviderStatus::Ready { .. });
        let up = f64::from(u8::from(ready));
        values.push(Scrape {
            name: "provider_up",
            help: "Whether the provider's metadata are known and the last calls to it were answered",
            labels: labels.clone(),
            value: up,
        });
        values.extend(ProviderEndpoint::ALL.map(|endpoint| failures(&task.provider, endpoint)));
        if let Some(age) = task.keys.age() {
            let value = age.as_secs_f64();
            values.push(Scrape {
                name: "jwks_age_seconds",
                help: "Time since the keys were fetched",
                labels,
                value,
            });
        }
    }
    values.extend(signals::scrapes(snapshot));
    values.extend(snapshot.upstreams.iter().flat_map(|checked| checked.upstream.state()).flat_map(server));
    values
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
fn failures(provider: &Provider, endpoint: ProviderEndpoint) -> Scrape {
    Scrape {
        name: "provider_failures_total",
        help: "Calls to the provider that have failed since the start, by what was called",
        labels: vec![("provider", provider.name().to_string()), ("endpoint", endpoint.as_str().to_owned())],
        value: provider.failures(endpoint) as f64,
    }
}

fn server(state: ServerState) -> [Scrape; 3] {
    let scrape =
        |name, help, value| Scrape { name, help, labels: vec![("server", state.server.to_string())], value };
    let up = f64::from(u8::from(state.up && !state.ejected));
    [
        scrape("upstream_up", "Whether requests are sent to the server", up),
        scrape("upstream_active_requests", "Requests under way to the server", count(state.active)),
        scrape(
            "upstream_idle_connections",
            "Connections to the server that wait for a request",
            count(state.idle),
        ),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 connections")]
const fn count(number: usize) -> f64 {
    number as f64
}
