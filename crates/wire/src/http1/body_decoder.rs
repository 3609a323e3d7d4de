//! A body that comes in: how long it is, and its frames (RFC 9112, sections 6 and 7).

use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;
use http_body::{Frame, SizeHint};
use httparse::Status;

use super::WireError;
use super::fields::read_trailers;

/// Bytes that a head and a short body fit in.
pub const SMALL: usize = 8 * 1024;

/// Bytes of a long body that are read ahead of the reader: what a slow reader holds of our memory.
pub const LARGE: usize = 256 * 1024;

/// Bytes of the line that begins a chunk: its size and extensions that nobody reads.
const MAX_LINE: usize = 4096;

/// Whether no body follows a response of this status (RFC 9112, section 6.3).
#[must_use]
pub fn is_bodiless(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Takes the frames of a body from what has been received, and knows how much is still to come.
///
/// - `Length` counts down, and is whole at 0, which is [`BodyDecoder::DONE`].
/// - `Chunked` goes round from `Line` to `Data` to `LineBreak`; a line that says 0 leads to `Trailers`, and these to
///   `DONE`.
/// - `Close` takes all there is until [`BodyDecoder::close`] makes it `DONE`; that fails for the other two where
///   they are not whole.
///
/// [`BodyDecoder::take`] alone moves it, and only past bytes that it takes from the front: a head, a chunk's line or
/// trailers are taken whole or not at all. After an error nothing that follows on the connection means anything
/// (invariant 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyDecoder {
    /// So many bytes; with 0 it is whole.
    Length(u64),
    /// Chunks, of which this comes next.
    Chunked(Chunk),
    /// Until the peer closes the connection.
    Close,
}

/// What comes next of a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// The line with a chunk's size.
    Line,
    /// So many bytes of a chunk.
    Data(u64),
    /// The end of a chunk.
    LineBreak,
    /// What stands behind the last chunk.
    Trailers,
}

impl BodyDecoder {
    /// No body, or one that is whole.
    pub const DONE: Self = Self::Length(0);

    /// Whether the body ends before the connection does.
    pub const fn has_end(self) -> bool {
        !matches!(self, Self::Close)
    }

    /// Whether the body is whole.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::DONE)
    }

    /// What is known of the bytes to come.
    pub fn size_hint(self) -> SizeHint {
        match self {
            Self::Length(left) => SizeHint::with_exact(left),
            Self::Chunked(_) | Self::Close => SizeHint::default(),
        }
    }

    /// Bytes to make room for: the rest of the body or chunk within bounds, `unknown` where its
    /// length is not known.
    pub fn room(self, unknown: usize) -> usize {
        match self {
            Self::Length(left) | Self::Chunked(Chunk::Data(left)) => {
                usize::try_from(left).unwrap_or(LARGE).clamp(SMALL, LARGE)
            }
            Self::Chunked(_) | Self::Close => unknown,
        }
    }

    /// The next frame from the front of `received`; `None` where more must come first.
    pub fn take(&mut self, received: &mut BytesMut) -> Result<Option<Frame<Bytes>>, WireError> {
        match self {
            Self::Length(left) => Ok(data(received, left)),
            Self::Close => Ok(data(received, &mut { u64::MAX })),
            Self::Chunked(_) => self.take_chunked(received),
        }
    }

    fn take_chunked(&mut self, received: &mut BytesMut) -> Result<Option<Frame<Bytes>>, WireError> {
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

    /// The peer has closed the connection: an end only where none was announced.
    pub fn close(&mut self) -> Result<(), WireError> {
        match self {
            Self::Close | Self::Length(0) => {
                *self = Self::DONE;
                Ok(())
            }
            Self::Length(_) | Self::Chunked(_) => Err(WireError::Closed),
        }
    }
}

/// Up to `left` bytes from the front of `received`, without copying them; `None` where there are none.
fn data(received: &mut BytesMut, left: &mut u64) -> Option<Frame<Bytes>> {
    let size = received.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= size as u64;
    (size > 0).then(|| Frame::data(received.split_to(size).freeze()))
}

/// The size of the next chunk.
fn line(received: &mut BytesMut) -> Result<Option<u64>, WireError> {
    let malformed = Err(WireError::Malformed("chunk begins with no size"));
    // Where there is no digit at all the parser reads 0, which would end the body.
    if received.first().is_some_and(|first| !first.is_ascii_hexdigit()) {
        return malformed;
    }
    let first = memchr::memchr(b'\n', &received[..received.len().min(MAX_LINE)]);
    // The parser would take a bare line feed for a part of an extension.
    let bare = first.is_some_and(|at| at == 0 || received[at - 1] != b'\r');
    if mutant!(bare, "bare-line-feed-in-a-chunk" => false) {
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

/// Takes the line break behind a chunk; `false` where it is not whole yet.
fn line_break(received: &mut BytesMut) -> Result<bool, WireError> {
    let whole = received.len() >= 2;
    let other = !b"\r\n".starts_with(&received[..received.len().min(2)]);
    if mutant!(other, "chunk-longer-than-its-size" => false) {
        return Err(WireError::Malformed("chunk is longer than its size"));
    }
    if whole {
        received.advance(2);
    }
    Ok(whole)
}
