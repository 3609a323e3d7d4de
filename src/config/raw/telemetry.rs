//! `[telemetry]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{File, SecretSource, Span};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Telemetry {
    /// Of the traces that begin here, the share that is recorded: from 0 to 1. A request that comes from one of
    /// `trusted_proxies` within a trace is recorded where the proxy says so. What others say of traces is not believed.
    #[schemars(extend("default" = 0.0, "examples" = [0.01]), range(min = 0.0, max = 1.0))]
    pub sample: Option<f64>,
    /// The collector that gets metrics and recorded traces (OTLP over HTTP): `/v1/metrics` and `/v1/traces` come behind this
    /// address.
    #[schemars(extend("x-default" = "none", "examples" = ["https://collector.corp.example:4318"]))]
    pub otlp: Option<String>,
    /// What the collector is shown with every call, by the names of fields of HTTP.
    #[schemars(extend("x-default" = "nothing"))]
    pub headers: Option<BTreeMap<String, SecretSource>>,
    /// PEM file with the only authorities trusted for the collector.
    #[schemars(extend("x-default" = "the system's authorities"))]
    pub ca: Option<File>,
    /// How often the collector is told what is measured; from 1 second to 1 hour. Traces wait for a second at most.
    #[schemars(extend("default" = "15s"))]
    pub interval: Option<Span>,
    /// Whether all that may go over the network in clear text. To this very machine it may.
    #[schemars(extend("default" = false))]
    pub insecure: Option<bool>,
}
