//! Telling the app who asks: headers made from a permit and from nothing else.

use std::fmt::Write;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use super::{IdentitySettings, IdentityValue};
use crate::identity::{Principal, texts};

/// How many bytes an identity header may have. Groups beyond are left out and counted; any other value
/// beyond is left out whole: less identity is safe, half a name is not.
pub(super) const MAX_VALUE: usize = 8 * 1024;

const TRUNCATED: HeaderName = HeaderName::from_static("portcullis-groups-truncated");

/// Visible ASCII and inner spaces stand as they are; everything else, and `%` itself so that no two
/// values look alike, is percent-encoded UTF-8 (RFC 3986, section 2.1).
const VALUE: &AsciiSet = &CONTROLS.add(b'%');

/// Bytes that most lists of groups fit in.
const SHORT: usize = 64;

/// Within a list the comma separates, so that one in a name is encoded.
const ITEM: &AsciiSet = &VALUE.add(b',');

/// Writes the identity of `principal`. What is unknown is not written.
pub(super) fn write(settings: &IdentitySettings, principal: &Principal, headers: &mut HeaderMap) {
    for (name, value) in &settings.headers {
        match value {
            IdentityValue::User => put(headers, name, &principal.user),
            IdentityValue::Email => {
                email(principal).into_iter().for_each(|email| put(headers, name, email));
            }
            IdentityValue::Subject => put(headers, name, principal.subject.as_str()),
            IdentityValue::Provider => put(headers, name, principal.provider.as_str()),
            IdentityValue::Groups => put_groups(headers, name, &principal.groups),
            IdentityValue::Claim(path) => {
                path.find(&principal.claims).into_iter().for_each(|claim| put_claim(headers, name, claim));
            }
        }
    }
}

/// The headers that would tell an app of `principal`, but for the assertion, which is made anew each time.
#[must_use]
pub fn identity_headers(settings: &IdentitySettings, principal: &Principal) -> HeaderMap {
    let mut headers = HeaderMap::new();
    write(settings, principal, &mut headers);
    headers
}

/// The address, unless the provider says that it is not verified.
pub(super) fn email(principal: &Principal) -> Option<&str> {
    let email = principal.email.as_ref()?;
    let silent = principal.claims.get("email_verified").is_none_or(Value::is_null);
    (email.verified || silent).then_some(email.address.as_str())
}

fn put(headers: &mut HeaderMap, name: &HeaderName, text: &str) {
    let value = if is_plain(text) { HeaderValue::from_str(text).ok() } else { owned(encode(text, VALUE)) };
    if let Some(value) = value.filter(|value| !value.is_empty() && value.len() <= MAX_VALUE) {
        headers.insert(name, value);
    }
}

/// Without a way out before the end, so that the compiler takes many bytes at a time.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & matches!(byte, b'!'..=b'~') & (byte != b'%'))
}

fn put_groups(headers: &mut HeaderMap, name: &HeaderName, groups: &[String]) {
    let (list, surplus) = join(groups.iter().map(String::as_str));
    if let Some(value) = owned(list).filter(|value| !value.is_empty()) {
        headers.insert(name, value);
    }
    if surplus > 0 {
        headers.insert(TRUNCATED, HeaderValue::from(surplus));
    }
}

fn put_claim(headers: &mut HeaderMap, name: &HeaderName, claim: &Value) {
    if let Value::String(text) = claim {
        return put(headers, name, text);
    }
    let texts = texts(claim);
    if let ([one], false) = (texts.as_slice(), claim.is_array()) {
        return put(headers, name, one);
    }
    if let ((list, 0), false) = (join(texts.iter().map(String::as_str)), texts.is_empty()) {
        owned(list).into_iter().for_each(|value| drop(headers.insert(name, value)));
    }
}

/// The items that fit, comma-separated, and how many do not.
fn join<'a>(items: impl Iterator<Item = &'a str>) -> (String, usize) {
    let mut list = String::with_capacity(SHORT);
    let mut surplus = 0;
    for item in items.filter(|item| !item.is_empty()) {
        let before = list.len();
        if before > 0 {
            list.push(',');
        }
        if is_plain(item) && !item.contains(',') {
            list.push_str(item);
        } else {
            list.push_str(&encode(item, ITEM));
        }
        if list.len() > MAX_VALUE {
            list.truncate(before);
            surplus += 1;
        }
    }
    (list, surplus)
}

