//! `WWW-Authenticate` (RFC 6750, section 3; RFC 7617, section 2; RFC 9470, section 3; RFC 9110, section 11.6.1).

use http::HeaderValue;

use crate::identity::Strength;

/// The `error` of a challenge (RFC 6750, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request itself is malformed: 400.
    InvalidRequest,
    /// The token is not good: 401.
    InvalidToken,
    /// The token is good and not enough: 403.
    InsufficientScope,
    /// Whoever asks has not signed in strongly or lately enough (RFC 9470, section 3): 401.
    InsufficientUserAuthentication,
}

impl ErrorCode {
    /// The word that RFC 6750 registers for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
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
    /// The sign-in that would suffice: `acr_values` and `max_age` (RFC 9470, section 3).
    pub strength: Option<&'a Strength>,
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
        if let Some(strength) = self.strength {
            if !strength.acr.is_empty() {
                push(&mut text, ", acr_values", &strength.acr.join(" "));
            }
            if let Some(max_age) = strength.max_age_to_ask() {
                push(&mut text, ", max_age", &max_age.as_secs().to_string());
            }
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
    use std::time::Duration;

    use super::*;
    use crate::authn::TokenError;
    use proptest::prelude::*;

    #[test]
    fn a_challenge_names_realm_error_and_scope() {
        let plain = Challenge { realm: "api", error: None, scope: None, strength: None };
        assert_eq!(plain.header(), r#"Bearer realm="api""#);
        let error = Some((ErrorCode::InsufficientScope, "More is needed."));
        let scope =
            Challenge { realm: "api", error, scope: Some("orders:read orders:write"), strength: None };
        let expected = r#"Bearer realm="api", error="insufficient_scope", error_description="More is needed.", scope="orders:read orders:write""#;
        assert_eq!(scope.header(), expected);
        let expired = TokenError::Expired.challenge("api");
        let expected =
            r#"Bearer realm="api", error="invalid_token", error_description="The access token has expired.""#;
        assert_eq!(expired, expected);
        assert_eq!(TokenError::KeysUnavailable.challenge("api"), r#"Bearer realm="api""#);
    }

    /// The example of RFC 9470, section 3.
    #[test]
    fn a_step_up_challenge_names_levels_and_age() {
        let error =
            Some((ErrorCode::InsufficientUserAuthentication, "More recent authentication is required"));
        let strength = Strength { max_age: Some(Duration::from_secs(5)), ..Strength::default() };
        let recent = Challenge { realm: "api", error, scope: None, strength: Some(&strength) };
        let expected = r#"Bearer realm="api", error="insufficient_user_authentication", error_description="More recent authentication is required", max_age="5""#;
        assert_eq!(recent.header(), expected);
        let strong = Strength { acr: vec!["mfa".into(), "a\"b".into()], ..strength.clone() };
        let both = Challenge { strength: Some(&strong), ..recent };
        assert!(both.header().to_str().unwrap().ends_with(r#", acr_values="mfa a?b", max_age="5""#));
    }

    #[test]
    fn a_basic_challenge_names_realm_and_charset() {
        assert_eq!(basic_challenge("git \"x\""), r#"Basic realm="git ?x?", charset="UTF-8""#);
    }

    proptest! {
        #[test]
        fn no_realm_leaves_its_quotes(realm in any::<String>()) {
            let header = Challenge { realm: &realm, error: None, scope: None, strength: None }.header();
            let text = header.to_str().unwrap();
            let inside = text.strip_prefix("Bearer realm=\"").unwrap().strip_suffix('"').unwrap();
            prop_assert!(!inside.contains(['"', '\\']));
            prop_assert_eq!(inside.chars().count(), realm.chars().count());
        }
    }
}
