//! `[state] redis`.

use std::time::Duration;

use url::{Host, Url};

use super::Lowering;
use super::value::{HOUR, MINUTE, filled, url};
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{File, Redis, RedisTable, SecretSource, State};
use crate::secret::Secret;
use crate::storage::redis::{RedisAddress, RedisServers, RedisSettings, Transport};

const EXAMPLE: &str = "rediss://valkey.internal:6379/0";
const SCHEMES: [&str; 2] = ["rediss", "redis"];

/// The ports that servers and Sentinels listen on by themselves.
const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Most databases that a server is set up with in earnest; the default is 16.
const DATABASES: i64 = 10_000;

/// How long sessions go on from memory by default.
const STALE: Duration = Duration::from_secs(5 * MINUTE);

/// The shortest such time: the log is heard each second, and a failover takes a few.
const LEAST_STALE: Duration = Duration::from_secs(5);

/// A server, and what else its URL says.
struct Node {
    address: RedisAddress,
    is_tls: bool,
    database: Option<i64>,
}

impl Lowering<'_> {
    pub(super) fn redis(&mut self, at: Located<'_, Option<State>>) -> Option<RedisSettings> {
        let state = at.given()?;
        let redis = at!(state.redis).given()?;
        if state.value.key.is_none() {
            self.fault(
                Diagnostic::new(redis.place, "`redis` without `key`")
                    .expected("expected a `key` that seals what others could read there")
                    .help("openssl rand -base64 32 > /etc/portcullis/state.key, and `key = { file = \"/etc/portcullis/state.key\" }`; the same on every gateway"),
            );
        }
        match redis.value {
            Redis::Url(text) => {
                let node = self.node(Located::new(text, redis.place), PORT)?;
                Some(RedisSettings {
                    transport: transport(node.is_tls, None),
                    database: node.database.unwrap_or(0),
                    servers: RedisServers::Single(node.address),
                    username: None,
                    password: None,
                    namespace: "portcullis".into(),
                    stale: STALE,
                })
            }
            Redis::Table(table) => self.redis_table(Located::new(&**table, redis.place)),
        }
    }

    fn redis_table(&mut self, at: Located<'_, RedisTable>) -> Option<RedisSettings> {
        let password = self.optional_secret(at!(at.password));
        let sentinel_password = self.optional_secret(at!(at.sentinel_password));
        let ca = self.authorities(at!(at.ca));
        let namespace = at!(at.namespace).given().and_then(|at| self.keep(namespace(at)));
        let stale = self.span(at!(at.stale), STALE, LEAST_STALE..=Duration::from_secs(HOUR));
        let username = at!(at.username).given().and_then(|at| self.keep(filled(at)));
        self.only_with_sentinels(at);
        let (nodes, kind) = self.nodes(at)?;
        let first = nodes.first()?;
        if let Some(other) = nodes.iter().find(|node| node.is_tls != first.is_tls) {
            let message =
                format!("TLS for some servers and clear text for others, {} among them", other.address);
            self.fault(Diagnostic::new(at.place, message).expected("expected one scheme for all of them"));
        }
        if !first.is_tls && at.value.ca.is_some() {
            self.fault(
                Diagnostic::new(at!(at.ca).place, "`ca` for a connection in clear text")
                    .expected("expected a URL with `rediss://`, or no `ca`"),
            );
        }
        let (transport, database) = (transport(first.is_tls, ca), first.database.unwrap_or(0));
        let addresses: Vec<_> = nodes.into_iter().map(|node| node.address).collect();
        let servers = match kind {
            Kind::Single => RedisServers::Single(addresses.into_iter().next()?),
            Kind::Cluster => RedisServers::Cluster(addresses),
            Kind::Sentinels => RedisServers::Sentinels {
                addresses,
                master: at.value.master.clone().unwrap_or_else(|| "mymaster".into()),
                username: at.value.sentinel_username.clone(),
                password: sentinel_password,
            },
        };
        let namespace = namespace.unwrap_or_else(|| "portcullis".into());
        Some(RedisSettings { servers, transport, username, password, database, namespace, stale })
    }

    fn nodes(&mut self, at: Located<'_, RedisTable>) -> Option<(Vec<Node>, Kind)> {
        let (url, sentinels, cluster) = (at!(at.url).given(), at!(at.sentinels), at!(at.cluster));
        let (written, kind, port) = match (url, sentinels.value, cluster.value) {
            (Some(url), None, None) => (vec![url], Kind::Single, PORT),
            (None, Some(_), None) => (sentinels.all(), Kind::Sentinels, SENTINEL_PORT),
            (None, None, Some(_)) => (cluster.all(), Kind::Cluster, PORT),
            _ => {
                self.fault(
                    Diagnostic::new(at.place, "Redis is in one place")
                        .expected("expected one of `url`, `sentinels` and `cluster`"),
                );
                return None;
            }
        };
        let count = written.len();
        let nodes: Vec<_> = written.into_iter().filter_map(|at| self.node(at, port)).collect();
        if count == 0 {
            self.fault(Diagnostic::new(at.place, "no server").expected("expected at least one"));
        }
        if kind == Kind::Cluster && nodes.iter().any(|node| node.database.unwrap_or(0) != 0) {
            self.fault(
                Diagnostic::new(cluster.place, "a Cluster has no databases but the first")
                    .expected("expected URLs without a number at their end"),
            );
        }
        (nodes.len() == count).then_some((nodes, kind))
    }

    fn node(&mut self, at: Located<'_, String>, port: u16) -> Option<Node> {
        if has_login(at.value) {
            self.diagnostics.mask(at.place.span());
        }
        self.keep(node(at, port))
    }

    fn only_with_sentinels(&mut self, at: Located<'_, RedisTable>) {
        if at.value.sentinels.is_some() {
            return;
        }
        let written = [
            (at.value.master.is_some(), at!(at.master).place, "master"),
            (at.value.sentinel_username.is_some(), at!(at.sentinel_username).place, "sentinel_username"),
            (at.value.sentinel_password.is_some(), at!(at.sentinel_password).place, "sentinel_password"),
        ];
        for (_, place, key) in written.into_iter().filter(|(is_written, ..)| *is_written) {
            self.fault(
                Diagnostic::new(place, format!("`{key}` without `sentinels`"))
                    .expected("expected `sentinels`, or this key left out"),
            );
        }
    }

    fn optional_secret(&mut self, at: Located<'_, Option<SecretSource>>) -> Option<Secret> {
        let secret = self.secret(at.given()?);
        self.keep(secret)
    }

    fn authorities(&mut self, at: Located<'_, Option<File>>) -> Option<Vec<u8>> {
        let pem = self.certificates(at.given()?);
        self.keep(pem)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Single,
    Sentinels,
    Cluster,
}

