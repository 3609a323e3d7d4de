//! One line that is being written. Nothing is allocated, no value is longer than its field allows, and no line longer than
//! [`LONGEST_LINE`](super::LONGEST_LINE).

use std::fmt::{Display, Write as _};
use std::net::IpAddr;

use super::escape::Quoted;
use super::field::{Field, FieldSet};
use super::head::Flags;
use super::kind::Kind;
use super::stamp::Stamp;

/// The fields that tell of a person.
const PERSONAL: FieldSet = {
    let (mut set, mut at) = (FieldSet::of(&[]), 0);
    while at < Field::TABLE.len() {
        if Field::TABLE[at].personal {
            set.add(Field::TABLE[at].field);
        }
        at += 1;
    }
    set
};

/// Bytes of a value before or after a change.
const CHANGED_VALUE: usize = 512;

/// A line of a kind, to which an event writes its fields.
#[derive(Debug)]
pub struct Line<'a> {
    text: &'a mut Vec<u8>,
    kind: Kind,
    /// What may still be written.
    left: FieldSet,
    cut: FieldSet,
    replaced: FieldSet,
}

impl<'a> Line<'a> {
    /// Goes on behind the lane of the event's id.
    pub(crate) fn begin(text: &'a mut Vec<u8>, kind: Kind, seq: u64) -> Self {
        push_number(text, seq);
        text.extend_from_slice(b"\",\"type\":\"");
        text.extend_from_slice(kind.word().as_bytes());
        text.push(b'"');
        Self { text, kind, left: kind.fields(), cut: FieldSet::default(), replaced: FieldSet::default() }
    }

    /// Writes the field's name; whether its value may follow. A field that the kind does not have, or has already, is a
    /// mistake of whoever wrote the event.
    fn open(&mut self, field: Field) -> bool {
        let fine = self.left.has(field);
        debug_assert!(fine, "{} tells `{}` twice, or has no such field", self.kind.word(), field.row().name);
        if fine {
            self.left = self.left.without(field);
            self.text.extend_from_slice(field.key().as_bytes());
        }
        fine
    }

    fn quoted(&mut self, field: Field, write: impl FnOnce(&mut Quoted<'_>)) {
        if self.open(field) {
            self.text.push(b'"');
            let mut quoted = Quoted::new(self.text, usize::from(field.row().cap));
            write(&mut quoted);
            if quoted.is_cut() {
                self.cut.add(field);
            }
            self.text.push(b'"');
        }
    }

    /// A text, or a word.
    pub fn text(&mut self, field: Field, value: &str) {
        self.quoted(field, |quoted| quoted.push(value));
    }

    /// A text that may not be known.
    pub fn text_if(&mut self, field: Field, value: Option<&str>) {
        if let Some(value) = value {
            self.text(field, value);
        }
    }

    /// What may be no UTF-8: what is not becomes U+FFFD, and the field is named in `replaced`.
    pub fn bytes_text(&mut self, field: Field, value: &[u8]) {
        let mut whole = true;
        self.quoted(field, |quoted| whole = quoted.push_bytes(value));
        if !whole {
            self.replaced.add(field);
        }
    }

    /// What is written as it shows itself.
    pub fn display(&mut self, field: Field, value: &dyn Display) {
        // What a value says of its own failing is left out, as what does not fit is.
        self.quoted(field, |quoted| {
            let _ = write!(quoted, "{value}");
        });
    }

    /// A number.
    pub fn number(&mut self, field: Field, value: u64) {
        if self.open(field) {
            push_number(self.text, value);
        }
    }

    /// A number that may not be known.
    pub fn number_if(&mut self, field: Field, value: Option<u64>) {
        if let Some(value) = value {
            self.number(field, value);
        }
    }

    /// Yes or no.
    pub fn flag(&mut self, field: Field, value: bool) {
        if self.open(field) {
            self.text.extend_from_slice(if value { b"true" } else { b"false" });
        }
    }

    /// An address.
    pub fn address(&mut self, field: Field, value: IpAddr) {
        match value {
            IpAddr::V4(address) if self.open(field) => {
                for (at, octet) in address.octets().into_iter().enumerate() {
                    self.text.push(if at == 0 { b'"' } else { b'.' });
                    push_number(self.text, u64::from(octet));
                }
                self.text.push(b'"');
            }
            IpAddr::V4(_) => {}
            IpAddr::V6(_) => self.display(field, &value),
        }
    }

    /// The first bytes of a digest, in sixteen digits; 0: none is known.
    pub fn hex8(&mut self, field: Field, value: u64) {
        if value != 0 && self.open(field) {
            self.text.push(b'"');
            let mut digits = [0; 16];
            for (at, digit) in digits.iter_mut().rev().enumerate() {
                *digit = b"0123456789abcdef"[(value >> (4 * at)) as usize & 15];
            }
            self.text.extend_from_slice(&digits);
            self.text.push(b'"');
        }
    }

    /// A moment, in microseconds since 1970.
    pub fn time(&mut self, field: Field, micros: u64) {
        if self.open(field) {
            self.text.push(b'"');
            Stamp::new().write(micros, self.text);
            self.text.push(b'"');
        }
    }

    /// A list of texts; absent where it is empty.
    pub fn texts<T: AsRef<str>>(&mut self, field: Field, values: impl IntoIterator<Item = T>) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() || !self.open(field) {
            return;
        }
        self.text.push(b'[');
        let end = self.text.len() + usize::from(field.row().cap);
        for (index, value) in values.enumerate() {
            let whole = self.separate(index, end) && self.item(value.as_ref(), end);
            if !whole {
                self.cut.add(field);
                break;
            }
        }
        self.text.push(b']');
    }

