//! What a route says of its upstream.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{File, Span};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct UpstreamTls {
    /// PEM file with the only authorities trusted for this upstream.
    #[schemars(extend("x-default" = "the system's authorities"))]
    pub ca: Option<File>,
    /// PEM file with the certificate chain that the gateway shows.
    #[schemars(extend("x-default" = "none is shown"))]
    pub cert: Option<File>,
    /// PEM file with its key.
    #[schemars(extend("x-default" = "none"))]
    pub key: Option<File>,
    /// The name that is asked for and verified.
    #[schemars(extend("x-default" = "the host of the upstream", "examples" = ["app.internal"]))]
    pub server_name: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum ProtocolWord {
    /// HTTP/1.1 in clear text; over TLS whichever both sides know.
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only, as gRPC wants it; in clear text with prior knowledge.
    Http2,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum BalanceWord {
    /// One after the other.
    RoundRobin,
    /// The one with the fewest requests under way.
    LeastRequests,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Health {
    /// What is asked for with `GET`; 2xx and 3xx are healthy.
    #[schemars(extend("examples" = ["/healthz"]))]
    pub path: String,
    /// How often.
    #[schemars(extend("default" = "10s"))]
    pub interval: Option<Span>,
    /// How long an answer may take.
    #[schemars(extend("default" = "2s"))]
    pub timeout: Option<Span>,
    /// Successes in a row that bring a server back.
    #[schemars(range(min = 1, max = 1000), extend("default" = 2))]
    pub healthy_after: Option<u32>,
    /// Failures in a row that put it aside.
    #[schemars(range(min = 1, max = 1000), extend("default" = 3))]
    pub unhealthy_after: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Ejection {
    /// Failed requests in a row that put a server aside; 0 never does.
    #[schemars(range(min = 0, max = 1000), extend("default" = 5))]
    pub after: Option<u32>,
    /// For how long.
    #[schemars(extend("default" = "10s"))]
    pub pause: Option<Span>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Timeout {
    /// Until a connection stands, TLS included.
    #[schemars(extend("default" = "5s"))]
    pub connect: Option<Span>,
    /// Until the head of the response is there.
    #[schemars(extend("default" = "60s"))]
    pub response: Option<Span>,
    /// Silence on a body, in either direction.
    #[schemars(extend("default" = "5m"))]
    pub idle: Option<Span>,
    /// How long downloads and uploads may go on behind the expiry of the bearer token that began them; `"0s"` is
    /// strict. Event streams, gRPC and WebSockets end with their token, and sign-out ends everything at once.
    #[schemars(extend("default" = "5m"))]
    pub after_expiry: Option<Span>,
}
