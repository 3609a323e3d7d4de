//! `[[routes]]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    BalanceWord, Cors, Ejection, Health, OneOrMany, OriginWord, ProtocolWord, Rule, Size, Span, Timeout,
    UpstreamTls,
};

/// An app, or a part of one. Needs `upstream`, `redirect` or `serve`, and `access`, `policy` or rules.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Route {
    /// What logs and metrics call it; unique.
    #[schemars(extend("x-default" = "host and path", "examples" = ["wiki"]))]
    pub name: Option<String>,
    /// `wiki.corp.example`, with a port only on that port; `*.corp.example` is exactly one label before it. A
    /// sign-in leads back to a host without a port on the port of `public_url` alone: an app that people sign in
    /// to on another port says it here.
    #[schemars(extend("x-default" = "any host", "examples" = ["wiki.corp.example"]))]
    pub host: Option<String>,
    /// This path and what is below it.
    #[schemars(extend("default" = "/"))]
    pub path: Option<String>,
    /// Only these methods.
    #[schemars(extend("x-default" = "all; with `serve` those that it answers", "examples" = ["GET"]))]
    pub methods: Option<OneOrMany<String>>,
    /// For whom the route is open without rules.
    #[schemars(extend("x-default" = "what `policy`, `allow` and `deny` say"))]
    pub access: Option<AccessWord>,
    /// Why the route is as open as it is, for whoever reads this file. `portcullis check` does not warn of an open
    /// door that has a reason.
    #[schemars(extend("x-default" = "none", "examples" = ["press releases"]))]
    pub reason: Option<String>,
    /// Names of policies; all of them are required.
    #[schemars(extend("x-default" = "none", "examples" = ["staff"]))]
    pub policy: Option<OneOrMany<String>>,
    /// Rules of this route alone that let people in; any of them suffices.
    #[schemars(extend("x-default" = "none", "examples" = [[{"groups": ["staff"]}]]))]
    pub allow: Option<OneOrMany<Rule>>,
    /// Rules of this route alone that keep people out.
    #[schemars(extend("x-default" = "none", "examples" = [[{"users": ["mallory"]}]]))]
    pub deny: Option<OneOrMany<Rule>>,
    /// Which credentials are looked at. Without `session` nobody is redirected to sign in. Tokens may also come in
    /// `X-Portcullis-Authorization`: `Authorization` is then the app's.
    #[schemars(extend("x-default" = "`session` and `bearer`, as far as some provider offers them"))]
    pub accept: Option<OneOrMany<AcceptWord>>,
    /// What challenges (401) call the route, as clients show it to whoever is asked for a password.
    #[schemars(extend("default" = "portcullis"))]
    pub realm: Option<String>,
    /// Where requests go: `http://`, `https://`, `h2c://` with host and port, or `unix:/path`; an array shares
    /// the load.
    #[schemars(extend("x-default" = "none", "examples" = ["http://10.0.0.5:8080"]))]
    pub upstream: Option<OneOrMany<String>>,
    /// TLS towards the upstream.
    #[schemars(extend("examples" = [{"ca": {"file": "/etc/portcullis/ca.pem"}}]))]
    pub upstream_tls: Option<UpstreamTls>,
    /// Which HTTP is spoken to the upstream.
    #[schemars(extend("default" = "auto"))]
    pub upstream_protocol: Option<ProtocolWord>,
    /// How one of several servers is picked.
    #[schemars(extend("default" = "round-robin"))]
    pub balance: Option<BalanceWord>,
    /// Idle connections kept for each server and worker.
    #[schemars(range(min = 0, max = 10_000), extend("default" = 32))]
    pub keep_idle: Option<usize>,
    /// Active health checks.
    #[schemars(extend("x-default" = "none", "examples" = [{"path": "/healthz", "interval": "5s"}]))]
    pub health: Option<Health>,
    /// Servers that fail are left alone for a while.
    #[schemars(extend("examples" = [{"after": 3, "pause": "30s"}]))]
    pub ejection: Option<Ejection>,
    /// Time limits towards the upstream.
    #[schemars(extend("examples" = [{"connect": "2s", "response": "30s"}]))]
    pub timeout: Option<Timeout>,
    /// Largest request body.
    #[schemars(extend("x-default" = "no limit", "examples" = ["10MiB"]))]
    pub max_body: Option<Size>,
    /// Bytes a second that a client must send of a request's body while the gateway waits for it; who sends less for
    /// 20 s is cut off with 408. Not for routes whose clients keep a stream open and are silent on it, as with gRPC.
    #[schemars(extend("x-default" = "no limit", "examples" = ["1KiB"]))]
    pub min_body_rate: Option<Size>,
    /// Fields that the head of an answer may have; one with more is answered by 502.
    #[schemars(range(min = 10, max = 10_000), extend("default" = 100))]
    pub max_response_fields: Option<usize>,
    /// A redirect instead of an upstream.
    #[schemars(extend("x-default" = "none", "examples" = [{"host": "www.corp.example"}]))]
    pub redirect: Option<Redirect>,
    /// What the gateway itself answers with instead of an upstream, at the route's `path`. Like an app it is for those
    /// whom the route lets in.
    #[schemars(extend("x-default" = "none", "examples" = ["home"]))]
    pub serve: Option<ServeWord>,
    /// Whether the route's `path` is taken off before the request goes on; the app is told it in
    /// `X-Forwarded-Prefix`.
    #[schemars(extend("default" = false))]
    pub strip_path: Option<bool>,
    /// What stands there instead of the route's `path`.
    #[schemars(extend("x-default" = "the path as it came", "examples" = ["/app"]))]
    pub replace_path: Option<String>,
    /// Whether `Location` and `Content-Location` of answers are rewritten where they name the upstream or a path below
    /// it as the upstream knows it.
    #[schemars(extend("default" = false))]
    pub rewrite_location: Option<bool>,
    /// The `Host` that the upstream sees: `keep` the client's, the `upstream`'s own, or this very text.
    #[schemars(extend("default" = "keep"))]
    pub host_header: Option<String>,
    /// What the app is told about who asks.
    #[schemars(extend("x-default" = "nothing", "examples" = [{"headers": "x-auth-request", "assertion": true}]))]
    pub identity: Option<Identity>,
    /// Header rules on the request. Headers that the gateway writes itself are out of their reach.
    #[schemars(extend("x-default" = "none", "examples" = [{"remove": "Cookie"}]))]
    pub request_headers: Option<HeaderRules>,
    /// Header rules on the response.
    #[schemars(extend("x-default" = "none", "examples" = [{"set": {"X-Frame-Options": "DENY"}}]))]
    pub response_headers: Option<HeaderRules>,
    /// `Strict-Transport-Security`: `true` is `"max-age=31536000; includeSubDomains"`.
    #[schemars(extend("default" = false))]
    pub hsts: Option<Hsts>,
    /// How often somebody may ask.
    #[schemars(extend("x-default" = "none", "examples" = [[{"per": "address", "rate": "20/s"}]]))]
    pub limits: Option<OneOrMany<Limit>>,
    /// Requests at once.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-default" = "no limit"))]
    pub concurrency: Option<usize>,
    /// Whether a stream that stays open keeps its session from idling out, up to `max_age`: an event stream, a
    /// download, an upgraded connection. What is sent over a WebSocket, or as an upload, always does.
    #[schemars(extend("default" = "idle"))]
    pub streams: Option<StreamsWord>,
    /// What the route asks of sessions beside the rules.
    #[schemars(extend("x-default" = "nothing", "examples" = [{"max_age": "1h"}]))]
    pub session: Option<RouteSession>,
    /// What scripts of other origins may do.
    #[schemars(extend("x-default" = "nothing", "examples" = [{"origins": "https://spa.corp.example", "preflight": "pass"}]))]
    pub cors: Option<Cors>,
    /// Whose pages may make a browser send unsafe methods and open WebSockets here.
    #[schemars(extend("default" = "any"))]
    pub origin: Option<OriginWord>,
    /// What people call the app in the portal. An app that says none of `title`, `description` and `icon` is shown by its
    /// host, one for each.
    #[schemars(extend("x-default" = "its host", "examples" = ["Wiki"]))]
    pub title: Option<String>,
    /// What the app is for, in a sentence.
    #[schemars(extend("x-default" = "none", "examples" = ["What everybody should know"]))]
    pub description: Option<String>,
    /// A picture of the app: a PNG, SVG or WebP of up to 64 KiB. Anybody may fetch it.
    #[schemars(extend("x-default" = "letters of the title", "examples" = ["icons/wiki.svg"]))]
    pub icon: Option<PathBuf>,
    /// The heading that the app stands under in the portal, in the order in which the file first names them.
    #[schemars(extend("x-default" = "none", "examples" = ["Documents"]))]
    pub group: Option<String>,
    /// Whether the portal leaves the app out though it is open to whoever looks. Who may use it is for the rules to say.
    #[schemars(extend("default" = false))]
    pub hidden: Option<bool>,
    /// Paths that carry secrets, such as links of invitations: `{}` stands for a segment that is told neither in the record
    /// nor in the log nor in traces, at the end for everything below as well. Upper and lower case are the same here.
    #[schemars(extend("x-default" = "none", "examples" = ["/invite/{}"]))]
    pub mask_path: Option<OneOrMany<String>>,
    /// What in paths the app needs although two programs could read it differently. A path is forwarded as it came, and
    /// only where every reading of it comes to the same: `/a%2Fb` is refused where `/a/b` is another route's, or the
    /// rules decide otherwise about it.
    #[schemars(extend("x-default" = "nothing", "examples" = ["encoded-slash"]))]
    pub tolerate: Option<OneOrMany<TolerateWord>>,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum AccessWord {
    /// Anybody, without signing in.
    Public,
    /// Anybody that some provider vouches for, save whom `deny` rules keep out.
    SignedIn,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RouteSession {
    /// How long ago a person may have signed in, here or at the provider; whoever did longer ago signs in anew, and
    /// streams end then. Not longer than `max_age` of `[session]`; clocks may differ by a minute beside.
    #[schemars(extend("x-default" = "`max_age` of `[session]`", "examples" = ["1h"]))]
    pub max_age: Option<Span>,
    /// How long somebody may go without a request to this very route, from their sign-in on where they have made none;
    /// who comes back later signs in anew, though the session is in use elsewhere. What is sent over a WebSocket, or as an
    /// upload, counts. Not longer than `idle_timeout` of `[session]`; clocks may differ by a minute beside.
    #[schemars(extend("x-default" = "`idle_timeout` of `[session]`", "examples" = ["15m"]))]
    pub idle_timeout: Option<Span>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum AcceptWord {
    /// The session cookie of a browser.
    Session,
    /// `Authorization: Bearer` with a token of a provider that has `audiences`.
    Bearer,
    /// `Authorization: Basic` with such a token as the password, for clients that know nothing else; the user name is
    /// not looked at.
    Basic,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum StreamsWord {
    /// No: a forgotten tab idles out, and its streams end with it.
    Idle,
    /// Yes.
    Use,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum TolerateWord {
    /// `%2F` and `%5C`.
    EncodedSlash,
    /// `//`.
    EmptySegment,
    /// `;`.
    Semicolon,
    /// `%25` before two hexadecimal digits.
    DoubleEncoding,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum ServeWord {
    /// The portal, which leads people to the apps that are open to them (`GET`, `HEAD`); it is also there at `/.portcullis`
    /// of every host; 404 below it. On a public route it leads to sign-in.
    Portal,
    /// The console, for whoever the rules of the route let in and what `[console]` makes of them. It has a host of its own,
    /// which no app shares.
    Console,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Redirect {
    /// Another scheme.
    #[schemars(extend("x-default" = "as asked"))]
    pub scheme: Option<SchemeWord>,
    /// Another host, with or without port.
    #[schemars(extend("x-default" = "as asked", "examples" = ["www.corp.example"]))]
    pub host: Option<String>,
    /// Another path in place of the whole one.
    #[schemars(extend("x-default" = "as asked", "examples" = ["/new"]))]
    pub path: Option<String>,
    /// 301, 302, 303, 307 or 308.
    #[schemars(range(min = 301, max = 308), extend("default" = 308))]
    pub status: Option<u16>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum SchemeWord {
    /// Clear text.
    Http,
    /// TLS.
    Https,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Identity {
    /// A family of header names, or a table of names of your own: `user`, `email`, `subject`, `groups`,
    /// `provider` or `claim:PATH` for each.
    #[schemars(extend("x-default" = "none", "examples" = ["x-auth-request"]))]
    pub headers: Option<IdentityHeaders>,
    /// Whether a signed JWT, `Portcullis-Assertion`, is sent along; apps verify it with
    /// `/.portcullis/jwks.json`.
    #[schemars(extend("default" = false))]
    pub assertion: Option<bool>,
    /// A token that is handed on as `Authorization: Bearer`.
    #[schemars(extend("x-default" = "none"))]
    pub token: Option<TokenWord>,
}

/// Names of identity headers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum IdentityHeaders {
    Family(Family),
    Own(BTreeMap<String, String>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Family {
    /// `X-Auth-Request-User`, `-Email`, `-Groups`, `-Preferred-Username`.
    XAuthRequest,
    /// `X-Forwarded-User`, `-Email`, `-Groups`, `-Preferred-Username`.
    XForwarded,
    /// `Remote-User`, `-Email`, `-Groups`, `-Name`.
    Remote,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum TokenWord {
    /// The access token.
    Access,
    /// The ID token.
    Id,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct HeaderRules {
    /// Headers that replace whatever is there.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"X-Frame-Options": "DENY"}]))]
    pub set: Option<BTreeMap<String, String>>,
    /// Headers that are added where they are missing.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"Cache-Control": "no-store"}]))]
    pub default: Option<BTreeMap<String, String>>,
    /// Headers that are taken away.
    #[schemars(extend("x-default" = "none", "examples" = ["Server"]))]
    pub remove: Option<OneOrMany<String>>,
}

/// `Strict-Transport-Security`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Hsts {
    Switch(bool),
    Value(String),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Limit {
    /// Whom it counts.
    pub per: PerWord,
    /// The sustained rate: a number, then `/s`, `/min`, `/h` or `/day`.
    #[schemars(extend("examples" = ["100/min"], "pattern" = "^ *[1-9][0-9]* */ *(s|sec|second|m|min|minute|h|hour|d|day) *$"))]
    pub rate: String,
    /// Requests that may come at once after silence.
    #[schemars(range(min = 1, max = 4_294_967_295_u32), extend("x-default" = "the number in `rate`"))]
    pub burst: Option<u32>,
    /// The header whose values are counted; needed with `per = "header"`.
    #[schemars(extend("x-default" = "none", "examples" = ["X-Api-Client"]))]
    pub header: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum PerWord {
    /// Each client address (IPv6 by its /64).
    Address,
    /// Each person or program, by provider and subject.
    Principal,
    /// Everybody on the route together.
    Route,
    /// Each value of a header.
    Header,
}
