//! The one decoded path (invariants 1 and 2).

mod decode;
mod exceptions;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod readings;

#[cfg(test)]
mod tests;

pub use exceptions::{PathException, PathExceptions};

use decode::{decode, is_named};

/// The longest path, in bytes as it came.
const MAX_LENGTH: usize = 8 * 1024;

/// A request's path, decoded once. Routing, policy, limits, the log and the upstream see this value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestPath {
    raw: Box<str>,
    /// `None`: the same text as `raw`.
    decoded: Option<Box<str>>,
    exceptions: PathExceptions,
}

/// Why a path is refused with 400. Offsets count bytes of the path as it came, from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with `/` (RFC 9112, section 3.2.1).
    #[error("the path does not begin with \"/\"")]
    NotAbsolute,
    /// It has more than 8 KiB.
    #[error("the path has {length} bytes; at most {MAX_LENGTH} are read")]
    TooLong {
        /// Bytes of the path.
        length: usize,
    },
    /// A segment is `.` or `..`, plainly or percent-encoded to any depth, with or without parameters.
    #[error("the path has a dot segment at byte {at}; send it resolved")]
    DotSegment {
        /// Where the segment begins.
        at: usize,
    },
    /// NUL or another control character, or a plain space.
    #[error("the path has a control character or a space at byte {at}")]
    Control {
        /// Where it stands.
        at: usize,
    },
    /// A plain `\`, which some servers read as `/`.
    #[error("the path has a backslash at byte {at}; a literal one is written %5C")]
    Backslash {
        /// Where it stands.
        at: usize,
    },
    /// A plain `?` or `#`: query and fragment are no part of a path.
    #[error("the path has a \"?\" or \"#\" at byte {at}; literal ones are written %3F and %23")]
    Delimiter {
        /// Where it stands.
        at: usize,
    },
    /// A `%` without two hexadecimal digits behind it (RFC 3986, section 2.1).
    #[error("the path has a malformed percent-escape at byte {at}")]
    MalformedEscape {
        /// Where its `%` stands.
        at: usize,
    },
    /// Decoded, it is not UTF-8: overlong forms, surrogates and cut sequences included (RFC 3629, section 3).
    #[error("the decoded path is not UTF-8 from byte {at}")]
    InvalidUtf8 {
        /// Where the sequence begins.
        at: usize,
    },
}

impl RequestPath {
    /// Reads the path of a request target, without its query.
    ///
    /// # Errors
    /// Where the path is not absolute, longer than 8 KiB or cannot be read in one way only.
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        if raw.len() > MAX_LENGTH {
            return Err(PathError::TooLong { length: raw.len() });
        }
        if !raw.starts_with('/') {
            return Err(PathError::NotAbsolute);
        }
        if is_plain(raw.as_bytes()) {
            return Ok(Self { raw: raw.into(), decoded: None, exceptions: PathExceptions::default() });
        }
        let (decoded, exceptions) = decode(raw)?;
        Ok(Self { raw: raw.into(), decoded: Some(decoded).filter(|text| **text != *raw), exceptions })
    }

    /// The path as it came, percent-encoded: what the upstream is sent.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The decoded path that rules and routes are matched against; begins with `/`.
    ///
    /// It is `raw` with every escape decoded once, but for `%2F`, `%5C` and `%25`, which stay written so: no
    /// encoded slash is taken for a slash, and no two different paths decode to one text. Empty segments are
    /// collapsed and everything from `;` to the end of its segment is dropped, so that a route which
    /// tolerates them still judges `/app//admin;x` as `/app/admin`. What else a server may make of such spellings,
    /// [`RequestPath::readings`] tells.
    #[must_use]
    pub fn decoded(&self) -> &str {
        self.decoded.as_deref().unwrap_or(&self.raw)
    }

    /// The path as it came, without its first `segments` segments; empty where nothing follows them. Segments are
    /// counted as [`RequestPath::decoded`] has them: empty ones are none.
    #[must_use]
    pub fn behind(&self, segments: usize) -> &str {
        let (mut at, mut left) = (0, segments);
        for segment in self.raw.split('/').skip(1) {
            if left == 0 {
                break;
            }
            left -= usize::from(is_named(segment));
            at += 1 + segment.len();
        }
        self.raw.get(at..).unwrap_or_default()
    }

    /// What the matched route must tolerate.
    #[must_use]
    pub const fn exceptions(&self) -> PathExceptions {
        self.exceptions
    }
}

/// Whether nothing in a path needs a second look: what almost every request pays. Without a way out before the
/// end, so that the compiler takes many bytes at a time.
fn is_plain(path: &[u8]) -> bool {
    let harmless = path.iter().fold(true, |all, byte| all & is_harmless(*byte));
    let pairs = path.iter().zip(path.iter().skip(1));
    harmless && pairs.fold(true, |all, (a, b)| all & !((*a == b'/') & ((*b == b'/') | (*b == b'.'))))
}

const fn is_harmless(byte: u8) -> bool {
    byte.is_ascii_graphic() & !matches!(byte, b'%' | b';' | b'\\' | b'?' | b'#')
}
