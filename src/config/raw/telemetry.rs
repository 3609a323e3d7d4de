//! `[telemetry]`.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Telemetry {
    /// Of the traces that begin here, the share that is recorded: from 0 to 1. A request that comes from one of
    /// `trusted_proxies` within a trace is recorded where the proxy says so. What others say of traces is not believed.
    #[schemars(extend("default" = 0.0, "examples" = [0.01]), range(min = 0.0, max = 1.0))]
    pub sample: Option<f64>,
}
