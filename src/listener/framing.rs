//! Where heads begin and end in the bytes of an HTTP/1.1 connection, and what in a head two servers
//! could frame differently (invariant 12).
//!
//! hyper parses; this only looks on and can but refuse more than hyper does. hyper alone lets pass a
//! bare line feed, `Content-Length` beside `Transfer-Encoding` (it drops the length, so that no later
//! check can see there was one), and a fragment in the request target (it drops that as well).

/// Longest beginning of a line that is looked at; a framing field that needs more is refused.
const LOOK: usize = 64;

/// What two servers could read differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ambiguity {
    /// RFC 9112, section 2.2: lines end in CRLF.
    #[error("a line ends in a bare line feed")]
    BareLineFeed,
    /// RFC 9112, section 3.2: a request target has no fragment.
    #[error("the request target has a fragment or the method a '#'")]
    Fragment,
    /// RFC 9112, section 6.3: the classic request smuggling.
    #[error("Content-Length beside Transfer-Encoding, or one of them twice")]
    Framing,
    /// Anything but one decimal number.
    #[error("Content-Length is not one decimal number")]
    Length,
    /// RFC 9112, section 7: no coding but `chunked` is understood.
    #[error("Transfer-Encoding is not `chunked`")]
    Coding,
    /// RFC 9112, section 7.1.
    #[error("malformed chunk")]
    Chunk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a request line; empty lines may stand here (RFC 9112, section 2.2).
    Start,
    Target,
    Field,
    Data(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    None,
    Length(u64),
    Chunked,
}

/// Follows one connection's incoming bytes, however they are cut.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    body: Body,
    line: [u8; LOOK],
    /// Bytes of the present line seen so far; may exceed `LOOK`.
    seen: usize,
    last: u8,
}

impl Framing {
    pub(super) const fn new() -> Self {
        Self { state: State::Start, body: Body::None, line: [0; LOOK], seen: 0, last: 0 }
    }

    /// Whether a head has begun and is not whole yet.
    pub(super) const fn in_head(&self) -> bool {
        matches!(self.state, State::Target | State::Field)
            || (matches!(self.state, State::Start) && self.seen > 0)
    }

    /// Reads on.
    ///
    /// # Errors
    /// The first ambiguity, and where in `bytes` the line begins that holds it.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<(), (usize, Ambiguity)> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            at += match self.state {
                State::Data(left) => self.skip(left, rest.len(), State::Data, State::Start),
                State::Chunk(left) => self.skip(left, rest.len(), State::Chunk, State::ChunkEnd),
                State::Start
                | State::Target
                | State::Field
                | State::ChunkSize
                | State::ChunkEnd
                | State::Trailer => self.text(rest).map_err(|ambiguity| (at, ambiguity))?,
            };
        }
        Ok(())
    }

    fn skip(&mut self, left: u64, available: usize, more: fn(u64) -> State, done: State) -> usize {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(available);
        let left = left - taken as u64;
        self.state = if left == 0 { done } else { more(left) };
        taken
    }

    /// Takes bytes up to the end of the line, and judges the line where it ends.
    fn text(&mut self, rest: &[u8]) -> Result<usize, Ambiguity> {
        let end = memchr::memchr(b'\n', rest);
        let part = &rest[..end.map_or(rest.len(), |end| end + 1)];
        self.begin(part)?;
        if end.is_some() {
            let terminator = [part.len().checked_sub(2).map_or(self.last, |before| part[before]), b'\n'];
            if &terminator != b"\r\n" {
                return Err(Ambiguity::BareLineFeed);
            }
            self.whole(part)?;
            self.seen = 0;
        } else {
            self.keep(part);
        }
        self.last = part.last().copied().unwrap_or_default();
        Ok(part.len())
    }

    /// Judges the line that ends with `part`: as it lies there, where it came in one piece.
    fn whole(&mut self, part: &[u8]) -> Result<(), Ambiguity> {
        if self.seen == 0 {
            return self.line_end(Line { start: &part[..part.len().min(LOOK)], length: part.len() });
        }
        self.keep(part);
        let (line, length) = (self.line, self.seen);
        self.line_end(Line { start: &line[..length.min(LOOK)], length })
    }

    fn begin(&mut self, part: &[u8]) -> Result<(), Ambiguity> {
        if self.state == State::Start && self.seen == 0 && !matches!(part.first(), Some(b'\r' | b'\n')) {
            self.state = State::Target;
        }
        if self.state == State::Target && memchr::memchr(b'#', part).is_some() {
            return Err(Ambiguity::Fragment);
        }
        Ok(())
    }

    fn keep(&mut self, part: &[u8]) {
        let from = self.seen.min(LOOK);
        let room = (LOOK - from).min(part.len());
        self.line[from..from + room].copy_from_slice(&part[..room]);
        self.seen += part.len();
    }

    fn line_end(&mut self, line: Line<'_>) -> Result<(), Ambiguity> {
        let empty = line.length == 2;
        self.state = match self.state {
            State::Start if empty => State::Start,
            State::Target => State::Field,
            State::Field if empty => self.head_end(),
            State::Field => self.field(line).map(|()| State::Field)?,
            State::ChunkSize => line.chunk_size()?,
            State::ChunkEnd if empty => State::ChunkSize,
            State::Trailer if empty => State::Start,
            State::Trailer => State::Trailer,
            State::Start => return Err(Ambiguity::BareLineFeed),
            State::ChunkEnd | State::Data(_) | State::Chunk(_) => return Err(Ambiguity::Chunk),
        };
        Ok(())
    }

    fn head_end(&mut self) -> State {
        match std::mem::replace(&mut self.body, Body::None) {
            Body::None | Body::Length(0) => State::Start,
            Body::Length(length) => State::Data(length),
            Body::Chunked => State::ChunkSize,
        }
    }

    fn field(&mut self, line: Line<'_>) -> Result<(), Ambiguity> {
        let body = if let Some(value) = line.value(b"content-length:") {
            Body::Length(decimal(value).ok_or(Ambiguity::Length)?)
        } else if let Some(value) = line.value(b"transfer-encoding:") {
            value.eq_ignore_ascii_case(b"chunked").then_some(Body::Chunked).ok_or(Ambiguity::Coding)?
        } else {
            return Ok(());
        };
        match std::mem::replace(&mut self.body, body) {
            Body::None => Ok(()),
            Body::Length(_) | Body::Chunked => Err(Ambiguity::Framing),
        }
    }
}

/// A line with its end.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// As much of it as is looked at.
    start: &'a [u8],
    /// All of its bytes; may exceed `LOOK`.
    length: usize,
}

impl<'a> Line<'a> {
    /// The value of the line's field where that has the `name`; empty, thus refused, where it is too long.
    fn value(self, name: &[u8]) -> Option<&'a [u8]> {
        let (start, value) = self.start.split_at_checked(name.len())?;
        let whole = if self.length <= LOOK { value } else { b"" };
        start.eq_ignore_ascii_case(name).then(|| whole.trim_ascii())
    }

    fn chunk_size(self) -> Result<State, Ambiguity> {
        let end = self.start.iter().position(|byte| matches!(byte, b';' | b'\r')).ok_or(Ambiguity::Chunk)?;
        let digits = self.start[..end].trim_ascii_end();
        match number(digits, 16).ok_or(Ambiguity::Chunk)? {
            0 => Ok(State::Trailer),
            size => Ok(State::Chunk(size)),
        }
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    number(digits, 10)
}

/// Only digits: the standard library would take a sign.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.chars().all(|digit| digit.is_digit(radix)).then(|| u64::from_str_radix(text, radix).ok())?
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
