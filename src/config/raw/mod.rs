//! What is written: the shape of a configuration file, key by key.
//!
//! The doc comments here are what people read: they become the descriptions of the JSON Schema and of
//! `docs/configuration.md`.

mod audit;
mod branding;
mod console;
mod origins;
mod policy;
mod provider;
mod route;
mod server;
mod signals;
mod state;
mod telemetry;
mod upstream;
mod value;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use audit::{
    Audit, PersonalWord, Rotate, Sink, SinkFormatWord, SinkSchemaWord, SinkTls, SinkWord, Spool,
};
pub(super) use branding::{BrandLink, BrandTexts, Branding};
pub(super) use console::Console;
pub(super) use origins::{Cors, OriginWord, PreflightWord};
pub(super) use policy::{Policy, Rule};
pub(super) use provider::{
    AbsentGroups, AssertionAudience, Claims, ClientAuth, EmailVerified, LogoutEnds, Provider, ResponseMode,
    SecretSource, Userinfo,
};
pub(super) use route::{
    AcceptWord, AccessWord, Family, HeaderRules, Hsts, Identity, IdentityHeaders, Limit, PerWord, Redirect,
    Route, SchemeWord, ServeWord, StreamsWord, TokenWord, TolerateWord,
};
pub(super) use server::{
    Admin, BindWord, CertificatePair, Listen, ListenTable, Log, LogWord, NetworkChangeWord, ProxyProtocol,
    ProxyProtocolTable, ProxyProtocolWord, Server, Session, SiteDataWord, Tls, TlsSwitch, TlsVersion,
};
pub(super) use signals::{ActionWord, DeliveryWord, Signals};
pub(super) use state::{Postgres, PostgresTable, Redis, RedisTable, State};
pub(super) use telemetry::Telemetry;
pub(super) use upstream::{BalanceWord, Ejection, Health, ProtocolWord, Timeout, UpstreamTls};
pub(super) use value::{File, OneOrMany, Scalar, Size, Span};

/// The configuration of Portcullis.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Where requests come in, and what is true of all of them.
    pub server: Server,
    /// The second listener, for operators: health, metrics, and the API that sessions are listed and ended by. It is
    /// never part of the public listener.
    pub admin: Option<Admin>,
    /// How what is kept at rest is protected, and what several gateways share.
    pub state: Option<State>,
    /// How long people stay signed in.
    pub session: Option<Session>,
    /// Who may do what in the console, which a route with `serve = "console"` shows. Each role may do what the one before
    /// it may.
    pub console: Option<Console>,
    /// How the pages look that people see, and in which languages they are.
    pub branding: Option<Branding>,
    /// What the gateway writes about itself and about requests.
    pub log: Option<Log>,
    /// What the gateway tells of traces: which request went where, and how long each part of it took. Without this table a
    /// proxy's trace is passed on to apps, and the gateway makes none.
    pub telemetry: Option<Telemetry>,
    /// Who keeps what happens: who signed in, who used what, who was refused, what changed.
    pub audit: Option<Audit>,
    /// Who signs people in and issues tokens: one table for each OpenID Provider, under a name of your choice.
    pub providers: Option<BTreeMap<String, Provider>>,
    /// Who tells of people and sessions between sign-ins: one table for each transmitter of Shared Signals, under a name of
    /// your choice.
    pub signals: Option<BTreeMap<String, Signals>>,
    /// Named rules, used by any number of routes.
    pub policies: Option<BTreeMap<String, Policy>>,
    /// The apps. The most specific host wins, then the longest path; the order in the file does not matter.
    pub routes: Option<Vec<Route>>,
}
