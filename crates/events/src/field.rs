//! The fields that events have. One name has one type, for ever; whatever lists fields (the schema, the documentation,
//! columns, other vendors' forms) reads this table.

/// What a value of a field looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number, never negative.
    Number,
    /// `true` or `false`.
    Flag,
    /// A moment, RFC 3339 in UTC with microseconds.
    Time,
    /// A list of texts.
    Texts,
    /// A list of `{"key": …, "before": …, "after": …}`; what was not there before or is not there now is left out.
    Changes,
}

/// One field of the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldRow {
    /// The field.
    pub field: Field,
    /// Its name in a line.
    pub name: &'static str,
    /// What its value looks like.
    pub kind: FieldType,
    /// Bytes that its value may have in a line, escapes included; quotes and brackets around it are not counted.
    pub cap: u16,
    /// Whether it tells of a person, so that erasing the person erases it.
    pub personal: bool,
    /// What it says.
    pub doc: &'static str,
    /// Where OCSF has it.
    pub ocsf: Option<&'static str>,
    /// What the Elastic Common Schema calls it.
    pub ecs: Option<&'static str>,
    /// What OpenTelemetry's conventions call it.
    pub otel: Option<&'static str>,
}

impl FieldRow {
    const fn new(field: Field, name: &'static str, kind: FieldType, cap: u16, doc: &'static str) -> Self {
        let doc = doc.trim_ascii();
        Self { field, name, kind, cap, personal: false, doc, ocsf: None, ecs: None, otel: None }
    }

    const fn personal(self) -> Self {
        Self { personal: true, ..self }
    }

    const fn ocsf(self, path: &'static str) -> Self {
        Self { ocsf: Some(path), ..self }
    }

    const fn ecs(self, path: &'static str) -> Self {
        Self { ecs: Some(path), ..self }
    }

    const fn otel(self, name: &'static str) -> Self {
        Self { otel: Some(name), ..self }
    }
}

macro_rules! fields {
    ($(#[doc = $doc:literal] $field:ident $name:literal $kind:expr, $cap:literal
        $(; $($step:ident($($value:literal)?))+)?,)+) => {
        /// What an event can tell, in the order of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Field { $(#[doc = $doc] $field,)+ }

        impl Field {
            /// Every field.
            pub const TABLE: [FieldRow; [$(Self::$field),+].len()] =
                [$(FieldRow::new(Self::$field, $name, $kind, $cap, $doc)$($(.$step($($value)?))+)?,)+];

            /// What begins its value in a line.
            pub(crate) const KEYS: [&str; Self::TABLE.len()] = [$(concat!(",\"", $name, "\":")),+];
        }
    };
}

use FieldType::{Changes, Flag, Number, Text, Texts, Time, Word};

/// Ways to show who one is.
const AUTH: &[&str] = &["session", "access-token"];
const OUTCOMES: &[&str] = &[
    "allowed",
    "public",
    "own",
    "unauthenticated",
    "forbidden",
    "limited",
    "bad-request",
    "not-found",
    "upstream-error",
    "provider-error",
    "unavailable",
    "aborted",
];

