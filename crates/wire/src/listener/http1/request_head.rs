//! The head of a request (RFC 9112, sections 2 to 6), and what in it two servers could read differently
//! (invariant 12).
//!
//! The parser of lines and fields alone would let pass a bare line feed, a fragment in the target, and a
//! length beside a transfer coding.

use std::mem::MaybeUninit;

use http::header::HeaderMap;
use http::{Method, Uri, Version};
use httparse::Status;

use super::head_error::{Ambiguity, HeadError};
use crate::http1::{BodyDecoder, Chunk, Persistence, WireError, digits, has, read_fields};

/// Fields that are parsed on the stack.
const FEW: usize = 100;

/// Bytes that the shortest field takes.
const SHORTEST: usize = 4;

/// The longest body that a request may state, in bytes.
pub(in crate::listener) const LONGEST: u64 = i64::MAX as u64;

/// A request's head, and what it says of what follows.
#[derive(Debug)]
pub(super) struct RequestHead {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) version: Version,
    pub(super) fields: HeaderMap,
    pub(super) framing: BodyDecoder,
    /// Whether the client takes another answer on this connection (section 9.3).
    pub(super) persists: bool,
    /// Whether the client waits to be told to send the body (RFC 9110, section 10.1.1).
    pub(super) expects: bool,
    /// Whether it may become another protocol's connection (RFC 9110, section 7.8).
    pub(super) upgrades: bool,
    /// Whether the client takes trailers (RFC 9110, section 10.1.4).
    pub(super) trailers: bool,
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
    pub(super) fn end(&mut self, received: &[u8]) -> Result<Option<usize>, HeadError> {
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
            Some(first) if !self.begun && !begins(*first) => Err(HeadError::NotHttp),
            _ => Ok(None),
        }
    }

    /// Whether the head ends with `line`.
    fn ends(&mut self, line: &[u8]) -> Result<bool, HeadError> {
        let bare = !line.ends_with(b"\r\n");
        if mutant!(bare, "bare-line-feed" => false) {
            return Err(Ambiguity::BareLineFeed.into());
        }
        if line.len() == 2 {
            return Ok(self.begun);
        }
        if !self.begun {
            self.begin(line)?;
        }
        Ok(false)
    }

    fn begin(&mut self, line: &[u8]) -> Result<(), HeadError> {
        self.begun = true;
        match line.first() {
            Some(first) if !begins(*first) => Err(HeadError::NotHttp),
            _ if mutant!(memchr::memchr(b'#', line).is_some(), "fragment-in-the-target" => false) => {
                Err(Ambiguity::Fragment.into())
            }
            _ => Ok(()),
        }
    }
}

/// Whether a line before the first field can begin with `byte`. A peer that speaks another protocol, TLS most
/// often, is refused at its first byte, and not waited for.
const fn begins(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'\r' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// Reads a whole head of at most so many fields.
pub(super) fn read(text: &[u8], max_fields: usize) -> Result<RequestHead, HeadError> {
    if max_fields <= FEW {
        let mut room = [const { MaybeUninit::uninit() }; FEW];
        return parse(text, room.get_mut(..max_fields).unwrap_or_default());
    }
    let mut room = vec![MaybeUninit::uninit(); max_fields.min(text.len() / SHORTEST)];
    parse(text, &mut room)
}

fn parse<'a>(
    text: &'a [u8],
    room: &mut [MaybeUninit<httparse::Header<'a>>],
) -> Result<RequestHead, HeadError> {
    let mut parsed = httparse::Request::new(&mut []);
    let result = parsed.parse_with_uninit_headers(text, room);
    let (Status::Complete(_), Some(method), Some(target)) =
        (result.map_err(WireError::from)?, parsed.method, parsed.path)
    else {
        return Err(HeadError::NotHttp);
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::NotHttp)?;
    let uri = target.parse::<Uri>().map_err(|error| HeadError::of_target(&error, target))?;
    let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let flags = RequestFlags::of(parsed.headers, version)?;
    let fields = read_fields(parsed.headers, text)?;
    let (framing, persists) =
        (flags.framing.unwrap_or(BodyDecoder::DONE), flags.persistence.lasts(version == Version::HTTP_10));
    // An expectation without a body, or over HTTP/1.0, means nothing (RFC 9110, section 10.1.1).
    let expects = flags.expects && framing != BodyDecoder::DONE && version == Version::HTTP_11;
    // No upgrade with a body: its bytes could be read as the new protocol's.
    let (upgrades, trailers) = (flags.upgrades && framing == BodyDecoder::DONE, flags.trailers);
    Ok(RequestHead { method, uri, version, fields, framing, persists, expects, upgrades, trailers })
}

/// What a request's fields say of its body, and to the connection.
#[derive(Debug, Default)]
struct RequestFlags {
    framing: Option<BodyDecoder>,
    persistence: Persistence,
    expects: bool,
    upgrades: bool,
    trailers: bool,
}

impl RequestFlags {
    /// Reads them in one walk.
    fn of(fields: &[httparse::Header<'_>], version: Version) -> Result<Self, Ambiguity> {
        let mut flags = Self::default();
        for field in fields {
            flags.read(field, version)?;
        }
        Ok(flags)
    }

    fn read(&mut self, field: &httparse::Header<'_>, version: Version) -> Result<(), Ambiguity> {
        let (is, value) = (|name: &str| field.name.eq_ignore_ascii_case(name), field.value.trim_ascii());
        // By its length first: most fields are none of these.
        match field.name.len() {
            2 if is("te") => self.trailers |= has(value, b"trailers"),
            6 if is("expect") => self.expects |= value.eq_ignore_ascii_case(b"100-continue"),
            7 if is("upgrade") => self.upgrades = true,
            10 if is("connection") => {
                self.persistence.read(value);
            }
            14 if is("content-length") => self.frame(length(value)?)?,
            17 if is("transfer-encoding") => self.frame(coding(value, version)?)?,
            _ => {}
        }
        Ok(())
    }

    /// By one length or by chunks, and in no other way (section 6.3).
    fn frame(&mut self, framing: BodyDecoder) -> Result<(), Ambiguity> {
        let before = self.framing.replace(framing);
        if mutant!(before.is_some(), "length-beside-coding" => false) {
            Err(Ambiguity::Framing)
        } else {
            Ok(())
        }
    }
}

fn length(value: &[u8]) -> Result<BodyDecoder, Ambiguity> {
    digits(value).filter(|length| *length <= LONGEST).map(BodyDecoder::Length).ok_or(Ambiguity::Length)
}

fn coding(value: &[u8], version: Version) -> Result<BodyDecoder, Ambiguity> {
    let chunked =
        mutant!(value.eq_ignore_ascii_case(b"chunked"), "coding-by-its-end" => value.ends_with(b"chunked"));
    let known = chunked && mutant!(version == Version::HTTP_11, "coding-in-http-1-0" => true);
    known.then_some(BodyDecoder::Chunked(Chunk::Line)).ok_or(Ambiguity::Coding)
}

#[cfg(test)]
mod tests;
