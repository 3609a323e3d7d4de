//! `[state]`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{File, OneOrMany, SecretSource, Span};

/// How what is kept at rest is protected, and what several gateways share. Where this one's own file is says
/// `[server] state`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct State {
    /// What seals the gateway's own keys and the cards of sessions: at least 43 characters from a random generator,
    /// as `openssl rand -base64 32` prints them. Of an array the first seals, and all of them open: put a new one in
    /// front, and take the old one out once no session is older than the change.
    #[schemars(extend("x-default" = "the file's mode alone", "examples" = [{"file": "/etc/portcullis/state.key"}]))]
    pub key: Option<OneOrMany<SecretSource>>,
    /// The Redis or Valkey (7 or later) that gateways share: what one of them signs in, ends or counts holds for all. A
    /// URL, or a table that says more. Needs `key`.
    #[schemars(extend("x-default" = "none: this gateway is alone", "examples" = ["rediss://valkey.internal:6379/0"]))]
    pub redis: Option<Redis>,
    /// The PostgreSQL (14 or later) that sinks of the kind `postgres` keep events in. A URL,
    /// `postgres://user@host:5432/database`, of several hosts with commas between them; or a table that says more, or where
    /// the URL with its password stands. Behind `?` it may say `sslmode=verify-full` (what holds for every server but those
    /// of this machine) or `sslmode=disable`, and `host=/run/postgresql` for a socket.
    #[schemars(extend("x-default" = "none", "examples" = [{"file": "/etc/portcullis/postgres.url"}]))]
    pub postgres: Option<Postgres>,
}

/// Where PostgreSQL is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Postgres {
    Url(String),
    Table(Box<PostgresTable>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct PostgresTable {
    /// The environment variable that holds the URL, which may have a password then.
    #[schemars(extend("x-default" = "`env`, `file` or `url`", "examples" = ["POSTGRES_URL"]))]
    pub env: Option<String>,
    /// The file that holds it.
    #[schemars(extend("x-default" = "`env`, `file` or `url`", "examples" = ["/etc/portcullis/postgres.url"]))]
    pub file: Option<PathBuf>,
    /// The URL, without a password.
    #[schemars(extend("x-default" = "`env`, `file` or `url`", "examples" = ["postgres://portcullis@db.internal/portcullis"]))]
    pub url: Option<String>,
    /// The password of the role, where the URL has none.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"file": "/etc/portcullis/postgres.password"}]))]
    pub password: Option<SecretSource>,
    /// PEM file with the only authorities trusted for its certificate.
    #[schemars(extend("x-default" = "the system's authorities", "examples" = [{"file": "/etc/portcullis/postgres-ca.pem"}]))]
    pub ca: Option<File>,
    /// PEM file with the certificate chain that the gateway shows.
    #[schemars(extend("x-default" = "none is shown"))]
    pub cert: Option<File>,
    /// PEM file with its key.
    #[schemars(extend("x-default" = "none"))]
    pub key: Option<File>,
}

/// Where Redis is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Redis {
    Url(String),
    Table(Box<RedisTable>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RedisTable {
    /// One server: `rediss://` (TLS) or `redis://`, the host, its port if it is not 6379, and the number of the database.
    #[schemars(extend("x-default" = "`url`, `sentinels` or `cluster`", "examples" = ["rediss://valkey.internal:6379/0"]))]
    pub url: Option<String>,
    /// Sentinels, all of them, each as a URL: they are asked who is master.
    #[schemars(extend("x-default" = "`url`, `sentinels` or `cluster`", "examples" = [["rediss://sentinel-1.internal:26379", "rediss://sentinel-2.internal:26379"]]))]
    pub sentinels: Option<OneOrMany<String>>,
    /// What the Sentinels call the master.
    #[schemars(extend("default" = "mymaster"))]
    pub master: Option<String>,
    /// The user of the Sentinels' own access list.
    #[schemars(extend("x-default" = "none", "examples" = ["portcullis"]))]
    pub sentinel_username: Option<String>,
    /// The password that the Sentinels themselves want.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"file": "/etc/portcullis/sentinel.password"}]))]
    pub sentinel_password: Option<SecretSource>,
    /// Some nodes of a Cluster, each as a URL; the others are learnt.
    #[schemars(extend("x-default" = "`url`, `sentinels` or `cluster`", "examples" = [["rediss://node-1.internal:6379", "rediss://node-2.internal:6379"]]))]
    pub cluster: Option<OneOrMany<String>>,
    /// The user of Redis' access list: docs/scaling.md has the line that says what it may do.
    #[schemars(extend("x-default" = "the default user", "examples" = ["portcullis"]))]
    pub username: Option<String>,
    /// Its password.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"env": "REDIS_PASSWORD"}]))]
    pub password: Option<SecretSource>,
    /// Authorities that its certificate is checked with, as PEM, in place of the system's.
    #[schemars(extend("x-default" = "the system's authorities", "examples" = [{"file": "/etc/portcullis/redis-ca.pem"}]))]
    pub ca: Option<File>,
    /// What every key begins with, in braces: letters, digits, `-`, `_` and `.`. Gateways with the same one are one.
    #[schemars(extend("default" = "portcullis"))]
    pub namespace: Option<String>,
    /// How long established sessions go on from memory while Redis cannot be reached: so late may an end be that another
    /// gateway was told of. From 5s to 1h.
    #[schemars(extend("default" = "5m"))]
    pub stale: Option<Span>,
}
