//! Fields of heads and trailers (RFC 9112, section 5).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use httparse::Status;

use super::WireError;

/// Bytes of a response's head, and of any trailers.
pub const MAX_HEAD: usize = 64 * 1024;

/// Fields of a response's head, and of any trailers.
pub const MAX_FIELDS: usize = 100;

/// Fields that are added to most heads on their way: there is room for them from the start.
const ADDED: usize = 4;

/// The fields that were `parsed` from `text`, in one piece of memory that all their values share. Fields that
/// only say whether the connection goes on are left out: they are for this connection alone
/// ([`Persistence`]).
///
/// # Errors
/// Where a name or a value is none, or there are more than a map takes.
pub fn read_fields(parsed: &[httparse::Header<'_>], text: &[u8]) -> Result<HeaderMap, WireError> {
    let shared = Bytes::copy_from_slice(text);
    let mut map = HeaderMap::with_capacity(parsed.len() + ADDED);
    for field in parsed.iter().filter(|field| !is_persistence(field)) {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok();
        let value = part(field.value, text, &shared).and_then(|v| HeaderValue::from_maybe_shared(v).ok());
        let (name, value) = name.zip(value).ok_or(WireError::Malformed("head has no valid field"))?;
        map.try_append(name, value).map_err(|_| WireError::TooLarge)?;
    }
    Ok(map)
}

/// Whether it is a `Connection` that names no other field.
fn is_persistence(field: &httparse::Header<'_>) -> bool {
    let said =
        |option: &[u8]| option.eq_ignore_ascii_case(b"close") || option.eq_ignore_ascii_case(b"keep-alive");
    field.name.eq_ignore_ascii_case("connection") && items(field.value).all(said)
}

/// What `Connection` says of whether the connection goes on (RFC 9112, section 9.3).
#[derive(Clone, Copy, Debug, Default)]
pub struct Persistence {
    closes: bool,
    stays: bool,
}

impl Persistence {
    /// Reads one field; of several, each counts.
    pub fn read(&mut self, value: &[u8]) {
        self.closes |= has(value, b"close");
        self.stays |= has(value, b"keep-alive");
    }

    /// Whether another message may follow; `old`: the peer speaks HTTP/1.0.
    #[must_use]
    pub const fn lasts(self, old: bool) -> bool {
        !self.closes && (!old || self.stays)
    }
}

/// Whether a list has the item, in whatever case.
pub fn has(list: &[u8], item: &[u8]) -> bool {
    items(list).any(|other| other.eq_ignore_ascii_case(item))
}

/// The items of a list (RFC 9110, section 5.6.1), without spaces around them.
fn items(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    parts(b',', list)
}

/// What stands between separators, without spaces around it; nothing where nothing stands.
pub fn parts(separator: u8, text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    let ends = memchr::memchr_iter(separator, text).chain([text.len()]);
    ends.map(move |end| &text[std::mem::replace(&mut from, end + 1)..end])
        .map(<[u8]>::trim_ascii)
        .filter(|part| !part.is_empty())
}

/// The part of `shared`, which is a copy of `text`, at which `value` stands in `text`: a value is not copied
/// again.
fn part(value: &[u8], text: &[u8], shared: &Bytes) -> Option<Bytes> {
    if value.is_empty() {
        return Some(Bytes::new());
    }
    let at = value.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    (at + value.len() <= shared.len()).then(|| shared.slice(at..at + value.len()))
}

/// Writes each of `fields` and the end of its line.
pub fn write_fields(fields: &HeaderMap, into: &mut BytesMut) {
    for (name, value) in fields {
        write_field(name.as_str(), value.as_bytes(), into);
    }
}

/// Writes one field and the end of its line. The caller makes sure that neither part holds a line break,
/// which would begin another field.
pub fn write_field(name: &str, value: &[u8], into: &mut BytesMut) {
    into.reserve(name.len() + value.len() + 6);
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        into.put_slice(part);
    }
}

/// Takes whole trailers from the front of `received`; `None` where they are not whole yet.
pub(super) fn read_trailers(received: &mut BytesMut) -> Result<Option<HeaderMap>, WireError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let (length, parsed) = match httparse::parse_headers(received, &mut fields)? {
        Status::Complete((length, parsed)) if length <= MAX_HEAD => (length, parsed),
        Status::Partial if received.len() < MAX_HEAD => return Ok(None),
        Status::Complete(_) | Status::Partial => return Err(WireError::TooLarge),
    };
    let text = &received[..length];
    if mutant!(has_bare_line_feed(text), "bare-line-feed-in-trailers" => false) {
        return Err(WireError::Malformed("trailers have a bare line feed"));
    }
    let trailers = read_fields(parsed, text)?;
    received.advance(length);
    Ok(Some(trailers))
}

/// Whether a line feed has no carriage return before it. The parser takes it for the end of a line, others
/// take it for a part of one (RFC 9112, section 2.2).
fn has_bare_line_feed(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', text).any(|at| at == 0 || text[at - 1] != b'\r')
}

/// The tokens of a list field (RFC 9110, section 5.6.1), in all its fields that are text.
pub fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let fields = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    fields.flat_map(|field| field.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

/// A decimal number and nothing beside it: the standard library would take a sign.
pub fn digits(text: &[u8]) -> Option<u64> {
    let digits = text.iter().all(u8::is_ascii_digit);
    let digits = mutant!(digits, "length-with-a-sign" => true);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}
