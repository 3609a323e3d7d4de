//! `[state] postgres`, and sinks that keep events there.

use std::net::IpAddr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

use super::Lowering;
use super::delivery::host;
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, Place, at};
use crate::config::raw::{Postgres, PostgresTable, SecretSource, Sink, State};
use crate::secret::Secret;
use crate::sinks::{
    ClientPair, FarSettings, PostgresHost, PostgresServer, PostgresSettings, SinkKind, TlsSettings,
};

const EXAMPLE: &str = "expected a URL such as \"postgres://portcullis@db.internal:5432/portcullis\"";
const PORT: u16 = 5432;
/// Hosts of one URL at most.
const MOST: usize = 16;

/// What a URL says.
#[derive(Debug, PartialEq, Eq)]
struct Parsed {
    hosts: Vec<PostgresHost>,
    user: String,
    password: Option<Secret>,
    database: String,
    /// What `sslmode` says; none: it says nothing.
    verifies: Option<bool>,
}

/// Whether the name is that of this very machine, where clear text harms nobody.
pub(in crate::config) fn is_this_machine(name: &str) -> bool {
    let is_address = name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    is_address || name == "localhost" || name.ends_with(".localhost")
}

/// Whether both keep events in one database, where each would take the other's for its own.
pub(super) fn is_one_database(one: &SinkKind, other: &SinkKind) -> bool {
    let database = |kind: &SinkKind| match kind {
        SinkKind::Spooled(spooled) => match &spooled.far {
            FarSettings::Postgres(far) => Some((far.server.hosts.clone(), far.server.database.clone())),
            FarSettings::Webhook(_) | FarSettings::Syslog(_) | FarSettings::Otlp(_) => None,
        },
        SinkKind::File(_) | SinkKind::Output(_) | SinkKind::Store(_) => None,
    };
    database(one).is_some_and(|one| Some(one) == database(other))
}

impl Lowering<'_> {
    pub(super) fn postgres_sink(
        &mut self,
        at: Located<'_, Sink>,
        server: Option<&PostgresServer>,
    ) -> Option<PostgresSettings> {
        let keep = self.keep_for(at);
        let Some(server) = server else {
            self.fault(
                Diagnostic::new(at!(at.kind).place, "a sink of the kind \"postgres\", and no PostgreSQL")
                    .expected("expected `[state] postgres = { file = \"/etc/portcullis/postgres.url\" }` or the like"),
            );
            return None;
        };
        Some(PostgresSettings { server: server.clone(), keep })
    }

    pub(super) fn postgres(&mut self, at: Located<'_, Option<State>>) -> Option<PostgresServer> {
        let state = at.given()?;
        let postgres = at!(state.postgres).given()?;
        match postgres.value {
            Postgres::Url(url) => {
                let parsed = self.open_url(url, postgres.place)?;
                Some(self.server(parsed, None, None))
            }
            Postgres::Table(table) => self.postgres_table(Located::new(&**table, postgres.place)),
        }
    }

    fn postgres_table(&mut self, at: Located<'_, PostgresTable>) -> Option<PostgresServer> {
        let password = at!(at.password).given().and_then(|source| {
            let secret = self.secret(source);
            self.keep(secret)
        });
        let tls = self.postgres_tls(at);
        let parsed = match (&at.value.url, at.value.env.is_some() || at.value.file.is_some()) {
            (Some(url), false) => self.open_url(url, at!(at.url).place)?,
            (None, true) => self.secret_url(at)?,
            (Some(_), true) | (None, false) => {
                let what = "the URL of PostgreSQL stands in one place";
                let expected = "expected one of `url`, `env` and `file`";
                self.fault(Diagnostic::new(at.place, what).expected(expected));
                return None;
            }
        };
        if parsed.password.is_some() && password.is_some() {
            let what = "`password`, and the URL has one as well";
            self.fault(Diagnostic::new(at!(at.password).place, what).expected("expected one of the two"));
        }
        if parsed.verifies == Some(false) && tls.is_some() {
            let what = "`ca`, `cert` or `key` for a connection in clear text";
            self.fault(Diagnostic::new(at.place, what).expected("expected no `sslmode=disable`"));
        }
        Some(self.server(parsed, password, tls))
    }

    fn server(&self, parsed: Parsed, password: Option<Secret>, tls: Option<TlsSettings>) -> PostgresServer {
        let is_far =
            |host: &PostgresHost| matches!(host, PostgresHost::Tcp(name, _) if !is_this_machine(name));
        let verifies = mutant!(
            parsed.verifies.unwrap_or_else(|| tls.is_some() || parsed.hosts.iter().any(is_far)),
            "postgres-in-clear-text-unasked" => parsed.verifies.unwrap_or(false)
        );
        PostgresServer {
            hosts: parsed.hosts,
            user: parsed.user,
            password: parsed.password.or(password),
            database: parsed.database,
            tls: verifies.then(|| tls.unwrap_or_default()),
        }
    }

    fn postgres_tls(&mut self, at: Located<'_, PostgresTable>) -> Option<TlsSettings> {
        let ca = at!(at.ca).given().and_then(|ca| {
            let pem = self.certificates(ca);
            self.keep(pem)
        });
        let pair = self.client_certificate(at!(at.cert).given(), at!(at.key).given());
        let client = pair.map(|pair| ClientPair { chain: pair.chain, key: pair.key });
        (ca.is_some() || client.is_some()).then_some(TlsSettings { ca, client })
    }

    /// A URL that stands in the file of settings: it has no password.
    fn open_url(&mut self, url: &str, place: Place<'_>) -> Option<Parsed> {
        let parsed = parse(url, place);
        if parsed.as_ref().map_or_else(|_| url.contains('@'), |parsed| parsed.password.is_some()) {
            self.diagnostics.mask(place.span());
        }
        let parsed = self.keep(parsed)?;
        if parsed.password.is_some() {
            self.fault(
                Diagnostic::new(place, "a password in a file that others read")
                    .expected("expected a URL without it")
                    .help("write the whole URL into a file of its own: `postgres = { file = \"/etc/portcullis/postgres.url\" }`"),
            );
        }
        Some(parsed)
    }

    fn secret_url(&mut self, at: Located<'_, PostgresTable>) -> Option<Parsed> {
        let source = SecretSource { env: at.value.env.clone(), file: at.value.file.clone() };
        let secret = self.secret(Located::new(&source, at.place));
        let secret = self.keep(secret)?;
        if !self.sources.has_secrets() {
            return Some(unread());
        }
        let parsed = parse(secret.expose(), at.place);
        self.keep(parsed)
    }
}

