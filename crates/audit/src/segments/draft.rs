//! A row that is to be written: what a line says, taken apart into columns, what is open, and what is personal.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::sync::LazyLock;

use portcullis_events::{EventHead, Field, FieldSet, Kind, Outcome, Seen, Value, push_inert};

use super::latency::Latency;
use super::outcomes;

/// What is a column of its own.
const COLUMNS: FieldSet = FieldSet::of(&[
    Field::V,
    Field::Time,
    Field::Event,
    Field::Type,
    Field::Id,
    Field::Route,
    Field::Provider,
    Field::Session,
    Field::Status,
    Field::Outcome,
    Field::Bytes,
    Field::Us,
]);

/// What is so of one request alone, and is not told of many.
const OF_ONE: FieldSet = FieldSet::of(&[
    Field::Trace,
    Field::Http,
    Field::Agent,
    Field::Method,
    Field::Path,
    Field::Missing,
    Field::UpstreamUs,
    Field::Truncated,
    Field::Replaced,
]);

/// What differs from event to event: no dictionary holds it.
const VARIES: FieldSet = FieldSet::of(&[
    Field::Trace,
    Field::Credential,
    Field::UpstreamUs,
    Field::Cut,
    Field::Key,
    Field::From,
    Field::To,
    Field::Since,
    Field::Changes,
]);

static FIELDS: LazyLock<HashMap<&str, Field>> =
    LazyLock::new(|| Field::TABLE.iter().map(|row| (row.name, row.field)).collect());

/// The field of a name.
pub(super) fn field(name: &str) -> Option<Field> {
    FIELDS.get(name).copied()
}

/// Whom an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Who {
    /// The provider; empty where it is not told.
    pub provider: String,
    /// The stable identifier there.
    pub subject: String,
    /// The name that rules match; empty where it is not told.
    pub user: String,
    /// The class of the sign-in; empty where it is not told.
    pub acr: String,
}

impl Who {
    pub(super) fn to_json(&self) -> String {
        let mut text = String::from("{");
        for (name, value) in self.members().into_iter().filter(|(_, value)| !value.is_empty()) {
            push_member(&mut text, name, &Value::Text(value.into()));
        }
        text + "}"
    }

    fn members(&self) -> [(&'static str, &str); 4] {
        [("provider", &self.provider), ("subject", &self.subject), ("user", &self.user), ("acr", &self.acr)]
    }

    pub(super) fn of_json(text: &[u8]) -> Option<Self> {
        let seen = Seen::read(text).ok()?;
        let text = |field| seen.text(field).unwrap_or_default().to_owned();
        Some(Self {
            provider: text(Field::Provider),
            subject: text(Field::Subject),
            user: text(Field::User),
            acr: text(Field::Acr),
        })
    }
}

/// How much one row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// The time of the last.
    pub(super) until: u64,
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) us: u64,
    pub(super) us_max: u64,
    pub(super) latency: Latency,
}

impl Tally {
    pub(super) fn of(head: &EventHead) -> Self {
        let us = u64::from(head.us);
        Self { until: head.time, count: 1, bytes: head.bytes, us, us_max: us, latency: Latency::of(us) }
    }

    pub(super) fn add(&mut self, more: &Self) {
        self.until = self.until.max(more.until);
        self.count = self.count.saturating_add(more.count);
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.us = self.us.saturating_add(more.us);
        self.us_max = self.us_max.max(more.us_max);
        self.latency.add(&more.latency);
    }
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) time: u64,
    pub(super) lane: u16,
    pub(super) seq: u64,
    pub(super) kind: Kind,
    pub(super) who: Option<Who>,
    pub(super) provider: Option<String>,
    pub(super) route: Option<String>,
    pub(super) client: Option<IpAddr>,
    pub(super) session: u64,
    pub(super) request: Option<String>,
    pub(super) outcome: Option<Outcome>,
    pub(super) status: Option<u64>,
    pub(super) bytes: bool,
    pub(super) us: bool,
    /// A digest of what the event gives as its cause.
    pub(super) cause: u64,
    pub(super) tally: Tally,
    pub(super) open: String,
    pub(super) rest: String,
    pub(super) sealed: String,
    /// What is not told once the row stands for many.
    of_one: Parts,
}

#[derive(Clone, Debug, Default)]
struct Parts {
    open: String,
    rest: String,
    sealed: String,
}

impl Draft {
    /// What a line says. One that cannot be read is known by its head.
    pub(super) fn read(head: &EventHead, lane: u16, line: &[u8]) -> Self {
        let mut draft = Self::of_head(head, lane);
        if let Ok(seen) = Seen::read(line) {
            draft.take(&seen);
        }
        draft
    }

