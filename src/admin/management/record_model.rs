//! What is said in JSON of the record. The comments here are the descriptions of the OpenAPI document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::page;

/// Which events are listed. Where several members are given, all of them must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListEvents {
    /// From when on: a time such as `2026-11-30T19:05:13Z`, or a span such as `1h`, which is so long ago.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) since: Option<String>,
    /// Before when, in the same way.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) until: Option<String>,
    /// The type, such as `sign-in.failed`, or `access.*`.
    #[serde(default, rename = "type")]
    #[schemars(length(min = 1, max = 256))]
    pub(super) kind: Option<String>,
    /// How requests ended: an outcome such as `forbidden`, or one of `granted`, `refused` and `failed`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) outcome: Option<String>,
    /// The user's name, or the subject.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) user: Option<String>,
    /// The name of a provider in the configuration.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) provider: Option<String>,
    /// The route: its name, or host and path.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) route: Option<String>,
    /// The client's address, or its network: an IPv4 one with `/24`, an IPv6 one with `/48`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) client: Option<String>,
    /// The id of a request, as its refusal page and its app's log have it.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) id: Option<String>,
    /// A session, by the sixteen digits that events have.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) session: Option<String>,
    /// The status of the response, such as `404`, or `4xx`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) status: Option<String>,
    /// The `next` of the page before.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    pub(super) after: Option<String>,
    /// Events of a page at most.
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 1000))]
    pub(super) limit: u32,
}

/// A page of events, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) struct EventList {
    /// The events.
    pub(super) events: Vec<EventEntry>,
    /// What to send as `after` for the next page; missing where this is the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
    /// Up to where everything was looked at, where there was no time for more (RFC 3339): the next page goes on there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub(super) looked_back_to: Option<String>,
    /// Files of the store that could not be read, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) damaged: Vec<String>,
}

/// An event, with the fields that its kind has. Where it stands for many it has `count`, `until`, `us_max` and `latency` as
/// well, and tells what they have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct EventEntry(pub(super) Map<String, Value>);

/// What a report is asked about.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AskReport {
    /// From when on: how long ago (`30d`), a day of the zone (`2026-11-30`), or a time (`2026-11-30T19:05:13Z`).
    #[serde(default = "month")]
    #[schemars(length(min = 1, max = 64))]
    pub(super) since: String,
    /// Before when, in the same way; up to now where it is not given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    pub(super) until: Option<String>,
    /// The time zone whose days are counted, such as `Europe/Berlin`.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64))]
    pub(super) zone: String,
    /// About this user alone, by name or subject.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) user: Option<String>,
    /// On this route alone: its name, or host and path.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) route: Option<String>,
    /// At this provider alone.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(super) provider: Option<String>,
    /// Whether people are named; otherwise each has a number, the same in all reports of a store.
    #[serde(default = "yes")]
    pub(super) names: bool,
    /// How it is written.
    #[serde(default)]
    pub(super) format: ReportFormat,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ReportFormat {
    #[default]
    Json,
    Csv,
    Html,
    Table,
}

/// A report.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "it is what the document describes; reports write themselves")]
pub(super) struct ReportDocument {
    /// Its name.
    report: String,
    /// From when on it is about (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    since: String,
    /// Before when (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    until: String,
    /// The zone of its days.
    zone: String,
    /// What whoever reads it must know.
    notes: Vec<String>,
    /// The rows, each by the names of the columns: a text, a number, `null` where there is nothing, and
    /// `{"unknown": true}` where nobody knows.
    rows: Vec<Map<String, Value>>,
}

/// A command has read the files of the record, and says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// What was done, such as `report anomalies` or `events`.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub command: String,
    /// By which names was asked, such as `user, route`, and not for which values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    pub asked_by: Option<String>,
}

fn month() -> String {
    "30d".to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn yes() -> bool {
    true
}