#[rustfmt::skip]
fields! {
    /// Version of the form of the line: 1.
    V "v" Number, 20; ocsf("metadata.log_version"),
    /// When it happened, by the clock of the machine.
    Time "time" Time, 27; ocsf("time") ecs("@timestamp"),
    /// The event's own id: process, lane and number in that lane. Numbers of a lane have no gap that is not told by `record.lost`.
    Event "event" Text, 40; ocsf("metadata.uid") ecs("event.id") otel("log.record.uid"),
    /// What happened.
    Type "type" Text, 40; ocsf("metadata.event_code") ecs("event.action"),
    /// The request's id, as its refusal page and its app's log have it.
    Id "id" Text, 64; ocsf("http_request.uid") ecs("http.request.id"),
    /// The trace that the request belongs to.
    Trace "trace" Text, 64; ocsf("trace.uid") ecs("trace.id"),
    /// The client's address, behind proxies that are trusted.
    Client "client" Text, 45; personal() ocsf("src_endpoint.ip") ecs("source.ip") otel("client.address"),
    /// The browser and the system, in words of our own.
    Device "device" Text, 256; personal() otel("user_agent.original"),
    /// The `User-Agent` field as it came; only where a sink asks for it.
    Agent "agent" Text, 256; personal() ocsf("http_request.user_agent") ecs("user_agent.original") otel("user_agent.original"),
    /// The version of HTTP.
    Http "http" Word(&["1.0", "1.1", "2"]), 3; ocsf("http_request.version") ecs("http.version") otel("network.protocol.version"),
    /// The request's method.
    Method "method" Text, 64; ocsf("http_request.http_method") ecs("http.request.method") otel("http.request.method"),
    /// The host that was asked for, with its port where it is written.
    Host "host" Text, 262; ocsf("http_request.url.hostname") ecs("url.domain") otel("server.address"),
    /// The path as it came, without its query.
    Path "path" Text, 2048; personal() ocsf("http_request.url.path") ecs("url.path") otel("url.path"),
    /// The route: its name, or host and path.
    Route "route" Text, 256; ocsf("app_name") otel("http.route"),
    /// The provider that vouches for the person.
    Provider "provider" Text, 256; ocsf("user.domain") ecs("user.domain"),
    /// The person's stable identifier at the provider (`sub`).
    Subject "subject" Text, 256; personal() ocsf("user.uid") ecs("user.id") otel("user.id"),
    /// The name that rules match, and that apps are told.
    User "user" Text, 256; personal() ocsf("user.name") ecs("user.name") otel("user.name"),
    /// Somebody who was erased, by a digest that names nobody without the store's key.
    Person "person" Text, 32,
    /// How the person showed who they are; absent where nobody looked.
    Auth "auth" Word(AUTH), 16; ocsf("auth_protocol_id"),
    /// The class of the sign-in (`acr`).
    Acr "acr" Text, 128,
    /// The methods of the sign-in (`amr`).
    Amr "amr" Texts, 256; ocsf("auth_factors"),
    /// The session, by a digest that opens nothing.
    Session "session" Text, 32; ocsf("session.uid"),
    /// The credential, by a digest that opens nothing.
    Credential "credential" Text, 32; ocsf("session.credential_uid"),
    /// Whether the session is bound to its device.
    Bound "bound" Flag, 5,
    /// Status of the response.
    Status "status" Number, 20; ocsf("http_response.code") ecs("http.response.status_code") otel("http.response.status_code"),
    /// How the request ended.
    Outcome "outcome" Word(OUTCOMES), 16; ocsf("status_id") ecs("event.outcome"),
    /// The rule that decided.
    Rule "rule" Text, 256; ocsf("authorizations.policy.name") ecs("rule.name") otel("security_rule.name"),
    /// The conditions that were not met.
    Missing "missing" Texts, 1024,
    /// Why, in words: the exact cause.
    Reason "reason" Text, 1024; ocsf("status_detail") ecs("event.reason") otel("error.type"),
    /// Who is to blame.
    Culprit "culprit" Word(&["client", "provider", "upstream", "gateway"]), 16,
    /// Bytes of the response's body.
    Bytes "bytes" Number, 20; ocsf("http_response.body_length") ecs("http.response.body.bytes") otel("http.response.body.size"),
    /// How long it took, in microseconds.
    Us "us" Number, 20; ocsf("duration") ecs("event.duration"),
    /// How long the upstream took to begin its answer, in microseconds.
    UpstreamUs "upstream_us" Number, 20; ocsf("http_response.latency"),
    /// The word for why it ended.
    Why "why" Text, 64; ocsf("session.expiration_reason"),
    /// Who did it: an operator, the session that asked, the provider or the transmitter that told of it.
    By "by" Text, 256; personal(),
    /// How many exchanges that went on were cut off.
    Cut "cut" Number, 20,
    /// How the provider told of it.
    Channel "channel" Word(&["front", "back"]), 16,
    /// The transmitter of signals.
    Transmitter "transmitter" Text, 256,
    /// The type of the signal.
    Signal "signal" Text, 256,
    /// How many sign-ins it concerns.
    Selected "selected" Number, 20,
    /// How many sign-ins it ended.
    Ended "ended" Number, 20,
    /// The operator: the name of a certificate or of a user of this machine.
    Operator "operator" Text, 256; personal() ocsf("actor.user.name") ecs("user.name"),
    /// The operation that was called.
    Operation "operation" Text, 64; ocsf("api.operation"),
    /// What a reviewer wants to become of an access: it stays, it is taken away, or somebody is asked first.
    Mark "mark" Word(&["keep", "revoke", "ask"]), 16,
    /// What is different now.
    Changes "changes" Changes, 3072,
    /// The file concerned.
    File "file" Text, 1024; ocsf("file.path") ecs("file.path"),
    /// What went on in place of the file.
    Next "next" Text, 1024,
    /// The part concerned: a name in the configuration, or which of our own.
    Part "part" Text, 256,
    /// The id of a key (`kid`), or the thumbprint of a device's.
    Key "key" Text, 256,
    /// From when on a key signs.
    SignsFrom "signs_from" Time, 27,
    /// The program's version.
    Version "version" Text, 64; ocsf("app.version") ecs("service.version"),
    /// The number of the process.
    Pid "pid" Number, 20; ocsf("actor.process.pid") ecs("process.pid") otel("process.pid"),
    /// The process that was there before.
    Before "before" Number, 20,
    /// How many threads serve requests.
    Workers "workers" Number, 20,
    /// The sink concerned: its name in the configuration.
    Sink "sink" Text, 64,
    /// The process of the events concerned, as their ids begin, where it is an earlier one.
    Process "process" Text, 16,
    /// The lane of the events concerned.
    Lane "lane" Number, 20,
    /// The first number concerned.
    From "from" Number, 20,
    /// The last number concerned.
    To "to" Number, 20,
    /// How many.
    Count "count" Number, 20,
    /// What filled up or failed.
    Cause "cause" Word(&["memory", "queue", "spool", "refused", "sink", "stop"]), 16,
    /// The number of a checkpoint of the record.
    Number "number" Number, 20,
    /// A text that is signed, with its signatures: a checkpoint of the record, or the word of a key for the next one.
    Note "note" Text, 6000,
    /// Since when.
    Since "since" Time, 27; ocsf("start_time") ecs("event.start"),
    /// The fields whose values were too long and end early.
    Truncated "truncated" Texts, 256; ocsf("metadata.is_truncated"),
    /// The fields whose values were no UTF-8; what was not is U+FFFD.
    Replaced "replaced" Texts, 256,
}

