//! `[signals.NAME]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{File, OneOrMany, SecretSource, Span};

/// A transmitter of Shared Signals, under a name of your choice: it tells of revoked sessions, disabled accounts, changed
/// credentials and risks between sign-ins, and what it says takes effect at once. A stream is made there, and kept as this
/// table says; what each event does stands in `docs/shared-signals.md`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Signals {
    /// The transmitter's identifier, exactly as its metadata say it (`issuer` of `/.well-known/ssf-configuration`).
    #[schemars(extend("examples" = ["https://id.corp.example"]))]
    pub transmitter: String,
    /// The provider whose sign-ins its signals may concern; no other's are touched by them.
    #[schemars(extend("examples" = ["corp"]))]
    pub provider: String,
    /// How signals come: the transmitter sends them to `public_url`, or they are fetched.
    #[schemars(extend("default" = "push"))]
    pub delivery: Option<DeliveryWord>,
    /// An access token for the transmitter's management API. For one that changes, name `client_id` instead.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"env": "CORP_SIGNALS_TOKEN"}]))]
    pub token: Option<SecretSource>,
    /// Our client at the transmitter, which is given access tokens for its management API (client credentials).
    #[schemars(extend("x-default" = "none", "examples" = ["portcullis-signals"]))]
    pub client_id: Option<String>,
    /// The client's secret.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"env": "CORP_SIGNALS_SECRET"}]))]
    pub client_secret: Option<SecretSource>,
    /// Where the client is given access tokens.
    #[schemars(extend("x-default" = "none", "examples" = ["https://id.corp.example/token"]))]
    pub token_endpoint: Option<String>,
    /// Scopes that the client asks for.
    #[schemars(extend("default" = ["ssf.manage", "ssf.read"]))]
    pub scopes: Option<OneOrMany<String>>,
    /// Events that are asked for, by their names in CAEP and RISC.
    #[schemars(extend("x-default" = "all that are known here", "examples" = ["session-revoked"]))]
    pub events: Option<OneOrMany<String>>,
    /// What events do in place of the default, where they ask for anything.
    #[schemars(extend("x-default" = "see `docs/shared-signals.md`", "examples" = [{"risk-level-change": "end"}]))]
    pub actions: Option<BTreeMap<String, ActionWord>>,
    /// Whom its tokens are for (`aud`).
    #[schemars(extend("x-default" = "what the transmitter says of the stream", "examples" = ["https://login.corp.example"]))]
    pub audience: Option<String>,
    /// The claim that names the device of a session, for events about a device.
    #[schemars(extend("x-default" = "none: devices are not told apart", "examples" = ["device_id"]))]
    pub device_claim: Option<String>,
    /// The claim that names the tenant of a person, for events about a tenant.
    #[schemars(extend("x-default" = "none: tenants are not told apart", "examples" = ["tid"]))]
    pub tenant_claim: Option<String>,
    /// PEM file with the only authorities trusted for this transmitter.
    #[schemars(extend("x-default" = "the system's authorities", "examples" = [{"file": "/etc/portcullis/ca.pem"}]))]
    pub ca: Option<File>,
    /// Bound on each call to the transmitter but those that wait for signals.
    #[schemars(extend("default" = "10s"))]
    pub timeout: Option<Span>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum DeliveryWord {
    /// The transmitter sends them (RFC 8935).
    Push,
    /// They are fetched (RFC 8936).
    Poll,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum ActionWord {
    /// The sessions end.
    End,
    /// Their person has to sign in anew.
    StepUp,
    /// What is known of the person is renewed before the next request is let through.
    Refresh,
}
