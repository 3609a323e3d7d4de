//! `[server]`, `[admin]`, `[session]`, `[log]`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Limit, OneOrMany, SecretSource, Size, Span};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Server {
    /// Where requests come in: an address with port, a table that says more, or an array of these.
    #[schemars(extend("examples" = ["0.0.0.0:443"]))]
    pub listen: OneOrMany<Listen>,
    /// The origin people sign in at: sign-in, sign-out and callbacks live here, and nowhere else. Needed as
    /// soon as a route accepts sessions. Register `<public_url>/.portcullis/callback` with each provider.
    #[schemars(extend("examples" = ["https://login.corp.example"], "x-default" = "none"))]
    pub public_url: Option<String>,
    /// Networks of proxies in front of the gateway. Only what these say in `Forwarded` and `X-Forwarded-*` is
    /// believed.
    #[schemars(extend("examples" = ["10.0.0.0/8"], "x-default" = "nobody"))]
    pub trusted_proxies: Option<OneOrMany<String>>,
    /// The file that sessions are kept in, so that they survive a restart; `"memory"` keeps none.
    #[schemars(extend("default" = "portcullis-state.db"))]
    pub state: Option<PathBuf>,
    /// The certificate of every listener that does not bring its own, or several to choose from by SNI: the
    /// first is shown where no name matches. Without it listeners speak clear text.
    #[schemars(extend("x-default" = "clear text", "examples" = [{"cert": "tls.crt", "key": "tls.key"}]))]
    pub tls: Option<Tls>,
    /// The oldest version of TLS that is spoken.
    #[schemars(extend("default" = "1.2"))]
    pub tls_min: Option<TlsVersion>,
    /// Worker threads.
    #[schemars(range(min = 1, max = 1024), extend("x-default" = "one for each processor"))]
    pub workers: Option<usize>,
    /// Connections at once on each listener. Beyond that silent ones are closed for newcomers; where none is silent,
    /// newcomers wait. Fewer where the system's limit of open files allows no more.
    #[schemars(range(min = 1, max = 10_000_000), extend("default" = 20_000))]
    pub max_connections: Option<usize>,
    /// Size of a request's head; what is larger is answered with 431.
    #[schemars(extend("default" = "64KiB"))]
    pub max_header_bytes: Option<Size>,
    /// Header fields of a request; more are answered with 431.
    #[schemars(range(min = 1, max = 10_000), extend("default" = 100))]
    pub max_header_fields: Option<usize>,
    /// HTTP/2 streams at once on a connection.
    #[schemars(range(min = 1, max = 10_000), extend("default" = 128))]
    pub max_streams: Option<u32>,
    /// How often one address (IPv6: one /64) may ask the gateway's own endpoints, `/.portcullis/…` but for the keys,
    /// back-channel logout, signals and bound sessions: whoever is over it gets 429 and a page that tries again by itself,
    /// and loses no sign-in by it. Only what counts by `"address"` or by `"route"`, all endpoints together; an empty array is no
    /// limit.
    #[schemars(extend("x-default" = "20 a second and 2000 at once", "examples" = [[{"per": "address", "rate": "20/s", "burst": 2000}]]))]
    pub sign_in_limits: Option<OneOrMany<Limit>>,
    /// How long a TLS handshake and a PROXY protocol header may take.
    #[schemars(extend("default" = "10s"))]
    pub handshake_timeout: Option<Span>,
    /// How long a request's head may take from its first byte, and a new connection to its first byte.
    #[schemars(extend("default" = "15s"))]
    pub header_timeout: Option<Span>,
    /// How long a kept-alive connection may be silent.
    #[schemars(extend("default" = "75s"))]
    pub idle_timeout: Option<Span>,
    /// How long open requests and streams may go on after SIGTERM.
    #[schemars(extend("default" = "30s"))]
    pub drain_timeout: Option<Span>,
    /// How often what goes on for long (a WebSocket, an event stream, gRPC, a download, an upload) is judged anew, by the
    /// route's rules and by what is known of its person then; an hour at most. A reload has everything judged at once.
    #[schemars(extend("default" = "1m"))]
    pub reauthorize_every: Option<Span>,
    /// How long each key signs the assertions that apps are sent, from 1 day up; then the next one takes its turn. It is
    /// published an hour before, and the last one a day longer.
    #[schemars(extend("default" = "30d"))]
    pub rotate_assertion_key: Option<Span>,
}

