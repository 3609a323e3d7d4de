//! Telling the app who asks: headers made from a permit and from nothing else.

use std::borrow::Cow;
use std::fmt::Write;

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

/// Bytes that most people's lines fit in.
const LINES: usize = 256;

/// Within a list the comma separates, so that one in a name is encoded.
const ITEM: &AsciiSet = &VALUE.add(b',');

/// Adds the identity of `principal` to a head. What is unknown is not told.
pub(super) fn add(settings: &IdentitySettings, principal: &Principal, headers: &mut HeaderMap) {
    tell(settings, principal, |name, text| {
        HeaderValue::from_str(text).into_iter().for_each(|value| drop(headers.insert(name, value)));
    });
}

/// The same as HTTP/1.1 writes it: each field a line with its end. Nothing of it can hold a line break.
pub(super) fn lines(settings: &IdentitySettings, principal: &Principal) -> Vec<u8> {
    let mut lines = Vec::with_capacity(if settings.headers.is_empty() { 0 } else { LINES });
    tell(settings, principal, |name, text| {
        for part in [name.as_str(), ": ", text, "\r\n"] {
            lines.extend_from_slice(part.as_bytes());
        }
    });
    lines
}

/// The headers that would tell an app of `principal`, but for the assertion, which is made anew each time.
#[must_use]
pub fn identity_headers(settings: &IdentitySettings, principal: &Principal) -> HeaderMap {
    let mut headers = HeaderMap::new();
    add(settings, principal, &mut headers);
    headers
}

/// Hands each header that is told of `principal` to `put`: visible ASCII and inner spaces, never empty.
fn tell(settings: &IdentitySettings, principal: &Principal, mut put: impl FnMut(&HeaderName, &str)) {
    let mut truncated = 0;
    for (name, value) in &settings.headers {
        let (text, surplus) = match value {
            IdentityValue::User => (one(&principal.user), 0),
            IdentityValue::Email => (email(principal).and_then(one), 0),
            IdentityValue::Subject => (one(principal.subject.as_str()), 0),
            IdentityValue::Provider => (one(principal.provider.as_str()), 0),
            IdentityValue::Groups => list(&principal.groups),
            IdentityValue::Claim(path) => (principal.claim(path).and_then(claim), 0),
        };
        text.filter(|text| !text.is_empty()).iter().for_each(|text| put(name, text));
        truncated = truncated.max(surplus);
    }
    if truncated > 0 {
        put(&TRUNCATED, &truncated.to_string());
    }
}

/// The address, unless the provider says that it is not verified, or the operator wants it verified.
pub(super) fn email(principal: &Principal) -> Option<&str> {
    let email = principal.email.as_ref()?;
    let silent = || principal.claims.get("email_verified").is_none_or(Value::is_null);
    let told = email.verified || (!email.withheld && silent());
    mutant!(told, "unverified-address-told" => true).then_some(email.address.as_str())
}

fn one(text: &str) -> Option<Cow<'_, str>> {
    let plain = mutant!(is_plain(text), "line-break-in-identity" => true);
    let text = if plain { Cow::Borrowed(text) } else { Cow::Owned(encode(text, VALUE)) };
    Some(text).filter(|text| text.len() <= MAX_VALUE)
}

/// Whether the text is visible ASCII without `%`. It is always read to its end, so that the compiler can take
/// many bytes at a time.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & matches!(byte, b'!'..=b'~') & (byte != b'%'))
}

fn list(items: &[String]) -> (Option<Cow<'_, str>>, usize) {
    let (list, surplus) = join(items.iter().map(String::as_str));
    (Some(list.into()), surplus)
}

/// A claim that holds more than a header may is left out whole.
fn claim(claim: &Value) -> Option<Cow<'_, str>> {
    if let Value::String(text) = claim {
        return one(text);
    }
    let texts = texts(claim);
    if let ([text], false) = (texts.as_slice(), claim.is_array()) {
        return one(text).map(|text| text.into_owned().into());
    }
    match list(&texts) {
        (Some(list), 0) => Some(list.into_owned().into()),
        _ => None,
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

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;
    use serde_json::json;

    use bytes::BytesMut;

    use super::*;
    use crate::forward::fixtures;
    use crate::identity::{ClaimPath, Claims, Email};

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
        let settings = IdentitySettings { headers, ..IdentitySettings::default() };
        let map = identity_headers(&settings, principal);
        let mut lines = BytesMut::new();
        crate::http1::write_fields(&map, &mut lines);
        assert_eq!(super::lines(&settings, principal), lines, "both versions of HTTP tell the same");
        map
    }

    fn claims(value: Value) -> Claims {
        let Value::Object(members) = value else { panic!("claims are members: {value}") };
        members.into()
    }

    #[test]
    fn a_plain_identity_is_written_as_it_is() {
        let mut alice = fixtures::alice();
        alice.claims = claims(json!({"org": {"team": ["a", 7]}}));
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
        alice.email = Some(Email { address: "a@b.example".into(), verified: false, withheld: false });
        assert!(seen(&alice), "the provider says nothing of it");
        alice.email = Some(Email { address: "a@b.example".into(), verified: false, withheld: true });
        assert!(!seen(&alice), "the operator wants it verified");
        alice.email = Some(Email { address: "a@b.example".into(), verified: false, withheld: false });
        for value in [json!(false), json!("false"), json!("0")] {
            alice.claims = claims(json!({ "email_verified": value }));
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