impl Field {
    /// Its row in the table.
    #[must_use]
    pub const fn row(self) -> &'static FieldRow {
        const TABLE: &[FieldRow; Field::TABLE.len()] = &Field::TABLE;
        &TABLE[self as usize]
    }

    /// The field of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|row| row.name == name).map(|row| row.field)
    }

    pub(crate) const fn key(self) -> &'static str {
        Self::KEYS[self as usize]
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldSet(u128);

impl FieldSet {
    /// These fields.
    #[must_use]
    pub const fn of(fields: &[Field]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < fields.len() {
            bits |= 1 << fields[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// Those of either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both.
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the field is one of them.
    #[must_use]
    pub const fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are not in `other`.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn add(&mut self, field: Field) {
        self.0 |= 1 << field as u8;
    }

    pub(crate) const fn without(self, field: Field) -> Self {
        Self(self.0 & !(1 << field as u8))
    }

    /// The fields, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::TABLE.iter().map(|row| row.field).filter(move |field| self.has(*field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_found_by_its_name_and_stands_at_its_place() {
        for (index, row) in Field::TABLE.iter().enumerate() {
            assert_eq!((row.field as usize, Field::named(row.name)), (index, Some(row.field)));
            assert!(row.doc.ends_with('.') || row.doc.ends_with("1"), "{}", row.doc);
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(row.name.bytes().all(plain), "{}", row.name);
        }
        assert!(Field::TABLE.len() <= 128, "a FieldSet has 128 bits");
    }

    #[test]
    fn words_fit() {
        for row in &Field::TABLE {
            let Word(words) = row.kind else { continue };
            assert!(words.iter().all(|word| word.len() <= usize::from(row.cap)), "{}", row.name);
        }
    }
}
