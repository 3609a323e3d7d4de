//! What is said in JSON. The comments here are the descriptions of the OpenAPI document.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::session::SessionOverview;

/// Which sign-ins are meant. Where several members are given, all of them must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SessionSelection {
    /// The user's name, as policies match it, whoever vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub user: Option<String>,
    /// The subject at an issuer (`sub`): that of `provider`, or else that of each configured provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub subject: Option<String>,
    /// The name of a provider in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub provider: Option<String>,
    /// The provider's own session (`sid`), at the issuer of `provider`, or else at that of each configured
    /// provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub sid: Option<String>,
    /// A host on which the sign-in has a session, without port.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub host: Option<String>,
    /// The identifier of any of its sessions, or its first digits: 8 to 64 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9a-fA-F]{8,64}$"))]
    pub id: Option<String>,
    /// All sign-ins; stands alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// What is listed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListSessions {
    #[serde(flatten)]
    pub(super) selection: SessionSelection,
    /// The `next` of the page before: 64 hexadecimal digits.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-fA-F]{64}$"))]
    pub(super) after: Option<String>,
    /// Sign-ins of a page at most.
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 1000))]
    pub(super) limit: u32,
}

pub(super) const fn page() -> u32 {
    100
}

/// What is ended, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSessions {
    /// Which sign-ins.
    #[serde(flatten)]
    pub selection: SessionSelection,
    /// Why, for the log; 256 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub reason: Option<String>,
}

/// Whom the record is asked about.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FindPeople {
    /// The subject (`sub`).
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub(super) subject: String,
    /// The name of a provider in the configuration, or of one that was there; missing: any.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub(super) provider: Option<String>,
}

/// Who is erased, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasePerson {
    /// The subject (`sub`).
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub subject: String,
    /// The name of the provider; it may be missing where one alone knows the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub provider: Option<String>,
    /// Whether their sign-ins are ended first; otherwise nobody is erased who is signed in.
    #[serde(default)]
    pub end_sessions: bool,
    /// Why, for the record, which keeps it: without names; 256 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub reason: Option<String>,
}

/// Why the process is asked for something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why, for the log; 256 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub reason: Option<String>,
}

/// A route that has rates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteLimits {
    /// Its name in the configuration; `portcullis` for the gateway's own endpoints, which share theirs.
    pub route: String,
    /// Its rates, in the order in which they are asked.
    pub limits: Vec<LimitState>,
}

/// A rate, and what has been counted for it in this process. Nothing says who was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitState {
    /// Whom it counts, as the `RateLimit` fields name it: `address`, `principal`, `route` or `header`; the second of a
    /// kind is `address-2`.
    pub name: String,
    /// Requests that may come at once.
    pub burst: u32,
    /// Seconds in which so many come back.
    pub window: u64,
    /// How many addresses, principals or header values are counted now; 1 for a whole route.
    pub counted: usize,
    /// Of these, how many would be refused now. A whole route counts from its last refusal on.
    pub at_bound: usize,
    /// Requests refused since the start, or since this rate was changed.
    pub refused: u64,
}

/// How many have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndedSessions {
    /// Sign-ins, each with all its sessions.
    pub ended: usize,
}

/// A page of sign-ins, in the order of their identifiers. One may be shorter than `limit` though others
/// follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionList {
    /// The sign-ins. Some may be over and not yet removed.
    pub sessions: Vec<SessionEntry>,
    /// What to send as `after` for the next page; missing where this is the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A sign-in. Who it is of is missing where an earlier version made it and it has not been used since, or
/// where the key that sealed it is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionEntry {
    /// Its identifier, 64 hexadecimal digits.
    pub id: String,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The issuer that vouches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The subject at that issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The provider's own session (`sid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// What the browser said of itself at sign-in (`User-Agent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The client's address at sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// When the person signed in (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub created: String,
    /// When it was last used, to about a minute (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub last_seen: String,
    /// When it ends whatever happens (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub expires: String,
    /// The hosts on which it has a session.
    pub hosts: Vec<String>,
    /// Those of them on which the session is bound to its device.
    #[serde(default)]
    pub bound: Vec<String>,
}

impl From<SessionOverview> for SessionEntry {
    fn from(overview: SessionOverview) -> Self {
        let SessionOverview { id, provider, created, last_seen, expires, card, sessions, bound } = overview;
        let (principal, origin, sid) =
            card.map_or_else(Default::default, |card| (Some(card.principal), card.origin, card.sid));
        let principal = principal.as_deref();
        Self {
            id: id.to_hex(),
            provider,
            user: principal.map(|principal| principal.user.clone()),
            issuer: principal.map(|principal| principal.issuer.to_string()),
            subject: principal.map(|principal| principal.subject.to_string()),
            sid,
            email: principal.and_then(|principal| Some(principal.email.as_ref()?.address.clone())),
            groups: principal.map(|principal| principal.groups.clone()).unwrap_or_default(),
            device: origin.device,
            address: origin.address,
            created: created.rfc3339(),
            last_seen: last_seen.rfc3339(),
            expires: expires.rfc3339(),
            bound: sessions
                .iter()
                .filter(|(id, _)| bound.contains(id))
                .map(|(_, host)| host.clone())
                .collect(),
            hosts: sessions.into_iter().map(|(_, host)| host).collect(),
        }
    }
}

/// A configured provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderOverview {
    /// Its name in the configuration.
    pub name: String,
    /// Its issuer identifier.
    pub issuer: String,
    /// Whether it can do its work.
    pub state: ProviderState,
    /// Since when that is so (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub since: String,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub reason: Option<String>,
    /// Its keys.
    pub keys: ProviderKeys,
}

/// A stream of signals at a transmitter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignalsOverview {
    /// The transmitter's name in the configuration.
    pub name: String,
    /// Its identifier.
    pub transmitter: String,
    /// The provider whose sign-ins its signals may concern.
    pub provider: String,
    /// The transmitter's name for the stream; missing where that is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Since when it works, or does not (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub since: String,
    /// Why it does not do its work; missing where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was last seen that it works (RFC 3339); missing where it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub verified: Option<String>,
    /// When a good token last came (RFC 3339); missing where none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub heard: Option<String>,
    /// Events that were asked for and that the transmitter does not send.
    #[serde(default)]
    pub undelivered: Vec<String>,
}

/// Whether a provider can do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderState {
    /// Its metadata are known, and what was last called answered.
    Ready,
    /// Its metadata are known, but a call failed.
    Failing,
    /// Its metadata have never been found, or it does not answer at all.
    Unavailable,
}

/// The keys of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderKeys {
    /// Whether any usable key is known.
    pub known: bool,
    /// Seconds since they were fetched; missing where they never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
}
