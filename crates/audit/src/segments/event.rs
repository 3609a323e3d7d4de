//! An event, or an interval of many, as it is read.

use std::sync::Arc;

use portcullis_events::{Field, Kind, Outcome, Seen, Value};
use zeroize::Zeroizing;

use super::draft::{Who, field, push_member};
use super::keys::Pseudonym;
use super::latency::Latency;

/// Bits of an id that are the number in its lane.
const SEQ_BITS: u32 = 48;

/// Lane and number as one number, in the order of the events of a lane.
pub(super) fn id_number(lane: u16, seq: u64) -> i64 {
    (i64::from(lane & 0x7FFF) << SEQ_BITS) | (seq & ((1 << SEQ_BITS) - 1)).cast_signed()
}

/// The id of an event: of its first one, where a row stands for many.
pub(super) fn id_text(process: &str, lane: u16, seq: u64) -> String {
    format!("{process}-{lane}-{seq}")
}

pub(super) fn id_of(process: &str, number: i64) -> String {
    id_text(process, (number >> SEQ_BITS) as u16, (number & ((1 << SEQ_BITS) - 1)).cast_unsigned())
}

/// An event. Where it stands for many, it tells what they have in common, and of what they differ in the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id: that of the first.
    pub id: String,
    /// When it happened, in microseconds since 1970: the first.
    pub time: u64,
    /// When the last one happened.
    pub until: u64,
    /// How many it stands for.
    pub count: u64,
    /// Whether more may come, and these are those of a minute ago.
    pub goes_on: bool,
    /// The word for what has happened.
    pub word: Arc<str>,
    /// What stands for whom it is about.
    pub person: Option<Pseudonym>,
    /// The provider.
    pub provider: Option<Arc<str>>,
    /// The route.
    pub route: Option<Arc<str>>,
    /// How the request ended.
    pub outcome: Option<Outcome>,
    /// Status of the response.
    pub status: Option<u64>,
    /// The first bytes of the session's digest.
    pub session: Option<u64>,
    /// The request's id, where it stands for one.
    pub request: Option<String>,
    /// Bytes of the responses, all together.
    pub bytes: Option<u64>,
    /// Microseconds, all together.
    pub us: Option<u64>,
    /// Microseconds of the longest.
    pub us_max: Option<u64>,
    /// How long they took.
    pub latency: Latency,
    /// What was asked for and cannot be told: whose it is has been erased.
    pub is_erased: bool,
    pub(super) open: String,
    pub(super) rest: String,
    pub(super) personal: Zeroizing<String>,
}

impl Event {
    /// What has happened; none: this version does not know it.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Kind::named(&self.word)
    }

    /// Whom it is about, where that is told.
    #[must_use]
    pub fn who(&self) -> Option<Who> {
        self.person?;
        let object = object(&self.personal);
        let open = object_of(&[&self.open, &self.rest]);
        let (personal, open) = (Seen::read(object.as_bytes()).ok()?, Seen::read(open.as_bytes()).ok()?);
        let text = |seen: &Seen<'_>, field| seen.text(field).unwrap_or_default().to_owned();
        let subject = text(&personal, Field::Subject);
        (!subject.is_empty()).then(|| Who {
            provider: self.provider.as_deref().unwrap_or_default().to_owned(),
            subject,
            user: text(&personal, Field::User),
            acr: text(&open, Field::Acr),
        })
    }

    /// The text of a field that is no column, where it is told.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<String> {
        let line = self.members_text();
        Seen::read(line.as_bytes()).ok()?.text(field).map(str::to_owned)
    }

    /// All of it as one object of JSON: the members of its line, in the order of the table of fields; of many, what they
    /// have in common, and `until`, `count`, `us_max` and `latency`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = self.members_text();
        let seen = Seen::read(text.as_bytes());
        let mut members: Vec<(&str, &Value<'_>)> =
            seen.as_ref().map_or_else(|_| Vec::new(), |seen| seen.members().collect());
        members.sort_by_key(|(name, _)| field(name).map_or(usize::MAX, |field| field as usize));
        let mut json = String::from("{");
        members.iter().for_each(|(name, value)| push_member(&mut json, name, value));
        json + "}"
    }

    /// Its members, in no order.
    fn members_text(&self) -> Zeroizing<String> {
        let mut text = String::from("{");
        self.push_columns(&mut text);
        if self.count > 1 {
            self.push_many(&mut text);
        }
        for more in [&self.open, &self.rest, &*self.personal].into_iter().filter(|more| !more.is_empty()) {
            text.push(',');
            text.push_str(more);
        }
        Zeroizing::new(text + "}")
    }

    fn push_columns(&self, text: &mut String) {
        let mut push = |field: Field, value: Option<Value<'_>>| {
            if let Some(value) = value {
                push_member(text, field.row().name, &value);
            }
        };
        let word = |text: &str| Some(Value::Text(text.to_owned().into()));
        push(Field::V, Some(Value::Number(1)));
        push(Field::Time, word(&moment(self.time)));
        push(Field::Event, word(&self.id));
        push(Field::Type, word(&self.word));
        push(Field::Id, self.request.as_deref().and_then(word));
        push(Field::Route, self.route.as_deref().and_then(word));
        push(Field::Provider, self.provider.as_deref().and_then(word));
        push(Field::Session, self.session.and_then(|session| word(&format!("{session:016x}"))));
        push(Field::Status, self.status.map(Value::Number));
        push(Field::Outcome, self.outcome.and_then(|outcome| word(outcome.as_str())));
        push(Field::Bytes, self.bytes.map(Value::Number));
        push(Field::Us, self.us.map(Value::Number));
    }

    fn push_many(&self, text: &mut String) {
        push_member(text, "until", &Value::Text(moment(self.until).into()));
        push_member(text, "count", &Value::Number(self.count));
        push_member(text, "us_max", &Value::Number(self.us_max.unwrap_or(0)));
        let counts: Vec<_> = self.latency.0.iter().map(u64::to_string).collect();
        push_member(text, "latency", &Value::Other(&format!("[{}]", counts.join(","))));
        if self.goes_on {
            push_member(text, "goes_on", &Value::Flag(true));
        }
    }
}

fn object(members: &str) -> Zeroizing<String> {
    object_of(&[members])
}

fn object_of(parts: &[&str]) -> Zeroizing<String> {
    let parts: Vec<_> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    Zeroizing::new(format!("{{{}}}", parts.join(",")))
}

/// A moment as lines have it.
#[must_use]
pub fn moment(micros: u64) -> String {
    const LAST: u64 = 253_402_300_799_999_999;
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_micros(micros.min(LAST));
    humantime::format_rfc3339_micros(time).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_is_read_as_it_was_written(lane in 0..0x8000u16, seq in 0..1u64 << SEQ_BITS) {
            prop_assert_eq!(id_of("9f", id_number(lane, seq)), id_text("9f", lane, seq));
        }
    }
}
