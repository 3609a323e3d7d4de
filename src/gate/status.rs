//! What is missing, what is measured at a scrape, and what is done beside requests.

use std::sync::Arc;
use std::time::Duration;

use super::Gate;
use super::house::House;
use crate::oidc::ProviderStatus;
use crate::telemetry::{Metrics, Scrape};

/// How often sessions that are over are removed from the store.
const PURGE: Duration = Duration::from_secs(60);

/// A part that cannot do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which part.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Gate {
    /// The parts that cannot do their work at the moment; the others go on.
    #[must_use]
    pub fn missing(&self) -> Vec<Missing> {
        let house = self.0.house.load();
        let away = house.providers.iter().filter_map(|provider| match provider.status() {
            ProviderStatus::Ready { .. } => None,
            ProviderStatus::Unavailable { reason, .. } => {
                Some(Missing { what: format!("provider {}", provider.name()), why: reason })
            }
        });
        away.collect()
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.0.foundations.metrics.clone()
    }

    /// Counts a reload.
    pub fn reloaded(&self, good: bool) {
        self.0.foundations.metrics.reload(if good { "ok" } else { "refused" });
    }

    /// Removes what is over, now and then, as long as the process lives.
    pub async fn tend(self) {
        let mut ticks = tokio::time::interval(PURGE);
        loop {
            ticks.tick().await;
            if let Err(error) = self.0.foundations.sessions.purge().await {
                tracing::warn!(%error, "sessions that are over could not be removed");
            }
        }
    }

    pub(super) fn watch_scrapes(&self) {
        let shared = Arc::downgrade(&self.0);
        let values = move || shared.upgrade().map_or_else(Vec::new, |shared| scrapes(&shared.house.load()));
        self.0.foundations.metrics.scrape_from(values);
    }
}

fn scrapes(house: &House) -> Vec<Scrape> {
    let mut values = Vec::new();
    for member in &house.members {
        let labels = vec![("provider", member.provider.name().to_string())];
        let ready = matches!(member.provider.status(), ProviderStatus::Ready { .. });
        let up = f64::from(u8::from(ready));
        values.push(Scrape { name: "provider_up", help: "Whether the provider's metadata are known", labels: labels.clone(), value: up });
        if let Some(age) = member.keys.age() {
            let value = age.as_secs_f64();
            values.push(Scrape { name: "jwks_age_seconds", help: "Time since the keys were fetched", labels, value });
        }
    }
    for state in house.upstreams.iter().flat_map(|upstream| upstream.state()) {
        let labels = vec![("server", state.server.clone())];
        let value = f64::from(u8::from(state.healthy));
        values.push(Scrape { name: "upstream_up", help: "Whether requests are sent to the server", labels, value });
    }
    values
}
