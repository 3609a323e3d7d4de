//! The fields that carry access tokens (RFC 6750, section 2.1; RFC 7617; RFC 9110, section 11.6.2).

use http::header::{AUTHORIZATION, HeaderMap, HeaderName};

use super::error::TokenError;
use super::settings::MAX_TOKEN;

/// The gateway's own credential, for routes whose app needs `Authorization` for itself. It is never forwarded.
pub const PORTCULLIS_AUTHORIZATION: HeaderName = HeaderName::from_static("x-portcullis-authorization");

/// What such a field says. Tokens in bodies and query strings are not looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Authorization<'a> {
    /// There is no such field.
    Absent,
    /// Another scheme, such as `Digest`: not ours.
    Other,
    /// A bearer token of the right form, not verified yet.
    Bearer(&'a str),
    /// What stands behind `Basic`, not read yet: only some routes take it.
    Basic(&'a [u8]),
    /// Something that must not be read as absent (invariant 3).
    Malformed(TokenError),
}

impl<'a> Authorization<'a> {
    /// Reads the `Authorization` field of a request.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        field(headers, &AUTHORIZATION)
    }

    /// Reads the `X-Portcullis-Authorization` field of a request in the same way.
    pub(super) fn beside(headers: &'a HeaderMap) -> Self {
        field(headers, &PORTCULLIS_AUTHORIZATION)
    }
}

fn field<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Authorization<'a> {
    let mut fields = headers.get_all(name).iter();
    match (fields.next(), fields.next()) {
        (None, _) => Authorization::Absent,
        (Some(value), None) => read(value.as_bytes()),
        (Some(_), Some(_)) => mutant!(
            Authorization::Malformed(TokenError::RepeatedCredential),
            "second-authorization-ignored" => headers.get(name).map_or(Authorization::Absent, |it| read(it.as_bytes())),
        ),
    }
}

/// Whether `Authorization` names Basic. Looks at the scheme alone: a token may be long.
#[must_use]
pub fn names_basic(headers: &HeaderMap) -> bool {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    fields.any(|value| scheme(value.as_bytes()).0.eq_ignore_ascii_case(b"Basic"))
}

/// The scheme, and what stands behind it.
fn scheme(value: &[u8]) -> (&[u8], &[u8]) {
    value.split_at(value.iter().take_while(|byte| is_tchar(**byte)).count())
}

fn read(value: &[u8]) -> Authorization<'_> {
    let (scheme, rest) = scheme(value);
    if scheme.is_empty() {
        return Authorization::Malformed(TokenError::MalformedCredential);
    }
    if scheme.eq_ignore_ascii_case(b"Basic") {
        return Authorization::Basic(rest);
    }
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Authorization::Other;
    }
    // `Bearer` with anything else than one space and a token behind it is refused, and never taken for no
    // credential.
    let token = rest.strip_prefix(b" ").filter(|token| is_b64token(token));
    match token.and_then(|token| str::from_utf8(token).ok()) {
        Some(token) if token.len() > MAX_TOKEN => Authorization::Malformed(TokenError::TooLarge),
        Some(token) => Authorization::Bearer(token),
        None => mutant!(
            Authorization::Malformed(TokenError::MalformedCredential),
            "malformed-token-is-none" => Authorization::Absent,
        ),
    }
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
fn is_b64token(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let (body, _) = text.split_at(text.len() - padding);
    // Without a way out before the end, so that the compiler takes many bytes at a time.
    !body.is_empty() && body.iter().fold(true, |all, byte| all & is_b64(*byte))
}

const fn is_b64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl std::fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Other => f.write_str("Other"),
            Self::Bearer(_) => f.write_str("Bearer(…)"),
            Self::Basic(_) => f.write_str("Basic(…)"),
            Self::Malformed(error) => f.debug_tuple("Malformed").field(error).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    const MALFORMED: Authorization<'_> = Authorization::Malformed(TokenError::MalformedCredential);

    #[test]
    fn schemes_are_compared_without_case_and_others_are_not_ours() {
        assert_eq!(read(b"Bearer abc"), Authorization::Bearer("abc"));
        assert_eq!(read(b"bEARER a.b-c_~+/=="), Authorization::Bearer("a.b-c_~+/=="));
        for other in ["BasicX YTpi", "Negotiate", "BearerX abc", "DPoP abc", "Bearer- abc"] {
            assert_eq!(read(other.as_bytes()), Authorization::Other, "{other}");
        }
        assert_eq!(read(b"bASIC YTpi"), Authorization::Basic(b" YTpi"));
        assert_eq!(Authorization::of(&HeaderMap::new()), Authorization::Absent);
    }

    #[test]
    fn invariant_3_a_malformed_credential_is_not_an_absent_one() {
        let malformed = [
            "",
            " Bearer abc",
            "Bearer",
            "Bearer ",
            "Bearer  abc",
            "Bearer\tabc",
            "Bearer,abc",
            "Bearer=abc",
            "Bearer abc def",
            "Bearer abc,Bearer def",
            "Bearer =",
            "Bearer a=b",
            "Bearer \"abc\"",
            "Bearer a\u{e9}",
            "Bearer abc ",
            ",",
            "\"Bearer\" abc",
        ];
        for text in malformed {
            assert_eq!(read(text.as_bytes()), MALFORMED, "{text:?}");
        }
    }

    #[test]
    fn two_fields_are_refused_whatever_they_hold() {
        for second in ["Bearer abc", "Basic YTpi", ""] {
            let mut headers = HeaderMap::new();
            headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
            headers.append(AUTHORIZATION, HeaderValue::from_static(second));
            assert_eq!(Authorization::of(&headers), Authorization::Malformed(TokenError::RepeatedCredential));
        }
    }

    #[test]
    fn invariant_14_a_token_of_more_than_16_kib_is_refused_unread() {
        let fits = format!("Bearer {}", "a".repeat(16 * 1024));
        assert!(matches!(read(fits.as_bytes()), Authorization::Bearer(_)));
        let longer = fits + "a";
        assert_eq!(read(longer.as_bytes()), Authorization::Malformed(TokenError::TooLarge));
    }

    #[test]
    fn invariant_15_a_token_is_not_printed() {
        for field in [b"Bearer hunter2".as_slice(), b"Basic hunter2"] {
            assert!(!format!("{:?}", read(field)).contains("hunter"));
        }
    }

    proptest! {
        /// The reference: the grammar of RFC 6750 as a pattern of proptest's own regular expressions.
        #[test]
        fn every_b64token_is_found(scheme in "[bB][eE][aA][rR][eE][rR]", token in "[A-Za-z0-9._~+/-]{1,64}={0,4}") {
            let value = format!("{scheme} {token}");
            prop_assert_eq!(read(value.as_bytes()), Authorization::Bearer(&token));
        }

        #[test]
        fn what_begins_with_bearer_is_never_nobody(rest in proptest::collection::vec(any::<u8>(), 0..40)) {
            let value = [b"Bearer ".as_slice(), &rest].concat();
            prop_assert!(matches!(read(&value), Authorization::Bearer(_) | Authorization::Malformed(_)));
        }
    }
}
