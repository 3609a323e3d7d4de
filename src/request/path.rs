//! The one decoded path (invariants 1 and 2).

/// A request's path, decoded once. Routing, policy, limits, the log and the upstream see this value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestPath {
    raw: Box<str>,
    decoded: Box<str>,
    exceptions: PathExceptions,
}

/// Something in a path that two parsers could read differently and that a route may tolerate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathException {
    /// `%2F` or `%5C`.
    EncodedSlash,
    /// An empty segment, `//`.
    EmptySegment,
    /// `;` in a segment.
    Semicolon,
    /// `%25` before two hexadecimal digits.
    DoubleEncoding,
}

/// A set of [`PathException`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PathExceptions(u8);

/// Why a path is refused with 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ambiguous path")]
pub struct PathError;

impl PathExceptions {
    /// With `exception` among them.
    #[must_use]
    pub const fn with(self, exception: PathException) -> Self {
        Self(self.0 | 1 << exception as u8)
    }

    /// The exceptions of `self` that `tolerated` does not hold.
    #[must_use]
    pub const fn beyond(self, tolerated: Self) -> Self {
        Self(self.0 & !tolerated.0)
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl RequestPath {
    /// Reads the path of a request target, without its query.
    ///
    /// # Errors
    /// Where the path is not absolute or cannot be read in one way only.
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        let exceptions = PathExceptions::default();
        raw.starts_with('/')
            .then(|| Self { raw: raw.into(), decoded: raw.into(), exceptions })
            .ok_or(PathError)
    }

    /// The path as it came, percent-encoded: what the upstream is sent.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The decoded path that rules and routes are matched against; begins with `/`.
    #[must_use]
    pub fn decoded(&self) -> &str {
        &self.decoded
    }

    /// What the matched route must tolerate.
    #[must_use]
    pub const fn exceptions(&self) -> PathExceptions {
        self.exceptions
    }
}