/// A listener.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Listen {
    Address(String),
    Table(ListenTable),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ListenTable {
    /// Address and port.
    #[schemars(extend("examples" = ["[::]:8443"]))]
    pub address: String,
    /// `false`: clear text although `[server] tls` is given; `true`: the certificates of `[server] tls`; or
    /// certificates of its own.
    #[schemars(extend("x-default" = "`true` where `[server] tls` is given"))]
    pub tls: Option<TlsSwitch>,
    /// Every connection must begin with a PROXY protocol header. A table says who may send one; a version alone
    /// believes whoever connects.
    #[schemars(extend("x-default" = "none is read"))]
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Whether HTTP/2 with prior knowledge is understood in clear text.
    #[schemars(extend("default" = false))]
    pub h2c: Option<bool>,
    /// Whether every request is answered with a redirect to `https://`, whatever the routes say: for port 80 of
    /// a gateway that speaks TLS on 443.
    #[schemars(extend("default" = false))]
    pub to_https: Option<bool>,
}

/// Whether TLS is spoken, or with which certificates.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum TlsSwitch {
    Switch(bool),
    Own(Tls),
}

/// One certificate, or several to choose from by SNI.
pub(in crate::config) type Tls = OneOrMany<CertificatePair>;

/// A certificate and its key. They are read again when they change.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct CertificatePair {
    /// PEM file: the chain, the server's certificate first.
    #[schemars(extend("examples" = ["/etc/portcullis/tls.crt"]))]
    pub cert: PathBuf,
    /// PEM file: its key.
    #[schemars(extend("examples" = ["/etc/portcullis/tls.key"]))]
    pub key: PathBuf,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::config) enum TlsVersion {
    /// TLS 1.2 and 1.3.
    #[serde(rename = "1.2")]
    V12,
    /// TLS 1.3 only.
    #[serde(rename = "1.3")]
    V13,
}

