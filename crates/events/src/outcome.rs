//! How requests end.

/// How a request ended, as metrics and log lines call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Forwarded for somebody whom the policy allows.
    Allowed,
    /// Forwarded on a public route.
    Public,
    /// Answered by the gateway itself: sign-in, callback, keys, redirects.
    Own,
    /// Sent to sign in, or challenged with 401.
    Unauthenticated,
    /// Known and refused.
    Forbidden,
    /// Over a rate or concurrency limit.
    Limited,
    /// Malformed, ambiguous or too large.
    BadRequest,
    /// No such route or method.
    NotFound,
    /// The upstream failed.
    UpstreamError,
    /// The provider failed: away, an answer that cannot be accepted, keys that cannot be had, or a registration
    /// that it does not know.
    ProviderError,
    /// We could not decide: no store, or a fault of our own.
    Unavailable,
    /// The client left before the response ended.
    Aborted,
}

impl Outcome {
    /// Every outcome, in the order they are counted.
    pub const ALL: [Self; 12] = [
        Self::Allowed,
        Self::Public,
        Self::Own,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::Limited,
        Self::BadRequest,
        Self::NotFound,
        Self::UpstreamError,
        Self::ProviderError,
        Self::Unavailable,
        Self::Aborted,
    ];

    /// The word used in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Public => "public",
            Self::Own => "own",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::Limited => "limited",
            Self::BadRequest => "bad-request",
            Self::NotFound => "not-found",
            Self::UpstreamError => "upstream-error",
            Self::ProviderError => "provider-error",
            Self::Unavailable => "unavailable",
            Self::Aborted => "aborted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Field, FieldType};

    #[test]
    fn every_outcome_stands_where_it_is_counted_and_has_its_word_in_the_table() {
        let words = Outcome::ALL.map(Outcome::as_str);
        let FieldType::Word(told) = Field::Outcome.row().kind else { panic!() };
        assert_eq!(told, words);
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, index);
        }
    }
}