/// What stands for a URL that is not read.
fn unread() -> Parsed {
    let hosts = vec![PostgresHost::Tcp("localhost".to_owned(), PORT)];
    let (user, database) = ("portcullis".to_owned(), "portcullis".to_owned());
    Parsed { hosts, user, password: None, database, verifies: None }
}

/// Reads a URL as PostgreSQL's own programs do, as far as it makes sense here. What is wrong is said without what stands there:
/// it may be a secret.
fn parse(text: &str, place: Place<'_>) -> Result<Parsed, Diagnostic> {
    let wrong = |what: &str| Diagnostic::new(place, what.to_owned()).expected(EXAMPLE);
    let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let rest = rest.ok_or_else(|| wrong("not a URL of PostgreSQL"))?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) =
        login.split_once(':').map_or((login, None), |(user, password)| (user, Some(password)));
    let decoded = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8().ok().map(String::from);
        decoded.filter(|text| !text.contains('\0')).ok_or_else(|| wrong("a URL with letters that are none"))
    };
    let (user, database) = (decoded(user)?, decoded(database)?);
    if user.is_empty() || database.is_empty() {
        return Err(wrong("a URL without a user, or without a database"));
    }
    let (verifies, socket) = parameters(query, place)?;
    let password = password.map(decoded).transpose()?.map(Secret::new);
    Ok(Parsed { hosts: hosts_of(hosts, socket, place)?, user, password, database, verifies })
}

/// What stands behind `?`: `sslmode`, and the folder of a socket.
fn parameters(query: &str, place: Place<'_>) -> Result<(Option<bool>, Option<PathBuf>), Diagnostic> {
    let (mut verifies, mut socket) = (None, None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (&*name, &*value) {
            ("sslmode", "verify-full") => verifies = Some(true),
            ("sslmode", "disable") => verifies = Some(false),
            ("sslmode", _) => {
                return Err(Diagnostic::new(place, "an `sslmode` by which nobody knows who answers")
                    .expected("expected `sslmode=verify-full`, or `sslmode=disable` for clear text"));
            }
            ("host", folder) if folder.starts_with('/') => socket = Some(folder.into()),
            ("host", _) => {
                return Err(Diagnostic::new(place, "`host` behind the `?` that is no folder")
                    .expected("expected the folder of a socket, such as `host=/run/postgresql`"));
            }
            (other, _) => {
                let other: String = other.chars().take(32).collect();
                return Err(Diagnostic::new(
                    place,
                    format!("the URL says {}, which nobody reads", quoted(&other)),
                )
                .expected("expected `sslmode` and `host` alone behind the `?`")
                .help("authorities and certificates stand in the table: `ca`, `cert`, `key`"));
            }
        }
    }
    Ok((verifies, socket))
}

fn hosts_of(
    written: &str,
    socket: Option<PathBuf>,
    place: Place<'_>,
) -> Result<Vec<PostgresHost>, Diagnostic> {
    let wrong = |what: &str| Diagnostic::new(place, what.to_owned()).expected(EXAMPLE);
    if let Some(folder) = socket {
        let port = written.strip_prefix(':').map_or(Ok(PORT), str::parse);
        let is_bare = written.is_empty() || written.starts_with(':');
        return match port.ok().filter(|_| is_bare) {
            Some(port) => Ok(vec![PostgresHost::Unix(folder, port)]),
            None => Err(wrong("a host, and a socket as well")),
        };
    }
    let host = |text: &str| {
        let url = Url::parse(&format!("postgres://{text}/")).ok()?;
        let name = host(&url).filter(|name| !name.is_empty() && !name.contains('%'))?;
        Some(PostgresHost::Tcp(name, url.port().unwrap_or(PORT)))
    };
    let hosts: Option<Vec<_>> = written.split(',').map(host).collect();
    hosts
        .filter(|hosts| hosts.len() <= MOST)
        .ok_or_else(|| wrong("a URL without a host, or with one that is none"))
}