    fn of_head(head: &EventHead, lane: u16) -> Self {
        Self {
            time: head.time,
            lane,
            seq: head.seq,
            kind: head.kind,
            who: None,
            provider: None,
            route: None,
            client: None,
            session: head.session,
            request: None,
            outcome: head.outcome,
            status: None,
            bytes: false,
            us: false,
            cause: 0,
            tally: Tally::of(head),
            open: String::new(),
            rest: String::new(),
            sealed: String::new(),
            of_one: Parts::default(),
        }
    }

    fn take(&mut self, seen: &Seen<'_>) {
        self.take_columns(seen);
        for (name, value) in seen.members() {
            let known = field(name);
            if known.is_none_or(|field| !COLUMNS.has(field)) {
                push_member(self.part(known), name, value);
            }
        }
        let mut cause = DefaultHasher::new();
        (seen.text(Field::Reason), seen.text(Field::Why)).hash(&mut cause);
        self.cause = cause.finish();
    }

    fn take_columns(&mut self, seen: &Seen<'_>) {
        let text = |field| seen.text(field).map(str::to_owned);
        self.request = text(Field::Id);
        self.route = text(Field::Route);
        self.provider = text(Field::Provider);
        self.client = seen.text(Field::Client).and_then(|client| client.parse().ok());
        self.status = seen.number(Field::Status);
        self.outcome = seen.text(Field::Outcome).and_then(outcomes::named);
        self.session =
            seen.text(Field::Session).and_then(|text| u64::from_str_radix(text, 16).ok()).unwrap_or(0);
        if let Some(bytes) = seen.number(Field::Bytes) {
            (self.bytes, self.tally.bytes) = (true, bytes);
        }
        if let Some(us) = seen.number(Field::Us) {
            (self.us, self.tally.us, self.tally.us_max) = (true, us, us);
            self.tally.latency = Latency::of(us);
        }
        self.who = text(Field::Subject).map(|subject| Who {
            provider: text(Field::Provider).unwrap_or_default(),
            subject,
            user: text(Field::User).unwrap_or_default(),
            acr: text(Field::Acr).unwrap_or_default(),
        });
    }

    /// Where a member goes. What nobody knows is taken for personal.
    fn part(&mut self, known: Option<Field>) -> &mut String {
        let Some(field) = known else { return &mut self.of_one.sealed };
        let personal = mutant!(field.row().personal, "store-keeps-names-in-clear" => false);
        match (OF_ONE.has(field), personal, VARIES.has(field)) {
            (true, true, _) => &mut self.of_one.sealed,
            (true, false, true) => &mut self.of_one.rest,
            (true, false, false) => &mut self.of_one.open,
            (false, true, _) => &mut self.sealed,
            (false, false, true) => &mut self.rest,
            (false, false, false) => &mut self.open,
        }
    }

    /// Stands for another event as well, which differs in nothing that is told.
    pub(super) fn add(&mut self, more: &Tally) {
        self.tally.add(more);
        self.request = None;
        self.of_one = Parts::default();
    }

    /// Stands for events that have nothing in common but their kind, route and outcome.
    pub(super) fn blur(&mut self) {
        (self.who, self.provider, self.client, self.request, self.session) = (None, None, None, None, 0);
        [&mut self.open, &mut self.rest, &mut self.sealed].into_iter().for_each(String::clear);
        self.of_one = Parts::default();
    }

    /// What is not personal, without braces: what repeats, and what does not.
    pub(super) fn open(&self) -> (String, String) {
        (join(&self.open, &self.of_one.open), join(&self.rest, &self.of_one.rest))
    }

    /// What is personal, without braces.
    pub(super) fn sealed(&self) -> String {
        join(&self.sealed, &self.of_one.sealed)
    }
}

fn join(one: &str, other: &str) -> String {
    let comma = if one.is_empty() || other.is_empty() { "" } else { "," };
    [one, comma, other].concat()
}

/// Writes a member of an object, behind others.
pub(crate) fn push_member(text: &mut String, name: &str, value: &Value<'_>) {
    if !text.is_empty() && !text.ends_with('{') {
        text.push(',');
    }
    push_text(text, name);
    text.push(':');
    push_value(text, value);
}

fn push_value(text: &mut String, value: &Value<'_>) {
    match value {
        Value::Text(value) => push_text(text, value),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::Flag(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Other(as_it_is) => text.push_str(as_it_is),
        Value::Texts(texts) => {
            text.push('[');
            for (index, value) in texts.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                push_text(text, value);
            }
            text.push(']');
        }
    }
}

/// A text as JSON has it, inert on a terminal.
fn push_text(text: &mut String, value: &str) {
    let mut inert = Vec::with_capacity(value.len());
    push_inert(value, &mut inert);
    text.push('"');
    text.push_str(str::from_utf8(&inert).unwrap_or_default());
    text.push('"');
}
