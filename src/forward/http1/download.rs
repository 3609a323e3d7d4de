//! The response's body: how long it is, and its frames (RFC 9112, sections 6 and 7).

use bytes::{Buf, Bytes, BytesMut};
use http::header::{self, HeaderMap};
use http::{Method, Response, StatusCode};
use http_body::{Frame, SizeHint};
use httparse::Status;

use super::Error;
use super::head::read_trailers;

/// Bytes that a head and a short body fit in.
pub(super) const SMALL: usize = 8 * 1024;

/// Bytes of a long body that are read ahead of the client: what a slow download holds of our memory.
pub(super) const LARGE: usize = 256 * 1024;

/// Bytes of the line that begins a chunk: its size and extensions that nobody reads.
const MAX_LINE: usize = 4096;

/// How much of a response's body is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Download {
    /// So many bytes; with 0 it is whole.
    Length(u64),
    Chunked(Chunk),
    /// Until the server closes the connection.
    Close,
}

/// What comes next of a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    Line,
    Data(u64),
    LineBreak,
    Trailers,
}

impl Download {
    pub(super) const DONE: Self = Self::Length(0);

    /// What a response's head says of its body (RFC 9112, section 6.3). What two programs could read
    /// differently is refused (invariant 12).
    pub(super) fn of(response: &Response<()>, asked: &Method, old: bool) -> Result<Self, Error> {
        let (status, fields) = (response.status(), response.headers());
        let codings = fields.contains_key(header::TRANSFER_ENCODING);
        let length = length(fields)?;
        let bodiless = status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || asked == Method::HEAD;
        match length {
            _ if codings && (old || !is_chunked(fields)) => {
                Err(Error::Malformed("transfer coding is not just chunked"))
            }
            _ if bodiless => Ok(Self::DONE),
            _ if codings => Ok(Self::Chunked(Chunk::Line)),
            Some(length) => Ok(Self::Length(length)),
            None => Ok(Self::Close),
        }
    }

    /// Whether the body ends before the connection does.
    pub(super) const fn has_end(self) -> bool {
        !matches!(self, Self::Close)
    }

    pub(super) const fn is_done(self) -> bool {
        matches!(self, Self::DONE)
    }

    pub(super) fn size_hint(self) -> SizeHint {
        match self {
            Self::Length(left) => SizeHint::with_exact(left),
            Self::Chunked(_) | Self::Close => SizeHint::default(),
        }
    }

    /// Bytes to make room for: the rest of the body or chunk within bounds, `unknown` where its
    /// length is not known.
    pub(super) fn room(self, unknown: usize) -> usize {
        match self {
            Self::Length(left) | Self::Chunked(Chunk::Data(left)) => {
                usize::try_from(left).unwrap_or(LARGE).clamp(SMALL, LARGE)
            }
            Self::Chunked(_) | Self::Close => unknown,
        }
    }

    /// The next frame from the front of `received`; `None` where more must come first.
    pub(super) fn take(&mut self, received: &mut BytesMut) -> Result<Option<Frame<Bytes>>, Error> {
        match self {
            Self::Length(left) => Ok(data(received, left)),
            Self::Close => Ok(data(received, &mut { u64::MAX })),
            Self::Chunked(_) => self.take_chunked(received),
        }
    }

    fn take_chunked(&mut self, received: &mut BytesMut) -> Result<Option<Frame<Bytes>>, Error> {
        while let Self::Chunked(chunk) = self {
            match chunk {
                Chunk::Data(0) => *chunk = Chunk::LineBreak,
                Chunk::Data(left) => return Ok(data(received, left)),
                Chunk::Line => match line(received)? {
                    Some(0) => *chunk = Chunk::Trailers,
                    Some(size) => *chunk = Chunk::Data(size),
                    None => return Ok(None),
                },
                Chunk::LineBreak => match line_break(received)? {
                    true => *chunk = Chunk::Line,
                    false => return Ok(None),
                },
                Chunk::Trailers => {
                    let Some(trailers) = read_trailers(received)? else { return Ok(None) };
                    *self = Self::DONE;
                    return Ok(Some(trailers).filter(|map| !map.is_empty()).map(Frame::trailers));
                }
            }
        }
        Ok(None)
    }

    /// The server has closed the connection: an end only where none was announced.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        match self {
            Self::Close | Self::Length(0) => {
                *self = Self::DONE;
                Ok(())
            }
            Self::Length(_) | Self::Chunked(_) => Err(Error::Closed),
        }
    }
}

fn data(received: &mut BytesMut, left: &mut u64) -> Option<Frame<Bytes>> {
    let size = received.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= size as u64;
    (size > 0).then(|| Frame::data(received.split_to(size).freeze()))
}

/// The size of the next chunk.
fn line(received: &mut BytesMut) -> Result<Option<u64>, Error> {
    let malformed = Err(Error::Malformed("chunk begins with no size"));
    // The parser takes no digit at all for 0.
    if received.first().is_some_and(|first| !first.is_ascii_hexdigit()) {
        return malformed;
    }
    match httparse::parse_chunk_size(received) {
        Ok(Status::Complete((length, size))) if length <= MAX_LINE => {
            received.advance(length);
            Ok(Some(size))
        }
        Ok(Status::Partial) if received.len() < MAX_LINE => Ok(None),
        Ok(Status::Complete(_) | Status::Partial) | Err(_) => malformed,
    }
}

fn line_break(received: &mut BytesMut) -> Result<bool, Error> {
    let whole = received.len() >= 2;
    if !b"\r\n".starts_with(&received[..received.len().min(2)]) {
        return Err(Error::Malformed("chunk is longer than its size"));
    }
    if whole {
        received.advance(2);
    }
    Ok(whole)
}

/// `Transfer-Encoding: chunked` and nothing else: there is no other coding that everybody reads alike.
fn is_chunked(fields: &HeaderMap) -> bool {
    let mut codings = fields.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = codings.next().is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    chunked && codings.next().is_none()
}

/// The one length that all `Content-Length` fields state.
fn length(fields: &HeaderMap) -> Result<Option<u64>, Error> {
    let malformed = Error::Malformed("length is not one number");
    let mut stated = None;
    for field in fields.get_all(header::CONTENT_LENGTH) {
        for number in field.as_bytes().split(|byte| *byte == b',') {
            let number = digits(number.trim_ascii());
            if number.is_none() || stated.is_some() && stated != number {
                return Err(malformed);
            }
            stated = number;
        }
    }
    Ok(stated)
}

fn digits(text: &[u8]) -> Option<u64> {
    let number =
        std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    number.parse().ok()
}
