//! The slow way through a path: every escape, every segment.

use super::{PathError, PathException, PathExceptions};

/// The decoded text and what a route must tolerate to accept the path.
pub(super) fn decode(raw: &str) -> Result<(Box<str>, PathExceptions), PathError> {
    check_written(raw.as_bytes())?;
    // Both what an app sees that decodes once and what one sees that decodes to the end must be text.
    check_text(&once(raw.as_bytes()))?;
    let depths = mutant!(to_the_end(raw.as_bytes()), "encoded-dots-pass" => once(raw.as_bytes()));
    check_text(&depths)?;
    check_segments(&depths)?;
    segments(raw)
}

/// Bytes that came out of a decoding, each with the offset it came from.
#[derive(Default)]
struct Decoded {
    bytes: Vec<u8>,
    offsets: Vec<usize>,
}

impl Decoded {
    fn push(&mut self, byte: u8, at: usize) {
        self.bytes.push(byte);
        self.offsets.push(at);
    }

    fn offset(&self, index: usize) -> usize {
        self.offsets.get(index).copied().unwrap_or_default()
    }

    /// Replaces `%XX` at the end by what it stands for; `false` where there is none.
    fn fold(&mut self) -> bool {
        let start = self.bytes.len().saturating_sub(3);
        let Some(byte) = escape(&self.bytes, start) else { return false };
        let at = self.offset(start);
        self.bytes.truncate(start);
        self.offsets.truncate(start);
        self.push(byte, at);
        true
    }
}

/// What the path may not hold as it is written.
fn check_written(raw: &[u8]) -> Result<(), PathError> {
    raw.iter().enumerate().try_for_each(|(at, byte)| match byte {
        b'\\' => Err(PathError::Backslash { at }),
        b'?' | b'#' => Err(PathError::Delimiter { at }),
        b'%' if escape(raw, at).is_none() => Err(PathError::MalformedEscape { at }),
        // A space ends the target in the request line (RFC 9112, section 3).
        b' ' => Err(PathError::Control { at }),
        _ => Ok(()),
    })
}

fn check_text(decoded: &Decoded) -> Result<(), PathError> {
    let text = std::str::from_utf8(&decoded.bytes)
        .map_err(|error| PathError::InvalidUtf8 { at: decoded.offset(error.valid_up_to()) })?;
    let control = text
        .char_indices()
        .find(|(_, letter)| letter.is_control() && mutant!(true, "nul-in-a-path" => *letter != '\0'));
    control.map_or(Ok(()), |(index, _)| Err(PathError::Control { at: decoded.offset(index) }))
}

/// Dot segments between separators of any spelling: a tolerated `..%2F` or `%252e%252e` still climbs in an
/// upstream that decodes first and splits later, as `..;x` does in one that drops parameters.
fn check_segments(decoded: &Decoded) -> Result<(), PathError> {
    let mut start = 0;
    for segment in decoded.bytes.split(|byte| matches!(byte, b'/' | b'\\')) {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or(segment);
        if matches!(mutant!(name, "dots-with-parameters-pass" => segment), b"." | b"..") {
            return Err(PathError::DotSegment { at: decoded.offset(start) });
        }
        start += segment.len() + 1;
    }
    Ok(())
}

/// The byte that the `%XX` at `at` stands for.
fn escape(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = bytes.get(at..at.checked_add(3)?)? else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

/// The byte at `at` with its escape, if it is one, decoded; and where the next one begins.
pub(super) fn unit(raw: &[u8], at: usize) -> Option<(u8, usize)> {
    escape(raw, at).map(|byte| (byte, at + 3)).or_else(|| raw.get(at).map(|byte| (*byte, at + 1)))
}

fn once(raw: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let mut at = 0;
    while let Some((byte, next)) = unit(raw, at) {
        decoded.push(byte, at);
        at = next;
    }
    decoded
}

/// Decoded until nothing is left to decode, in time linear to the path however deep the nesting.
fn to_the_end(raw: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    for (at, byte) in raw.iter().enumerate() {
        decoded.push(*byte, at);
        while decoded.fold() {}
    }
    decoded
}

fn segments(raw: &str) -> Result<(Box<str>, PathExceptions), PathError> {
    let mut writer = Writer::default();
    let mut rest = raw.split('/').skip(1).peekable();
    while let Some(segment) = rest.next() {
        writer.segment(segment.as_bytes(), rest.peek().is_none());
    }
    let text = String::from_utf8(writer.text).map_err(|_| PathError::InvalidUtf8 { at: 0 })?;
    Ok((text.into_boxed_str(), writer.exceptions))
}

#[derive(Default)]
struct Writer {
    text: Vec<u8>,
    exceptions: PathExceptions,
}

impl Writer {
    fn segment(&mut self, segment: &[u8], last: bool) {
        let start = self.text.len();
        self.text.push(b'/');
        self.name(segment);
        let empty = self.text.len() == start + 1;
        if empty && !last {
            self.text.truncate(start);
            self.note(PathException::EmptySegment);
        }
    }

    fn name(&mut self, segment: &[u8]) {
        let (mut at, mut parameters) = (0, false);
        while let Some((byte, next)) = unit(segment, at) {
            parameters |= byte == b';';
            self.note_exceptions(segment, at, byte);
            if !parameters {
                self.byte(segment, at, byte);
            }
            at = next;
        }
    }

    fn note_exceptions(&mut self, segment: &[u8], at: usize, byte: u8) {
        match byte {
            b';' => self.note(PathException::Semicolon),
            b'/' | b'\\' => mutant!(self.note(PathException::EncodedSlash), "encoded-slash-unnoticed" => ()),
            b'%' if two_digits(segment, at + 3) => self.note(PathException::DoubleEncoding),
            _ => (),
        }
    }

    fn byte(&mut self, segment: &[u8], at: usize, byte: u8) {
        match segment.get(at..at + 3) {
            Some(written) if matches!(byte, b'/' | b'\\' | b'%') => {
                self.text.extend(written.to_ascii_uppercase());
            }
            _ => self.text.push(byte),
        }
    }

    fn note(&mut self, exception: PathException) {
        self.exceptions = self.exceptions.with(exception);
    }
}

/// Whether anything of a segment is left without its parameters.
pub(super) fn is_named(segment: &str) -> bool {
    unit(segment.as_bytes(), 0).is_some_and(|(byte, _)| byte != b';')
}

fn two_digits(segment: &[u8], at: usize) -> bool {
    let Some((first, next)) = unit(segment, at) else { return false };
    first.is_ascii_hexdigit() && unit(segment, next).is_some_and(|(second, _)| second.is_ascii_hexdigit())
}
