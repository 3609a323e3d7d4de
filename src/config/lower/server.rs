//! `[server]`, `[session]`, `[log]`.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use url::Url;

use crate::authn::Accepted;
use crate::gate::RouteSettings;
use crate::listener::{ConnectionLimits, ListenerSettings, ProxyProtocol, ProxyVersion, TlsSettings};
use crate::request::TrustedProxies;
use crate::session::{Bind, NetworkPrefix, SessionSettings, is_of_site};
use crate::telemetry::{LogFormat, LogSettings};

use super::Lowering;
use super::value::{DAY, HOUR, MINUTE, domain, filled, is_loopback, socket, spelled, up_to, url};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, Place, at};
use crate::config::raw;
use crate::config::raw::{
    BindWord, Listen, ListenTable, Log, LogWord, NetworkChangeWord, ProxyProtocolWord, Server, Session, Span,
    Tls, TlsSwitch, TlsVersion,
};
use crate::config::words::nearest;

/// The state file, in the working directory, where none is named.
const STATE: &str = "portcullis-state.db";

impl Lowering<'_> {
    pub(super) fn listeners(&mut self, server: Located<'_, Server>) -> Vec<ListenerSettings> {
        let listen = at!(server.listen);
        let common = at!(server.tls).given().and_then(|tls| self.tls(tls, server));
        let mut listeners: Vec<ListenerSettings> = Vec::new();
        for at in listen.items() {
            let listener = match at.value {
                Listen::Address(text) => {
                    self.keep(socket(Located::new(text, at.place))).map(|address| ListenerSettings {
                        address,
                        tls: common.clone(),
                        proxy_protocol: None,
                        h2c: false,
                        to_https: false,
                    })
                }
                Listen::Table(table) => self.listener(Located::new(table, at.place), common.as_ref(), server),
            };
            let Some(listener) = listener else { continue };
            if listeners.iter().any(|other| other.address == listener.address) {
                self.fault(
                    Diagnostic::new(at.place, "the same address twice")
                        .expected("expected each address once"),
                );
            }
            listeners.push(listener);
        }
        if listen.items().is_empty() {
            self.fault(
                Diagnostic::new(listen.place, "no listener").expected("expected at least one address"),
            );
        }
        listeners
    }

    fn listener(
        &mut self,
        at: Located<'_, ListenTable>,
        common: Option<&TlsSettings>,
        server: Located<'_, Server>,
    ) -> Option<ListenerSettings> {
        let address = self.keep(socket(at!(at.address)));
        let switch = at!(at.tls);
        let tls = match switch.given().map(|switch| (switch.value, switch.place)) {
            None => common.cloned(),
            Some((TlsSwitch::Switch(false), _)) => None,
            Some((TlsSwitch::Switch(true), place)) => {
                if server.value.tls.is_none() {
                    self.fault(
                        Diagnostic::new(place, "no certificate to speak TLS with")
                            .expected("expected `{ cert = \"…\", key = \"…\" }`, here or as `[server] tls`"),
                    );
                }
                common.cloned()
            }
            Some((TlsSwitch::Own(own), place)) => self.tls(Located::new(own, place), server),
        };
        let h2c = at.value.h2c.unwrap_or_default();
        if h2c && tls.is_some() {
            let place = at!(at.h2c).place;
            self.fault(
                Diagnostic::new(place, "`h2c` is HTTP/2 in clear text, but this listener speaks TLS")
                    .expected("expected no `h2c`: over TLS, HTTP/2 is agreed on by itself"),
            );
        }
        let proxy_protocol = at!(at.proxy_protocol).given().map(|written| self.proxy_protocol(written));
        let to_https = at.value.to_https.unwrap_or_default();
        if to_https && tls.is_some() {
            let place = at!(at.to_https).place;
            self.fault(
                Diagnostic::new(
                    place,
                    "`to_https` on a listener that speaks TLS would send people in a circle",
                )
                .expected("expected `tls = false` beside it"),
            );
        }
        Some(ListenerSettings { address: address?, tls, proxy_protocol, h2c, to_https })
    }

    fn proxy_protocol(&mut self, at: Located<'_, raw::ProxyProtocol>) -> ProxyProtocol {
        match at.value {
            raw::ProxyProtocol::Version(word) => ProxyProtocol { version: proxy_version(word), from: None },
            raw::ProxyProtocol::Table(table) => {
                let at = Located::new(table, at.place);
                let from = at!(at.from).given().map(|_| TrustedProxies::new(self.networks(at!(at.from))));
                ProxyProtocol {
                    version: table.version.as_ref().map_or(ProxyVersion::Any, proxy_version),
                    from,
                }
            }
        }
    }

    fn tls(&mut self, at: Located<'_, Tls>, server: Located<'_, Server>) -> Option<TlsSettings> {
        if at.items().is_empty() {
            self.fault(Diagnostic::new(at.place, "no certificate").expected("expected at least one"));
        }
        let certificates: Vec<_> = at.items().into_iter().filter_map(|pair| self.pair(pair)).collect();
        let tls12 = !matches!(server.value.tls_min, Some(TlsVersion::V13));
        (!certificates.is_empty()).then_some(TlsSettings { certificates, tls12 })
    }

    pub(super) fn connections(&mut self, server: Located<'_, Server>) -> ConnectionLimits {
        let default = ConnectionLimits::default();
        let raw = server.value;
        let head = self.size(at!(server.max_header_bytes)).and_then(|bytes| usize::try_from(bytes).ok());
        ConnectionLimits {
            max_connections: raw.max_connections.unwrap_or(default.max_connections),
            max_head: self.head(head, at!(server.max_header_bytes).place).unwrap_or(default.max_head),
            max_fields: raw.max_header_fields.unwrap_or(default.max_fields),
            handshake: self.span(at!(server.handshake_timeout), default.handshake, up_to(5 * MINUTE)),
            head: self.span(at!(server.header_timeout), default.head, up_to(5 * MINUTE)),
            idle: self.span(at!(server.idle_timeout), default.idle, up_to(HOUR)),
            evict_stalled: default.evict_stalled,
            max_streams: raw.max_streams.unwrap_or(default.max_streams),
        }
    }

    /// No head of a browser with its cookies fits into less than 8 KiB, and nobody needs more than 1 MiB.
    fn head(&mut self, bytes: Option<usize>, place: Place<'_>) -> Option<usize> {
        let bounds = 8 * 1024..=1024 * 1024;
        if bytes.is_some_and(|bytes| !bounds.contains(&bytes)) {
            self.fault(
                Diagnostic::new(place, "the number is out of range").expected("expected from 8KiB to 1MiB"),
            );
        }
        bytes
    }

    pub(super) fn state(&mut self, at: Located<'_, Option<PathBuf>>) -> Option<PathBuf> {
        match at.value {
            None => Some(STATE.into()),
            Some(word) if word.as_os_str() == "memory" => None,
            Some(path) => {
                let path = self.path(path);
                self.state_folder(&path, at.place);
                Some(path)
            }
        }
    }

    /// Doubtful rather than wrong: a service manager may make the folder when it starts the gateway.
    fn state_folder(&mut self, path: &Path, place: Place<'_>) {
        let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return };
        if !self.sources.is_folder(folder) {
            self.diagnostics.warn(
                Diagnostic::new(place, format!("there is no folder {}", quoted(&folder.display().to_string())))
                    .expected("expected a folder that the gateway may write to")
                    .help("make it for the gateway's user alone, mode 0700; with systemd: `StateDirectory=portcullis`"),
            );
        }
    }

    /// The next key is published an hour ahead, the last one for a day: keys follow each other a day apart or more.
    pub(super) fn rotation(&mut self, at: Located<'_, Option<Span>>) -> Duration {
        let range = Duration::from_secs(DAY)..=Duration::from_secs(366 * DAY);
        self.span(at, Duration::from_secs(30 * DAY), range)
    }

    pub(super) fn drain(&mut self, at: Located<'_, Option<Span>>) -> Duration {
        self.span(at, Duration::from_secs(30), Duration::ZERO..=Duration::from_secs(DAY))
    }

    /// Never off: who was let in an hour ago is not let in for good.
    pub(super) fn reauthorize_every(&mut self, server: Located<'_, Server>) -> Duration {
        self.span(at!(server.reauthorize_every), Duration::from_secs(MINUTE), up_to(HOUR))
    }

    /// The origin at which people sign in; needed as soon as a route accepts sessions.
    pub(super) fn public_url(
        &mut self,
        server: Located<'_, Server>,
        routes: &[RouteSettings],
    ) -> Option<Url> {
        let at = at!(server.public_url);
        if let Some(at) = at.given() {
            return self.keep(origin(at));
        }
        if routes.iter().any(|route| route.accept.has(Accepted::Session)) {
            self.fault(Diagnostic::new(server.place, "`public_url` is missing, but a route accepts sessions")
                .expected("expected `public_url = \"https://login.corp.example\"` or the like")
                .help("people sign in there; with bearer tokens alone say `accept = \"bearer\"` on the routes"));
        }
        None
    }

    pub(super) fn session(&mut self, at: Located<'_, Option<Session>>) -> SessionSettings {
        let default = SessionSettings::default();
        let Some(at) = at.given() else { return default };
        let range = Duration::from_secs(MINUTE)..=Duration::from_secs(366 * DAY);
        let max_age = self.span(at!(at.max_age), default.max_age, range.clone());
        // By default no longer than `max_age`: nobody wrote what would be a fault then.
        let idle = self.span(at!(at.idle_timeout), default.idle_timeout.min(max_age), range);
        if max_age < idle {
            self.fault(
                Diagnostic::new(at!(at.max_age).place, "`max_age` is shorter than `idle_timeout`")
                    .expected(format!("expected at least {}", spelled(idle))),
            );
        }
        let name = at!(at.cookie_name).given().and_then(|name| self.keep(cookie_name(name)));
        SessionSettings {
            idle_timeout: idle,
            max_age,
            max_per_person: at.value.max_per_person.and_then(NonZeroU32::new),
            cookie_name: name.unwrap_or(default.cookie_name),
            cache_capacity: at.value.cache_capacity.unwrap_or(default.cache_capacity),
            bind: bind(at.value.bind.as_ref()),
            bind_site: at!(at.bind_site).given().and_then(|site| self.keep(domain(site))),
            network: self.network(at),
        }
    }

    /// Checks that the domain of which one binding covers all hosts covers the sign-in host, where sign-ins bind, and over
    /// TLS: the cookie of a whole domain is kept by that alone.
    pub(super) fn bind_site_covers(
        &mut self,
        at: Located<'_, Option<Session>>,
        site: Option<&str>,
        public_url: Option<&Url>,
    ) {
        let (Some(at), Some(site), Some(url)) = (at.given(), site, public_url) else { return };
        if url.scheme() == "https" && is_of_site(url.host_str().unwrap_or_default(), site) {
            return;
        }
        self.fault(
            Diagnostic::new(at!(at.bind_site).place, "`bind_site` does not cover `public_url`")
                .expected("expected the domain that `public_url` is at or below, over `https`"),
        );
    }

    /// What is one network, where its change counts.
    fn network(&mut self, at: Located<'_, Session>) -> Option<NetworkPrefix> {
        let written = at!(at.network_prefix).given();
        let counts = at.value.network_change == Some(NetworkChangeWord::StepUp);
        if let (Some(prefix), false) = (written, counts) {
            self.fault(
                Diagnostic::new(prefix.place, "`network_prefix` where a change of the network is ignored")
                    .expected("expected `network_change = \"step-up\"` beside it"),
            );
        }
        let (ipv4, ipv6) = written.map_or((None, None), |prefix| (prefix.value.ipv4, prefix.value.ipv6));
        counts.then_some(NetworkPrefix { ipv4: ipv4.unwrap_or(24), ipv6: ipv6.unwrap_or(48) })
    }

    pub(super) fn log(&mut self, at: Located<'_, Option<Log>>) -> LogSettings {
        let default = LogSettings::default();
        let Some(at) = at.given() else { return default };
        let format = match at.value.format {
            None | Some(LogWord::Auto) => LogFormat::Auto,
            Some(LogWord::Json) => LogFormat::Json,
            Some(LogWord::Human) => LogFormat::Human,
        };
        let level = at!(at.level).given().and_then(|level| self.keep(log_level(level)));
        LogSettings {
            format,
            level: level.unwrap_or(default.level),
            access: at.value.access.unwrap_or(default.access),
        }
    }
}