fn encode(text: &str, set: &'static AsciiSet) -> String {
    let inner = text.trim_matches(' ');
    let leading = text.len() - text.trim_start_matches(' ').len();
    let trailing = text.len() - leading - inner.len();
    let mut encoded = "%20".repeat(leading);
    // Writing to a `String` cannot fail.
    let _ = write!(encoded, "{}", utf8_percent_encode(inner, set));
    encoded.push_str(&"%20".repeat(trailing));
    encoded
}

fn owned(text: String) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::fixtures;
    use super::*;
    use crate::identity::{ClaimPath, Email};

    fn written(principal: &Principal) -> HeaderMap {
        let name = HeaderName::from_static;
        let claim = |path: &str| IdentityValue::Claim(ClaimPath::parse(path).unwrap());
        let headers = vec![
            (name("x-user"), IdentityValue::User),
            (name("x-email"), IdentityValue::Email),
            (name("x-sub"), IdentityValue::Subject),
            (name("x-groups"), IdentityValue::Groups),
            (name("x-provider"), IdentityValue::Provider),
            (name("x-team"), claim("org.team")),
        ];
        let mut map = HeaderMap::new();
        write(&IdentitySettings { headers, ..IdentitySettings::default() }, principal, &mut map);
        map
    }

    #[test]
    fn a_plain_identity_is_written_as_it_is() {
        let mut alice = fixtures::alice();
        alice.claims.insert("org".into(), json!({"team": ["a", 7]}));
        let expected = fixtures::map(&[
            ("x-user", "alice"),
            ("x-email", "alice@corp.example"),
            ("x-sub", "sub-1"),
            ("x-groups", "staff,ops"),
            ("x-provider", "corp"),
            ("x-team", "a,7"),
        ]);
        assert_eq!(written(&alice), expected);
    }

    #[test]
    fn hostile_values_are_encoded() {
        let mut alice = fixtures::alice();
        alice.user = " Zoë\r\nX-Admin: 1 %41 ".into();
        alice.groups = vec!["a,b".into(), "a%2Cb".into(), String::new(), "c d".into()];
        let map = written(&alice);
        assert_eq!(map["x-user"], "%20Zo%C3%AB%0D%0AX-Admin: 1 %2541%20");
        assert_eq!(map["x-groups"], "a%2Cb,a%252Cb,c d");
    }

    #[test]
    fn an_address_known_to_be_unverified_is_not_written() {
        let mut alice = fixtures::alice();
        let seen = |alice: &Principal| written(alice).contains_key("x-email");
        alice.email = Some(Email { address: "a@b.example".into(), verified: false });
        assert!(seen(&alice), "the provider says nothing of it");
        for value in [json!(false), json!("false"), json!("true")] {
            alice.claims.insert("email_verified".into(), value);
            assert!(!seen(&alice));
        }
    }

    #[test]
    fn surplus_groups_are_left_out_and_counted() {
        let mut alice = fixtures::alice();
        alice.groups = (0..3000).map(|n| format!("group-{n:04}")).collect();
        alice.user = "x".repeat(MAX_VALUE + 1);
        let map = written(&alice);
        let groups = map["x-groups"].to_str().unwrap();
        assert!(
            groups.len() <= MAX_VALUE && groups.ends_with(&format!("{:04}", groups.split(',').count() - 1))
        );
        let missing = 3000 - groups.split(',').count();
        assert_eq!(map["portcullis-groups-truncated"], missing.to_string());
        assert!(!map.contains_key("x-user"));
    }

    proptest! {
        #[test]
        fn any_identity_is_a_valid_value_that_decodes_to_itself(user in "\\PC{1,40}|[\\x00-\\x7f]{1,40}", groups in prop::collection::vec("\\PC{1,9}|[ -,]{1,5}", 1..6)) {
            let mut alice = fixtures::alice();
            alice.user.clone_from(&user);
            alice.groups.clone_from(&groups);
            let map = written(&alice);
            let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
            let text = map["x-user"].to_str().unwrap();
            prop_assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b)));
            prop_assert_eq!(text.trim(), text);
            prop_assert_eq!(decode(text), user);
            let items: Vec<String> = map["x-groups"].to_str().unwrap().split(',').map(decode).collect();
            prop_assert_eq!(items, groups);
        }
    }
}
