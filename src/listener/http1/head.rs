//! The head of a request (RFC 9112, sections 2 to 6), and what in it two servers could read differently
//! (invariant 12).
//!
//! The parser of lines and fields alone would let pass a bare line feed, a fragment in the target, and a
//! length beside a transfer coding.

use std::mem::MaybeUninit;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Uri, Version};
use httparse::Status;

use super::refused::{Ambiguity, Refused};
use crate::http1::{Chunk, Framing, WireError, digits, read_fields, tokens};

/// Fields that are parsed without memory of their own.
const FEW: usize = 100;

/// Bytes that the shortest field takes.
const SHORTEST: usize = 4;

/// A request's head, and what it says of what follows.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) version: Version,
    pub(super) fields: HeaderMap,
    pub(super) framing: Framing,
    /// Whether the client takes another answer on this connection (section 9.3).
    pub(super) persists: bool,
    /// Whether the client waits to be told to send the body (RFC 9110, section 10.1.1).
    pub(super) expects: bool,
}

/// Looks for the end of a head, however it is cut, and at no byte twice.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Bytes that were looked at.
    seen: usize,
    /// Where the present line begins.
    line: usize,
    /// Whether the request line is whole; empty lines may stand before it (section 2.2).
    begun: bool,
}

impl Scan {
    /// How long the head at the front of `received` is; `None` where it is not whole.
    pub(super) fn end(&mut self, received: &[u8]) -> Result<Option<usize>, Refused> {
        while let Some(found) = received.get(self.seen..).and_then(|rest| memchr::memchr(b'\n', rest)) {
            let end = self.seen + found + 1;
            let is_last = self.ends(&received[self.line..end])?;
            (self.seen, self.line) = (end, end);
            if is_last {
                return Ok(Some(end));
            }
        }
        self.seen = received.len();
        match received.get(self.line) {
            Some(first) if !self.begun && !begins(*first) => Err(Refused::NotHttp),
            _ => Ok(None),
        }
    }

    /// Whether the head ends with `line`.
    fn ends(&mut self, line: &[u8]) -> Result<bool, Ambiguity> {
        if !line.ends_with(b"\r\n") {
            return Err(Ambiguity::BareLineFeed);
        }
        if line.len() == 2 {
            return Ok(self.begun);
        }
        if !self.begun && memchr::memchr(b'#', line).is_some() {
            return Err(Ambiguity::Fragment);
        }
        self.begun = true;
        Ok(false)
    }
}

/// Whether a line before the first field can begin so. What speaks another protocol, TLS most often, is told at
/// once.
const fn begins(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'\r' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// Reads a whole head of at most so many fields.
pub(super) fn read(text: &[u8], max_fields: usize) -> Result<Head, Refused> {
    if max_fields <= FEW {
        let mut room = [const { MaybeUninit::uninit() }; FEW];
        return parse(text, room.get_mut(..max_fields).unwrap_or_default());
    }
    let mut room = vec![MaybeUninit::uninit(); max_fields.min(text.len() / SHORTEST)];
    parse(text, &mut room)
}

fn parse<'a>(text: &'a [u8], room: &mut [MaybeUninit<httparse::Header<'a>>]) -> Result<Head, Refused> {
    let mut parsed = httparse::Request::new(&mut []);
    let result = parsed.parse_with_uninit_headers(text, room);
    let (Status::Complete(_), Some(method), Some(target)) =
        (result.map_err(WireError::from)?, parsed.method, parsed.path)
    else {
        return Err(Refused::NotHttp);
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| Refused::NotHttp)?;
    let uri = target.parse::<Uri>().map_err(|error| Refused::of_target(&error, target))?;
    let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let framing = framing(parsed.headers, version)?;
    let fields = read_fields(parsed.headers, text)?;
    let persists = persists(&fields, version);
    let expects = framing != Framing::DONE && version == Version::HTTP_11 && expects(&fields);
    Ok(Head { method, uri, version, fields, framing, persists, expects })
}

/// How the body is framed (section 6.3): by one length or by chunks, and in no other way.
fn framing(fields: &[httparse::Header<'_>], version: Version) -> Result<Framing, Ambiguity> {
    let mut framing = None;
    for field in fields {
        let stated = if field.name.eq_ignore_ascii_case("content-length") {
            Framing::Length(digits(field.value.trim_ascii()).ok_or(Ambiguity::Length)?)
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            let chunked = field.value.trim_ascii().eq_ignore_ascii_case(b"chunked");
            let known = chunked && version == Version::HTTP_11;
            known.then_some(Framing::Chunked(Chunk::Line)).ok_or(Ambiguity::Coding)?
        } else {
            continue;
        };
        if framing.replace(stated).is_some() {
            return Err(Ambiguity::Framing);
        }
    }
    Ok(framing.unwrap_or(Framing::DONE))
}

fn persists(fields: &HeaderMap, version: Version) -> bool {
    let says =
        |word: &str| tokens(fields, &header::CONNECTION).any(|option| option.eq_ignore_ascii_case(word));
    !says("close") && (version == Version::HTTP_11 || says("keep-alive"))
}

fn expects(fields: &HeaderMap) -> bool {
    let continues = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    fields.get(header::EXPECT).is_some_and(continues)
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
