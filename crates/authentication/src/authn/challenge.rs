//! `WWW-Authenticate` (RFC 6750, section 3; RFC 7617, section 2; RFC 9110, section 11.6.1).

use http::HeaderValue;

/// The `error` of a challenge (RFC 6750, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request itself is malformed: 400.
    InvalidRequest,
    /// The token is not good: 401.
    InvalidToken,
    /// The token is good and not enough: 403.
    InsufficientScope,
}

impl ErrorCode {
    /// The word that RFC 6750 registers for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// A Bearer challenge. Without `error` it is the one for requests that brought no token at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// Which protection space asks: the route's name or host.
    pub realm: &'a str,
    /// What was wrong, and its description.
    pub error: Option<(ErrorCode, &'a str)>,
    /// The scopes that would suffice, separated by spaces.
    pub scope: Option<&'a str>,
}

impl Challenge<'_> {
    /// The field value. Whatever `realm`, description and scope hold, they stay inside their quotes.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        let mut text = String::from("Bearer");
        push(&mut text, " realm", self.realm);
        if let Some((code, description)) = self.error {
            push(&mut text, ", error", code.as_str());
            push(&mut text, ", error_description", description);
        }
        if let Some(scope) = self.scope {
            push(&mut text, ", scope", scope);
        }
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }
}

/// A Basic challenge for `realm`.
#[must_use]
pub fn basic_challenge(realm: &str) -> HeaderValue {
    let mut text = String::from("Basic");
    push(&mut text, " realm", realm);
    push(&mut text, ", charset", "UTF-8");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Basic"))
}

/// RFC 6750 allows printable ASCII without `"` and `\` in these values, so that nothing needs escaping:
/// anything else becomes `?`.
fn push(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    let printable = |c: char| (c == ' ' || c.is_ascii_graphic()) && c != '"' && c != '\\';
    text.extend(value.chars().map(|c| if printable(c) { c } else { '?' }));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::TokenError;
    use proptest::prelude::*;

    #[test]
    fn a_challenge_names_realm_error_and_scope() {
        let plain = Challenge { realm: "api", error: None, scope: None };
        assert_eq!(plain.header(), r#"Bearer realm="api""#);
        let error = Some((ErrorCode::InsufficientScope, "More is needed."));
        let scope = Challenge { realm: "api", error, scope: Some("orders:read orders:write") };
        let expected = r#"Bearer realm="api", error="insufficient_scope", error_description="More is needed.", scope="orders:read orders:write""#;
        assert_eq!(scope.header(), expected);
        let expired = TokenError::Expired.challenge("api");
        let expected =
            r#"Bearer realm="api", error="invalid_token", error_description="The access token has expired.""#;
        assert_eq!(expired, expected);
        assert_eq!(TokenError::KeysUnavailable.challenge("api"), r#"Bearer realm="api""#);
    }

    #[test]
    fn a_basic_challenge_names_realm_and_charset() {
        assert_eq!(basic_challenge("git \"x\""), r#"Basic realm="git ?x?", charset="UTF-8""#);
    }

    proptest! {
        #[test]
        fn no_realm_leaves_its_quotes(realm in any::<String>()) {
            let header = Challenge { realm: &realm, error: None, scope: None }.header();
            let text = header.to_str().unwrap();
            let inside = text.strip_prefix("Bearer realm=\"").unwrap().strip_suffix('"').unwrap();
            prop_assert!(!inside.contains(['"', '\\']));
            prop_assert_eq!(inside.chars().count(), realm.chars().count());
        }
    }
}