    /// Begins another item of a list, where it has room for one.
    fn separate(&mut self, index: usize, end: usize) -> bool {
        let room = self.text.len() + 4 <= end;
        if room && index > 0 {
            self.text.push(b',');
        }
        room
    }

    /// A text in quotes that ends before `end`; whether it is whole.
    fn item(&mut self, value: &str, end: usize) -> bool {
        self.text.push(b'"');
        let mut quoted = Quoted::new(self.text, end.saturating_sub(self.text.len() + 1));
        quoted.push(value);
        let whole = !quoted.is_cut();
        self.text.push(b'"');
        whole
    }

    /// What has changed; absent where nothing has.
    pub fn changes(&mut self, field: Field, changes: &[Change<'_>]) {
        if changes.is_empty() || !self.open(field) {
            return;
        }
        self.text.push(b'[');
        let end = self.text.len() + usize::from(field.row().cap);
        for (index, change) in changes.iter().enumerate() {
            let before = self.text.len();
            let (room, whole) = (self.separate(index, end), self.change(change));
            if !whole {
                self.cut.add(field);
            }
            if !room || self.text.len() > end {
                self.text.truncate(before);
                self.cut.add(field);
                break;
            }
        }
        self.text.push(b']');
    }

    fn change(&mut self, change: &Change<'_>) -> bool {
        self.text.extend_from_slice(b"{\"key\":");
        let mut whole = self.item(change.key, self.text.len() + CHANGED_VALUE);
        for (name, value) in [(",\"before\":", change.before), (",\"after\":", change.after)] {
            if let Some(value) = value {
                self.text.extend_from_slice(name.as_bytes());
                whole &= self.item(value, self.text.len() + CHANGED_VALUE);
            }
        }
        self.text.push(b'}');
        whole
    }

    /// What was encoded before.
    pub fn ready(&mut self, ready: &Ready) {
        if self.open(ready.field) {
            self.text.extend_from_slice(&ready.value);
            if ready.cut {
                self.cut.add(ready.field);
            }
        }
    }

    /// Ends the line, and says what is so of it.
    pub(crate) fn end(mut self) -> Flags {
        let personal = !self.kind.fields().minus(self.left).common(PERSONAL).is_empty();
        let (cut, replaced) = (self.cut, self.replaced);
        // Most lines have neither, and need not look for them among all fields.
        for (note, fields) in [(Field::Truncated, cut), (Field::Replaced, replaced)] {
            if !fields.is_empty() {
                self.texts(note, fields.iter().map(|field| field.row().name));
            }
        }
        self.text.extend_from_slice(b"}\n");
        let flag = |set: bool, flag| if set { flag } else { Flags::NONE };
        flag(personal, Flags::PERSONAL) | flag(!cut.is_empty(), Flags::TRUNCATED)
    }
}

fn push_number(text: &mut Vec<u8>, value: u64) {
    text.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// A setting that is another one now.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Where it stands.
    pub key: &'a str,
    /// What it was; none where it was not there.
    pub before: Option<&'a str>,
    /// What it is; none where it is not there.
    pub after: Option<&'a str>,
}

/// A text that is encoded once, and stands in many lines.
#[derive(Clone, Debug)]
pub struct Ready {
    field: Field,
    value: Box<[u8]>,
    cut: bool,
}

impl Ready {
    /// Encodes the text.
    #[must_use]
    pub fn text(field: Field, value: &str) -> Self {
        let mut out = vec![b'"'];
        let mut quoted = Quoted::new(&mut out, usize::from(field.row().cap));
        quoted.push(value);
        let cut = quoted.is_cut();
        out.push(b'"');
        Self { field, value: out.into(), cut }
    }
}