fn transport(is_tls: bool, ca: Option<Vec<u8>>) -> Transport {
    if is_tls { Transport::Tls(ca) } else { Transport::Clear }
}

fn node(at: Located<'_, String>, port: u16) -> Result<Node, Diagnostic> {
    if has_login(at.value) {
        return Err(Diagnostic::new(at.place, "a user name or password in a URL")
            .expected("expected a URL without them")
            .help("write a table: `redis = { url = \"rediss://…\", username = \"…\", password = { file = \"…\" } }`"));
    }
    let url = url(at.value, at.place, &SCHEMES, EXAMPLE)?;
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(Diagnostic::new(at.place, "a URL without a host").expected(expected())),
    };
    let address = RedisAddress { host: host.to_ascii_lowercase(), port: url.port().unwrap_or(port) };
    Ok(Node { address, is_tls: url.scheme() == "rediss", database: database(&url, at)? })
}

/// Whether it holds a login, also where it is no URL that anything could be read from.
fn has_login(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest).split('/').next();
    authority.is_some_and(|authority| authority.contains('@'))
}

fn database(url: &Url, at: Located<'_, String>) -> Result<Option<i64>, Diagnostic> {
    let path = url.path().trim_matches('/');
    if path.is_empty() {
        return Ok(None);
    }
    let number = path.parse().ok().filter(|number| (0..DATABASES).contains(number));
    let wrong = || Diagnostic::new(at.place, "not the number of a database").expected(expected());
    number.map(Some).ok_or_else(wrong)
}

fn expected() -> String {
    format!("expected a URL such as \"{EXAMPLE}\"")
}

fn namespace(at: Located<'_, String>) -> Result<String, Diagnostic> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=64).contains(&at.value.len()) && at.value.chars().all(plain) {
        return Ok(at.value.clone());
    }
    Err(Diagnostic::new(at.place, "not a namespace")
        .expected("expected 1 to 64 letters, digits, `-`, `_` or `.`"))
}
