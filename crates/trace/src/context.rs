//! `traceparent` (W3C Trace Context, section 3.2): read strictly, written in version 00.

use std::fmt;

use http::{HeaderMap, HeaderValue};

use super::TRACEPARENT;

/// The identifier of a trace; never zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// The identifier of a span, the part of a trace that one party does; never zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

/// A span that others are below: what `traceparent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// Whether whoever made it records it, and asks others to.
    pub sampled: bool,
}

/// Letters of a value of version 00.
const LENGTH: usize = 55;
/// The only flag of version 00.
const SAMPLED: u8 = 1;

impl TraceId {
    /// The identifier with these bytes; none where they are zero.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// Its bytes, in the order in which they are written.
    #[must_use]
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Its 32 digits.
    #[must_use]
    pub fn digits(self) -> Digits<32> {
        Digits::of(&self.0)
    }
}

impl SpanId {
    /// The identifier with these bytes; none where they are zero.
    #[must_use]
    pub fn new(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(Self(bytes))
    }

    /// Its bytes, in the order in which they are written.
    #[must_use]
    pub const fn bytes(self) -> [u8; 8] {
        self.0
    }
}

impl TraceParent {
    /// What the only `traceparent` of a request says; none where it is missing, repeated or wrong in a letter.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(TRACEPARENT).iter();
        let only = lines.next().filter(|_| lines.next().is_none())?;
        Self::read(only.as_bytes())
    }

    /// Reads a value. Of later versions what version 00 knows is taken, as it is to be (section 3.2.4).
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Self> {
        let (known, later) = value.split_at_checked(LENGTH)?;
        let mut parts = known.split(|byte| *byte == b'-');
        let mut next = || parts.next();
        let [version] = digits(next()?)?;
        let trace = TraceId::new(digits(next()?)?)?;
        let span = SpanId::new(digits(next()?)?)?;
        let [flags] = digits(next()?)?;
        let ends = match version {
            0 => later.is_empty(),
            0xFF => false,
            _ => later.is_empty() || later.starts_with(b"-"),
        };
        (ends && next().is_none()).then_some(Self { trace, span, sampled: flags & SAMPLED != 0 })
    }

    /// The value of the field.
    #[must_use]
    pub fn value(self) -> HeaderValue {
        let mut text = [b'-'; LENGTH];
        text[..2].copy_from_slice(b"00");
        text[3..35].copy_from_slice(Digits::<32>::of(&self.trace.0).as_bytes());
        text[36..52].copy_from_slice(Digits::<16>::of(&self.span.0).as_bytes());
        text[53..].copy_from_slice(if self.sampled { b"01" } else { b"00" });
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("00"))
    }
}

/// So many bytes of lower-case digits, and no more.
fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_chunks::<2>();
    let mut bytes = [0; N];
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

const fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

/// So many hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digits<const N: usize>([u8; N]);

impl<const N: usize> Digits<N> {
    fn of(bytes: &[u8]) -> Self {
        let mut digits = [b'0'; N];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
            *pair = [byte >> 4, byte & 15].map(|half| b"0123456789abcdef"[usize::from(half)]);
        }
        Self(digits)
    }

    /// The digits as ASCII.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// The digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Debug for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digits().as_str())
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Digits::<16>::of(&self.0).as_str())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_value_is_read_and_written() {
        let parent = TraceParent::read(GOOD.as_bytes()).unwrap();
        assert_eq!(parent.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((parent.span.to_string().as_str(), parent.sampled), ("b7ad6b7169203331", true));
        assert_eq!(parent.value(), GOOD);
        let unsampled = TraceParent { sampled: false, ..parent };
        assert_eq!(unsampled.value(), GOOD.replace("-01", "-00").as_str());
    }

    #[test]
    fn flags_that_version_00_does_not_know_are_not_passed_on() {
        let parent = TraceParent::read(GOOD.replace("-01", "-ff").as_bytes()).unwrap();
        assert_eq!(parent.value(), GOOD);
        assert!(!TraceParent::read(GOOD.replace("-01", "-fe").as_bytes()).unwrap().sampled);
    }

    #[test]
    fn of_a_later_version_what_is_known_is_taken() {
        for later in [GOOD.replacen("00", "01", 1), format!("cc{}-what-comes", &GOOD[2..])] {
            assert_eq!(TraceParent::read(later.as_bytes()), TraceParent::read(GOOD.as_bytes()), "{later}");
        }
    }

    #[test]
    fn whatever_is_wrong_in_a_letter_is_nothing() {
        let zero = |part: &str| GOOD.replace(part, &"0".repeat(part.len()));
        for wrong in [
            String::new(),
            "00".into(),
            GOOD[..54].into(),
            format!("{GOOD}-"),
            format!("{GOOD} "),
            format!(" {GOOD}"),
            GOOD.replace("0af7", "0AF7"),
            GOOD.replace("0af7", "0ag7"),
            GOOD.replacen("00", "ff", 1),
            GOOD.replacen("00", "0", 1),
            GOOD.replacen('-', "_", 1),
            GOOD.replace("-01", "-0x"),
            format!("01{}x", &GOOD[2..]),
            zero("0af7651916cd43dd8448eb211c80319c"),
            zero("b7ad6b7169203331"),
            GOOD.replace("1c80319c-b7", "1c80319-cb7"),
        ] {
            assert_eq!(TraceParent::read(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    #[test]
    fn one_of_several_is_none() {
        let mut headers = HeaderMap::new();
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert!(TraceParent::of(&headers).is_some());
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert_eq!(TraceParent::of(&headers), None);
    }
}