/// Which PROXY protocol header, and of whom.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum ProxyProtocol {
    Version(ProxyProtocolWord),
    Table(ProxyProtocolTable),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ProxyProtocolTable {
    /// The version of the header.
    #[schemars(extend("default" = "any"))]
    pub version: Option<ProxyProtocolWord>,
    /// Networks of the balancers that send it. Whoever connects from elsewhere is refused.
    #[schemars(extend("examples" = ["10.0.0.0/24"], "x-default" = "whoever connects is believed"))]
    pub from: Option<OneOrMany<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum ProxyProtocolWord {
    /// The text form.
    V1,
    /// The binary form.
    V2,
    /// Either.
    Any,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Admin {
    /// Address and port of health and metrics; keep it away from the public.
    #[schemars(extend("examples" = ["127.0.0.1:9090"], "x-default" = "none; `listen`, `socket` or both"))]
    pub listen: Option<String>,
    /// A unix socket for the management API, health and metrics. The gateway makes it with mode 0600, and answers its
    /// own user and root alone. `portcullis sessions` asks here.
    #[schemars(extend("examples" = ["/run/portcullis/admin.sock"], "x-default" = "none; `listen`, `socket` or both"))]
    pub socket: Option<PathBuf>,
    /// What a caller of the management API shows on `listen` (`Authorization: Bearer …`), at least 32 characters.
    /// Without it the API is on the socket alone. Connections are clear text: let no network see it.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"file": "/etc/portcullis/admin.token"}]))]
    pub token: Option<SecretSource>,
    /// Names under which its pages may be asked for, beside IP addresses and `localhost`; `/healthz` and `/readyz`
    /// answer under any. Other names are refused with 421, so that no page in a browser can read metrics through a
    /// name that it has pointed here.
    #[schemars(extend("examples" = ["gateway-1.internal"], "x-default" = "none"))]
    pub hosts: Option<OneOrMany<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Session {
    /// A session that nobody uses for so long ends; at least one minute.
    #[schemars(extend("default" = "1h"))]
    pub idle_timeout: Option<Span>,
    /// A session ends so long after sign-in, whatever happens.
    #[schemars(extend("default" = "12h"))]
    pub max_age: Option<Span>,
    /// Sign-ins that one person may hold at once, whatever they sign in with and on however many hosts: where there would be
    /// more, the oldest ends, with its apps and open connections. What a person signs in again in the same browser
    /// counts once.
    #[schemars(range(min = 1, max = 1000), extend("x-default" = "any number"))]
    pub max_per_person: Option<u32>,
    /// The cookie's name. On `https` the prefix `__Host-` comes by itself.
    #[schemars(extend("default" = "portcullis"))]
    pub cookie_name: Option<String>,
    /// What a browser is told to forget of the host where somebody signs out (`Clear-Site-Data`): `"cache"`, pages
    /// and files; `"storage"`, what scripts keep, and service workers; `"cookies"`, those of the whole registrable
    /// domain, other apps' among them. An empty array is nothing.
    #[schemars(extend("default" = ["cache"]))]
    pub clear_site_data: Option<OneOrMany<SiteDataWord>>,
    /// Whether a session is bound to a key that its browser's device keeps (Device Bound Session Credentials; Chrome and
    /// Edge): a stolen cookie then opens nothing elsewhere. `"auto"`: where the browser can, otherwise a session goes on
    /// without; `"required"`: without, it opens nothing; `"off"`: no browser is told of it.
    #[schemars(extend("default" = "auto"))]
    pub bind: Option<BindWord>,
    /// A domain that covers `public_url`, of which one binding covers all hosts: for more than five of them. Browsers ask
    /// for `/.well-known/device-bound-sessions` of the domain itself, so that a route must name it, or `public_url` be
    /// there. Without, each host is bound by itself, five of a site at most.
    #[schemars(extend("examples" = ["corp.example"], "x-default" = "none"))]
    pub bind_site: Option<String>,
    /// What becomes of a session that turns up in another network than it was made from: its person signs in anew from
    /// there, and a program is told to. A stolen cookie is then good only near its owner. Not for people whose network
    /// changes by itself, as that of phones does.
    #[schemars(extend("default" = "ignore"))]
    pub network_change: Option<NetworkChangeWord>,
    /// What is one network: addresses whose first bits are the same.
    #[schemars(extend("x-default" = "`{ ipv4 = 24, ipv6 = 48 }`", "examples" = [{"ipv4": 16}]))]
    pub network_prefix: Option<NetworkPrefixTable>,
    /// Sessions kept in memory in front of the state file.
    #[schemars(range(min = 1, max = 100_000_000), extend("default" = 100_000))]
    pub cache_capacity: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum NetworkChangeWord {
    /// It goes on.
    Ignore,
    /// Its person signs in anew.
    StepUp,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct NetworkPrefixTable {
    /// Bits of an IPv4 address.
    #[schemars(range(min = 1, max = 32), extend("default" = 24))]
    pub ipv4: Option<u8>,
    /// Bits of an IPv6 address.
    #[schemars(range(min = 1, max = 128), extend("default" = 48))]
    pub ipv6: Option<u8>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum BindWord {
    /// Where the browser can.
    Auto,
    /// Without, a session opens nothing.
    Required,
    /// No browser is told of it.
    Off,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum SiteDataWord {
    /// Pages and files in caches.
    Cache,
    /// Cookies of the whole registrable domain.
    Cookies,
    /// What scripts keep, and service workers.
    Storage,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Log {
    /// How a line looks.
    #[schemars(extend("default" = "auto"))]
    pub format: Option<LogWord>,
    /// How much is said: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as
    /// `info,portcullis::oidc=debug`.
    #[schemars(extend("default" = "info"))]
    pub level: Option<String>,
    /// Whether each request leaves a line.
    #[schemars(extend("default" = true))]
    pub access: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum LogWord {
    /// For eyes on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For eyes.
    Human,
}
