//! A line read back. It reads whatever is one object of JSON: later versions may know more types and fields than this one.

use std::borrow::Cow;

use super::field::Field;
use super::kind::Kind;

/// Objects and lists within one another; no line of ours has more than three.
const DEEPEST: usize = 16;

/// An event, as its line tells it.
#[derive(Debug)]
pub struct Seen<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

/// What a field says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text, a word, a moment.
    Text(Cow<'a, str>),
    /// A whole number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// A list of texts.
    Texts(Vec<Cow<'a, str>>),
    /// Anything else, as it stands.
    Other(&'a str),
}

impl Value<'_> {
    /// It as one text, with this between the members of a list.
    #[must_use]
    pub fn joined(&self, between: &str) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Texts(texts) => texts.join(between),
            Self::Other(text) => (*text).to_owned(),
        }
    }
}

/// A line that is no object of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The byte at which that is seen.
    pub at: usize,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no line of a record: byte {} fits nothing", self.at)
    }
}

impl std::error::Error for Unreadable {}

impl<'a> Seen<'a> {
    /// Reads a line, with or without its line feed.
    ///
    /// # Errors
    /// Where it is no object of JSON, or has a name twice.
    pub fn read(line: &'a [u8]) -> Result<Self, Unreadable> {
        let text = str::from_utf8(line).map_err(|error| Unreadable { at: error.valid_up_to() })?;
        let mut reader = Reader { text, at: 0 };
        reader.space();
        let members = reader.members(0, true)?;
        reader.space();
        if reader.at < text.len() { reader.wrong() } else { Ok(Self { members }) }
    }

    /// The word for what has happened; empty where there is none.
    #[must_use]
    pub fn word(&self) -> &str {
        self.text(Field::Type).unwrap_or_default()
    }

    /// What has happened; none where this version does not know it.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Kind::named(self.word())
    }

    /// What a field says.
    #[must_use]
    pub fn value(&self, field: Field) -> Option<&Value<'a>> {
        self.named(field.row().name)
    }

    /// What the member of this name says, known or not.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Value<'a>> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// All that it says, in its order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The text of a field.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&str> {
        match self.value(field)? {
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::Flag(_) | Value::Texts(_) | Value::Other(_) => None,
        }
    }

    /// The number of a field.
    #[must_use]
    pub fn number(&self, field: Field) -> Option<u64> {
        match self.value(field)? {
            Value::Number(number) => Some(*number),
            Value::Text(_) | Value::Flag(_) | Value::Texts(_) | Value::Other(_) => None,
        }
    }

    /// Whether a field says yes.
    #[must_use]
    pub fn flag(&self, field: Field) -> Option<bool> {
        match self.value(field)? {
            Value::Flag(flag) => Some(*flag),
            Value::Text(_) | Value::Number(_) | Value::Texts(_) | Value::Other(_) => None,
        }
    }

    /// The texts of a field; none where it is absent.
    #[must_use]
    pub fn texts(&self, field: Field) -> &[Cow<'a, str>] {
        match self.value(field) {
            Some(Value::Texts(texts)) => texts,
            Some(Value::Text(_) | Value::Number(_) | Value::Flag(_) | Value::Other(_)) | None => &[],
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn wrong<T>(&self) -> Result<T, Unreadable> {
        Err(Unreadable { at: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Whether the byte comes next; then it is behind us.
    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.eat(byte) { Ok(()) } else { self.wrong() }
    }

    /// An object; the members of one that is within another are read, and not kept.
    fn members(&mut self, depth: usize, keep: bool) -> Result<Vec<(Cow<'a, str>, Value<'a>)>, Unreadable> {
        let mut members: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
        self.expect(b'{')?;
        self.space();
        if self.eat(b'}') {
            return Ok(members);
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.expect(b':')?;
            let value = self.value(depth + 1)?;
            if members.iter().any(|(known, _)| *known == name) {
                return self.wrong();
            }
            if keep {
                members.push((name, value));
            }
            if !self.goes_on(b'}')? {
                return Ok(members);
            }
        }
    }

    /// Whether another item follows; otherwise `end` is behind us.
    fn goes_on(&mut self, end: u8) -> Result<bool, Unreadable> {
        self.space();
        if self.eat(b',') {
            return Ok(true);
        }
        self.expect(end).map(|()| false)
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Unreadable> {
        self.space();
        let start = self.at;
        match self.peek() {
            _ if depth > DEEPEST => self.wrong(),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.members(depth, false).map(|_| Value::Other(&self.text[start..self.at])),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.constant(),
            None => self.wrong(),
        }
    }

    fn constant(&mut self) -> Result<Value<'a>, Unreadable> {
        let all =
            [("true", Value::Flag(true)), ("false", Value::Flag(false)), ("null", Value::Other("null"))];
        for (word, value) in all {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        self.wrong()
    }

    fn list(&mut self, depth: usize) -> Result<Value<'a>, Unreadable> {
        let (start, mut texts, mut other) = (self.at, Vec::new(), false);
        self.expect(b'[')?;
        self.space();
        if self.eat(b']') {
            return Ok(Value::Texts(texts));
        }
        loop {
            match self.value(depth + 1)? {
                Value::Text(text) => texts.push(text),
                Value::Number(_) | Value::Flag(_) | Value::Texts(_) | Value::Other(_) => other = true,
            }
            if !self.goes_on(b']')? {
                break;
            }
        }
        Ok(if other { Value::Other(&self.text[start..self.at]) } else { Value::Texts(texts) })
    }

    fn digits(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        digits
    }

    fn number(&mut self) -> Result<Value<'a>, Unreadable> {
        let start = self.at;
        self.eat(b'-');
        let zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (zero && whole > 1) || (self.eat(b'.') && self.digits() == 0) {
            return self.wrong();
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            if self.digits() == 0 {
                return self.wrong();
            }
        }
        let text = &self.text[start..self.at];
        Ok(text.parse().map_or(Value::Other(text), Value::Number))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Unreadable> {
        self.expect(b'"')?;
        let start = self.at;
        let mut owned: Option<String> = None;
        loop {
            let from = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..0x20)) {
                self.at += 1;
            }
            let plain = &self.text[from..self.at];
            if self.eat(b'\\') {
                let letter = self.escape()?;
                let text = owned.get_or_insert_default();
                text.push_str(plain);
                text.push(letter);
            } else if self.eat(b'"') {
                return Ok(match owned {
                    Some(text) => Cow::Owned(text + plain),
                    None => Cow::Borrowed(&self.text[start..self.at - 1]),
                });
            } else {
                return self.wrong();
            }
        }
    }

    fn escape(&mut self) -> Result<char, Unreadable> {
        let Some(byte) = self.peek() else { return self.wrong() };
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => byte.into(),
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.units(),
            _ => return self.wrong(),
        })
    }

    /// One or two units of UTF-16.
    fn units(&mut self) -> Result<char, Unreadable> {
        let high = self.unit()?;
        let mut units = vec![high];
        if (0xD800..0xDC00).contains(&high) {
            self.expect(b'\\')?;
            self.expect(b'u')?;
            units.push(self.unit()?);
        }
        match char::decode_utf16(units).next() {
            Some(Ok(letter)) => Ok(letter),
            Some(Err(_)) | None => self.wrong(),
        }
    }

    fn unit(&mut self) -> Result<u16, Unreadable> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| str::from_utf8(digits).ok());
        match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => self.wrong(),
        }
    }
}
