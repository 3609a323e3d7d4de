//! What a route may tolerate in its paths.

/// Something in a path that two parsers could read differently and that a route may tolerate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathException {
    /// `%2F` or `%5C`.
    EncodedSlash,
    /// An empty segment, `//`.
    EmptySegment,
    /// `;` in a segment, plain or as `%3B`.
    Semicolon,
    /// `%25` before two hexadecimal digits, which may be encoded themselves.
    DoubleEncoding,
}

/// A set of [`PathException`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PathExceptions(u8);

impl PathException {
    /// Every exception there is.
    pub const ALL: [Self; 4] =
        [Self::EncodedSlash, Self::EmptySegment, Self::Semicolon, Self::DoubleEncoding];

    /// What it is called in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EncodedSlash => "an encoded slash",
            Self::EmptySegment => "an empty segment",
            Self::Semicolon => "a semicolon",
            Self::DoubleEncoding => "double encoding",
        }
    }

    /// What `tolerate` calls it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::EncodedSlash => "encoded-slash",
            Self::EmptySegment => "empty-segment",
            Self::Semicolon => "semicolon",
            Self::DoubleEncoding => "double-encoding",
        }
    }
}

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

    /// The exceptions in the set, for messages.
    pub fn iter(self) -> impl Iterator<Item = PathException> {
        PathException::ALL.into_iter().filter(move |exception| self.0 & 1 << *exception as u8 != 0)
    }
}
