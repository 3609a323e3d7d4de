//! Sinks whose far end may be away: `[[audit.sinks]]` of the kinds `webhook`, `syslog`, `otlp` and `postgres`.

use std::path::{Path, PathBuf};

use url::{Host, Url};

use super::audit::schema;
use super::telemetry::COLLECTOR;
use super::value::{is_loopback, url};
use super::{Lowering, StatePlaces};
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, Place, at};
use crate::config::raw::{Sink, SinkTls, SinkWord, Spool};
use crate::secret::Secret;
use crate::sinks::{
    ClientPair, FarSettings, Pace, SpoolSettings, SpooledSettings, SyslogAddress, SyslogSettings,
    TlsSettings, WebhookSettings,
};

const MIB: u64 = 1024 * 1024;
/// What may wait for a far end where nothing is said.
const SPOOL: u64 = 64 * MIB;
/// Fewest characters of a secret that signs.
const FEWEST: usize = 32;
const WEBHOOK: &str = "https://siem.corp.example/events";
const SYSLOG: &str = "tls://siem.corp.example:6514";

impl Lowering<'_> {
    pub(super) fn spooled_sink(
        &mut self,
        at: Located<'_, Sink>,
        name: &str,
        places: StatePlaces<'_>,
    ) -> Option<SpooledSettings> {
        let spool = self.spool(at, name, places.file);
        let tls = at!(at.tls).given().map_or_else(TlsSettings::default, |at| self.sink_tls(at));
        let far = match at.value.kind {
            SinkWord::Syslog => self.syslog(at, tls).map(FarSettings::Syslog),
            SinkWord::Otlp => {
                let found = self.web_address(at, COLLECTOR).map(String::from);
                self.otlp_sink(at, tls, found).map(FarSettings::Otlp)
            }
            SinkWord::Postgres => {
                self.postgres_sink(at, places.postgres).map(|far| FarSettings::Postgres(Box::new(far)))
            }
            SinkWord::Webhook | SinkWord::File | SinkWord::Stdout | SinkWord::Store => {
                self.webhook(at, tls).map(FarSettings::Webhook)
            }
        };
        let (keeps, schema) = (at.value.required.unwrap_or(false), at.value.schema.map(schema));
        Some(SpooledSettings { spool: spool?, keeps, pace: Pace::default(), schema, far: far? })
    }

    fn spool(&mut self, at: Located<'_, Sink>, name: &str, state: Option<&Path>) -> Option<SpoolSettings> {
        let written = at!(at.spool).given();
        let size = written.map_or(SPOOL, |at| self.spool_size(at));
        let path = written.and_then(|at| at.value.path.as_deref().map(|path| self.path(path)));
        let Some(folder) = path.or_else(|| beside(state?, name)) else {
            self.fault(
                Diagnostic::new(at.place, "nowhere to keep events that this sink cannot bring to anybody")
                    .expected(
                        "expected `spool = { path = \"/var/lib/portcullis/spool\" }`: there is no state file",
                    ),
            );
            return None;
        };
        Some(SpoolSettings { folder, size })
    }

    fn spool_size(&mut self, at: Located<'_, Spool>) -> u64 {
        let size = self.size(at!(at.size)).unwrap_or(SPOOL);
        if !(MIB..=1024 * 1024 * MIB).contains(&size) {
            self.fault(
                Diagnostic::new(at!(at.size).place, "no room for events, or more than a disk has")
                    .expected("expected from \"1MiB\" to \"1024GiB\""),
            );
        }
        size
    }

    fn sink_tls(&mut self, at: Located<'_, SinkTls>) -> TlsSettings {
        let ca = at!(at.ca).given().and_then(|ca| {
            let pem = self.certificates(ca);
            self.keep(pem)
        });
        let pair = self.client_certificate(at!(at.cert).given(), at!(at.key).given());
        TlsSettings { ca, client: pair.map(|pair| ClientPair { chain: pair.chain, key: pair.key }) }
    }

    fn webhook(&mut self, at: Located<'_, Sink>, tls: TlsSettings) -> Option<WebhookSettings> {
        let secrets = self.signing_secrets(at);
        let url = self.web_address(at, WEBHOOK)?;
        Some(WebhookSettings { url: url.into(), secrets: secrets?, tls })
    }

    fn web_address(&mut self, at: Located<'_, Sink>, example: &str) -> Option<Url> {
        let found = at!(at.url).given().map(|at| url(at.value, at.place, &["https", "http"], example));
        let url = self.far_url(at, found, example)?;
        self.clear_text(at, url.scheme() == "http", is_loopback(&url));
        Some(url)
    }

    fn signing_secrets(&mut self, at: Located<'_, Sink>) -> Option<Vec<Secret>> {
        let written = at!(at.secret).all();
        let secrets: Vec<_> = written
            .iter()
            .filter_map(|at| {
                let secret = self.secret(*at);
                self.keep(secret).map(|secret| (secret, at.place))
            })
            .collect();
        if written.is_empty() {
            self.fault(
                Diagnostic::new(at.place, "a webhook without the secret that signs what it sends")
                    .expected("expected `secret = { file = \"/etc/portcullis/siem.secret\" }` or the like"),
            );
        }
        for (_, place) in secrets.iter().filter(|(secret, _)| secret.expose().len() < FEWEST) {
            if self.sources.has_secrets() {
                self.fault(
                    Diagnostic::new(*place, format!("a secret of fewer than {FEWEST} characters"))
                        .expected("expected random bits as text")
                        .help("openssl rand -base64 32"),
                );
            }
        }
        let secrets: Vec<_> = secrets.into_iter().map(|(secret, _)| secret).collect();
        (!secrets.is_empty()).then_some(secrets)
    }

    fn syslog(&mut self, at: Located<'_, Sink>, tls: TlsSettings) -> Option<SyslogSettings> {
        let path = at!(at.url).given().and_then(|at| Some(Path::new(at.value.strip_prefix("unix:")?)));
        if let Some(path) = path.filter(|path| path.is_absolute() && path.file_name().is_some()) {
            return Some(SyslogSettings { address: SyslogAddress::Unix(path.to_owned()), tls });
        }
        let found = at!(at.url).given().map(|at| url(at.value, at.place, &["tls", "tcp"], SYSLOG));
        let found = self.far_url(at, found, SYSLOG)?;
        let (host, port) = (host(&found), found.port());
        self.clear_text(at, found.scheme() == "tcp", is_on_this_machine(&found));
        let is_bare = found.path().trim_matches('/').is_empty();
        let (Some(host), true) = (host, is_bare) else {
            let what = "the address of a receiver of syslog is a host and a port";
            self.fault(Diagnostic::new(at!(at.url).place, what).expected(format!("expected \"{SYSLOG}\"")));
            return None;
        };
        let address = match found.scheme() {
            "tcp" => SyslogAddress::Tcp(host, port.unwrap_or(601)),
            _ => SyslogAddress::Tls(host, port.unwrap_or(6514)),
        };
        Some(SyslogSettings { address, tls })
    }

    fn far_url(
        &mut self,
        at: Located<'_, Sink>,
        found: Option<Result<Url, Diagnostic>>,
        example: &str,
    ) -> Option<Url> {
        let kind = at.value.kind.as_str();
        let missing = || {
            Err(Diagnostic::new(at.place, format!("a sink of the kind \"{kind}\" without its `url`"))
                .expected(format!("expected `url = \"{example}\"` or the like")))
        };
        let found = found.unwrap_or_else(missing);
        self.keep(found)
    }

    /// Events tell who did what: over a network they are not for everybody.
    fn clear_text(&mut self, at: Located<'_, Sink>, is_clear: bool, is_here: bool) {
        if is_clear && !is_here && at.value.insecure != Some(true) {
            self.fault(
                Diagnostic::new(at!(at.url).place, "events would go over the network in clear text")
                    .expected("expected `https://` or `tls://`, or `insecure = true` beside it"),
            );
        }
        if is_clear && at.value.tls.is_some() {
            self.fault(
                Diagnostic::new(at!(at.tls).place, "`tls` for a connection in clear text")
                    .expected("expected `https://` or `tls://`, or no `tls`"),
            );
        }
    }

    /// Keys that say nothing of a sink of this kind.
    pub(super) fn only_where_it_means_something(&mut self, at: Located<'_, Sink>) {
        let (sink, kind) = (at.value, at.value.kind);
        let (is_file, is_far) =
            (kind == SinkWord::File, matches!(kind, SinkWord::Webhook | SinkWord::Syslog | SinkWord::Otlp));
        let (is_store, is_postgres) = (kind == SinkWord::Store, kind == SinkWord::Postgres);
        let has_lines = !is_store && !is_postgres && kind != SinkWord::Otlp;
        let keys: [(&str, bool, Place<'_>, bool, &str); 15] = [
            ("headers", sink.headers.is_some(), at!(at.headers).place, kind == SinkWord::Otlp, "\"otlp\""),
            ("path", sink.path.is_some(), at!(at.path).place, is_file || is_store, FILES),
            ("mode", sink.mode.is_some(), at!(at.mode).place, is_file, FILES),
            ("rotate", sink.rotate.is_some(), at!(at.rotate).place, is_file, FILES),
            (
                "format",
                sink.format.is_some(),
                at!(at.format).place,
                matches!(kind, SinkWord::File | SinkWord::Stdout),
                HERE,
            ),
            ("schema", sink.schema.is_some(), at!(at.schema).place, has_lines, LINES),
            ("personal", sink.personal.is_some(), at!(at.personal).place, !is_store, ELSEWHERE),
            ("keep", sink.keep.is_some(), at!(at.keep).place, is_store || is_postgres, KEEPERS),
            ("size", sink.size.is_some(), at!(at.size).place, is_store, STORES),
            ("chain", sink.chain.is_some(), at!(at.chain).place, is_file, FILES),
            ("url", sink.url.is_some(), at!(at.url).place, is_far, FAR),
            ("tls", sink.tls.is_some(), at!(at.tls).place, is_far, FAR),
            ("spool", sink.spool.is_some(), at!(at.spool).place, is_far || is_postgres, SPOOLED),
            ("insecure", sink.insecure.is_some(), at!(at.insecure).place, is_far, FAR),
            ("secret", sink.secret.is_some(), at!(at.secret).place, kind == SinkWord::Webhook, "\"webhook\""),
        ];
        for (key, _, place, _, kinds) in keys.into_iter().filter(|(_, given, _, good, _)| *given && !good) {
            let what = match is_file || key != "path" && key != "mode" && key != "rotate" {
                true => format!("`{key}` of a sink of the kind \"{}\"", kind.as_str()),
                false => format!("`{key}` of a sink that is no file"),
            };
            self.fault(
                Diagnostic::new(place, what).expected(format!("expected it of a sink of the kind {kinds}")),
            );
        }
    }
}

const FILES: &str = "\"file\"";
const LINES: &str = "\"file\", \"stdout\", \"webhook\" or \"syslog\"";
/// A store seals what is personal, for each person by a key of theirs.
const ELSEWHERE: &str = "other than \"store\"";
const STORES: &str = "\"store\"";
const KEEPERS: &str = "\"store\" or \"postgres\"";
const HERE: &str = "\"file\" or \"stdout\"";
const FAR: &str = "\"webhook\", \"syslog\" or \"otlp\"";
const SPOOLED: &str = "\"webhook\", \"syslog\", \"otlp\" or \"postgres\"";

/// Where events of a sink wait whose folder nobody names.
fn beside(state: &Path, name: &str) -> Option<PathBuf> {
    let mut folder = state.file_name()?.to_owned();
    folder.push("-spool");
    Some(state.with_file_name(folder).join(name))
}

pub(super) fn host(url: &Url) -> Option<String> {
    Some(match url.host()? {
        Host::Domain(name) => name.to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })
}

/// Whether the host is this very machine. URLs of schemes that browsers do not know have their addresses as names.
pub(super) fn is_on_this_machine(url: &Url) -> bool {
    let is_address = |name: &str| name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    is_loopback(url) || url.host_str().is_some_and(is_address)
}