const fn proxy_version(word: &ProxyProtocolWord) -> ProxyVersion {
    match word {
        ProxyProtocolWord::V1 => ProxyVersion::V1,
        ProxyProtocolWord::V2 => ProxyVersion::V2,
        ProxyProtocolWord::Any => ProxyVersion::Any,
    }
}

fn origin(at: Located<'_, String>) -> Result<Url, Diagnostic> {
    let url = url(at.value, at.place, &["https", "http"], "https://login.corp.example")?;
    if url.path() != "/" {
        return Err(Diagnostic::new(at.place, "`public_url` has a path")
            .expected("expected scheme, host and port alone, such as \"https://login.corp.example\""));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(Diagnostic::new(at.place, "`public_url` is clear text")
            .expected("expected `https://`; `http://` is for loopback addresses")
            .help("where a proxy in front speaks TLS, write the address that people see"));
    }
    Ok(url)
}

fn cookie_name(at: Located<'_, String>) -> Result<String, Diagnostic> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if at.value.starts_with("__")
        || at.value.is_empty()
        || at.value.len() > 64
        || !at.value.chars().all(token)
    {
        return Err(Diagnostic::new(at.place, "not the name of a cookie")
            .expected("expected a name such as \"portcullis\"; the prefix `__Host-` comes by itself"));
    }
    Ok(at.value.clone())
}

const fn bind(word: Option<&BindWord>) -> Bind {
    match word {
        None | Some(BindWord::Auto) => Bind::Auto,
        Some(BindWord::Required) => Bind::Required,
        Some(BindWord::Off) => Bind::Off,
    }
}

fn log_level(at: Located<'_, String>) -> Result<String, Diagnostic> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let text = filled(at)?;
    let expected = "expected \"error\", \"warn\", \"info\", \"debug\", \"trace\" or a filter such as \"info,portcullis::oidc=debug\"";
    let filter = text.contains(['=', ',']) && EnvFilter::builder().parse(&text).is_ok();
    if filter || LEVELS.contains(&text.as_str()) {
        return Ok(text);
    }
    let diagnostic = Diagnostic::new(at.place, "not a level").expected(expected);
    Err(match nearest(&text, LEVELS) {
        Some(level) => diagnostic.help(format!("did you mean \"{level}\"?")),
        None => diagnostic,
    })
}
