//! `[audit]` and `[[audit.sinks]]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{File, OneOrMany, SecretSource, Size, Span};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Audit {
    /// What events may hold in memory, altogether, until sinks have taken them; at least 1 MiB. What finds no room is lost,
    /// which is told as an event of its own.
    #[schemars(extend("default" = "8MiB"))]
    pub memory: Option<Size>,
    /// Whether events are kept in a store that can be asked (`portcullis events`), in a folder beside the state file that has
    /// its name and `-audit`; not where a sink of the kind `store` says where else.
    #[schemars(extend("x-default" = "true where there is `[server] state`"))]
    pub store: Option<bool>,
    /// The file into which checkpoints are written: what all chains hold, signed every minute. The same goes out as events.
    #[schemars(extend("x-default" = "the name of the state file, or of the first chained file or store, with `-checkpoints` behind it", "examples" = ["/mnt/worm/checkpoints"]))]
    pub checkpoint_file: Option<PathBuf>,
    /// How long a key signs checkpoints, from 1 day up. The next one is named by the one before, which is deleted then.
    #[schemars(extend("default" = "90d"))]
    pub rotate_key: Option<Span>,
    /// What the pseudonyms follow from that sinks with `personal = "pseudonyms"` get: at least 32 characters. Who has it can
    /// try out whom one stands for; with another one, all pseudonyms are others from the next start on.
    #[schemars(extend("x-default" = "a key in the state file", "x-secret" = true, "examples" = [{"file": "/etc/portcullis/pseudonyms.key"}]))]
    pub pseudonym_key: Option<SecretSource>,
    /// How often a running gateway verifies its own record, from 1 minute to 31 days; first when it starts. It gives way to
    /// everything else. What it finds is told by an event, a metric and `/readyz`.
    #[schemars(extend("default" = "1day"))]
    pub verify_every: Option<Span>,
    /// Who keeps events beside the log.
    pub sinks: Option<Vec<Sink>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Sink {
    /// Where it writes.
    pub kind: SinkWord,
    /// What metrics and the record call it; unique.
    #[schemars(extend("x-default" = "its kind", "examples" = ["requests"]))]
    pub name: Option<String>,
    /// The file of a sink of the kind `file`; nobody else writes it, and a second process goes on in one beside it. The folder
    /// of one of the kind `store`, which is made where it is missing.
    #[schemars(extend("x-default" = "none", "examples" = ["/var/log/portcullis/events.jsonl"]))]
    pub path: Option<PathBuf>,
    /// Who may read and write the file, in octal.
    #[schemars(extend("default" = "0600"))]
    pub mode: Option<String>,
    /// When the file goes on in a new one, and how many old ones are kept.
    pub rotate: Option<Rotate>,
    /// How old an event may become in a store, or in PostgreSQL, from 2 days to 10 years.
    #[schemars(extend("default" = "365days"))]
    pub keep: Option<Span>,
    /// Bytes that a store may have; the oldest events go first. At least 512 MiB.
    #[schemars(extend("default" = "10GiB"))]
    pub size: Option<Size>,
    /// How a line looks.
    #[schemars(extend("default" = "json"))]
    pub format: Option<SinkFormatWord>,
    /// Whether lines of JSON in a file are chained, so that it shows when something of them is changed or missing later.
    #[schemars(extend("x-default" = "`true` for files of JSON"))]
    pub chain: Option<bool>,
    /// The words of lines in JSON: those of a schema that many others read, in place of ours (docs/schemas.md).
    #[schemars(extend("x-default" = "our own", "examples" = ["ocsf"]))]
    pub schema: Option<SinkSchemaWord>,
    /// What it gets of what is personal (docs/events.md says which fields are): names, subjects, addresses, devices and paths.
    #[schemars(extend("default" = "clear"))]
    pub personal: Option<PersonalWord>,
    /// Events that it takes, by their types; `*` at the end stands for any rest.
    #[schemars(extend("x-default" = "all", "examples" = ["access.*"]))]
    pub only: Option<OneOrMany<String>>,
    /// Events that it does not take.
    #[schemars(extend("x-default" = "none", "examples" = ["access.granted"]))]
    pub except: Option<OneOrMany<String>>,
    /// Who gets events of a sink of the kind `webhook` (`https://…`), `syslog` (`tls://host:6514`, `tcp://host:601`,
    /// `unix:/dev/log`) or `otlp` (`https://host:4318`; `/v1/logs` comes behind it).
    #[schemars(extend("x-default" = "none", "examples" = ["https://siem.corp.example/events"]))]
    pub url: Option<String>,
    /// What a webhook's batches are signed by: at least 32 characters. Of an array each signs, so that its receiver may
    /// know any of them.
    #[schemars(extend("x-default" = "none", "x-secret" = true, "examples" = [{"file": "/etc/portcullis/siem.secret"}]))]
    pub secret: Option<OneOrMany<SecretSource>>,
    /// What a collector is shown with every call, by the names of fields of HTTP.
    #[schemars(extend("x-default" = "nothing"))]
    pub headers: Option<BTreeMap<String, SecretSource>>,
    /// TLS towards whoever gets them.
    pub tls: Option<SinkTls>,
    /// Whether events may go over the network in clear text. To this very machine they may.
    #[schemars(extend("default" = false))]
    pub insecure: Option<bool>,
    /// Where events wait on disk until whoever gets them has them.
    pub spool: Option<Spool>,
    /// Whether requests are refused (503) rather than let go while this sink has no room for what they leave. It asks for
    /// room on this machine alone, never whether a far end is there.
    #[schemars(extend("default" = false))]
    pub required: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct SinkTls {
    /// PEM file with the only authorities trusted for it.
    #[schemars(extend("x-default" = "the system's authorities"))]
    pub ca: Option<File>,
    /// PEM file with the certificate chain that the gateway shows.
    #[schemars(extend("x-default" = "none is shown"))]
    pub cert: Option<File>,
    /// PEM file with its key.
    #[schemars(extend("x-default" = "none"))]
    pub key: Option<File>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Spool {
    /// Bytes that may wait; at least 1 MiB. Where they are more, the oldest go, which is told as an event; with `required`
    /// they stay, and requests are refused.
    #[schemars(extend("default" = "64MiB"))]
    pub size: Option<Size>,
    /// The folder that they wait in. Nobody else puts anything there.
    #[schemars(extend("x-default" = "beside the state file, `-spool/` and the sink's name"))]
    pub path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum SinkWord {
    /// A file, a line for each event.
    File,
    /// Standard output.
    Stdout,
    /// The embedded store, which can be asked.
    Store,
    /// Whoever answers at a URL: signed batches, each event a line of JSON.
    Webhook,
    /// A receiver of syslog (RFC 5424), over TLS, TCP or a socket of this machine.
    Syslog,
    /// A collector of OpenTelemetry (OTLP over HTTP), as logs.
    Otlp,
    /// The PostgreSQL of `[state] postgres`: a row for each event, in a table for each day.
    Postgres,
}

impl SinkWord {
    pub(in crate::config) const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Stdout => "stdout",
            Self::Webhook => "webhook",
            Self::Syslog => "syslog",
            Self::Store => "store",
            Self::Otlp => "otlp",
            Self::Postgres => "postgres",
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum SinkFormatWord {
    /// One JSON object a line: everything that is told.
    Json,
    /// For eyes.
    Human,
    /// The Common Log Format: requests alone.
    Common,
    /// The same with the browser's word for itself.
    Combined,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum PersonalWord {
    /// All of it, as it is.
    Clear,
    /// A keyed hash in place of each value, the same for the same value.
    Pseudonyms,
    /// Nothing.
    LeftOut,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum SinkSchemaWord {
    /// The Open Cybersecurity Schema Framework.
    Ocsf,
    /// The Elastic Common Schema.
    Ecs,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Rotate {
    /// Before it would be larger.
    #[schemars(extend("default" = "100MiB"))]
    pub size: Option<Size>,
    /// When its first line is so old.
    #[schemars(extend("x-default" = "never", "examples" = ["1day"]))]
    pub every: Option<Span>,
    /// Old files that are kept.
    #[schemars(extend("default" = 30), range(min = 1, max = 100_000))]
    pub keep: Option<usize>,
    /// Bytes that all of its files may have; the oldest go first.
    #[schemars(extend("x-default" = "no bound", "examples" = ["10GiB"]))]
    pub total: Option<Size>,
}
