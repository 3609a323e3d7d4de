//! The session's cookie, what is sealed for its holder, and rows of a store that others can write to.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use std::sync::LazyLock;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::seal::{FamilyKey, Record, seal_record};
use super::{CookieRead, SessionCookie, SessionId, SessionKey, SessionSettings};
use crate::fuzzing::edited;

const FLOWS: &str = "__Host-portcullis-flow-";

/// `Cookie`, a field a line: what is read under our name, and what is left of a request without it.
pub fn session_cookies(data: &[u8]) {
    let cookie = SessionCookie::new(&SessionSettings::default(), true);
    let values = data.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let headers: HeaderMap = values.map(|value| (COOKIE, value)).collect();
    let came = pairs(&headers);
    let ours: Vec<_> = came.iter().filter(|(name, _)| name == cookie.name().as_bytes()).collect();
    let mut values: Vec<_> = ours.iter().map(|(_, value)| value).collect();
    values.dedup();
    match (cookie.read(&headers), &values[..]) {
        (None, values) => assert!(values.is_empty(), "absent, and it was there"),
        (Some(CookieRead::Malformed), values) => assert!(!values.is_empty(), "nothing is not malformed"),
        (Some(CookieRead::Key(key)), [value]) => {
            assert_eq!(key.to_secret().expose().as_bytes(), &value[..], "a key has one spelling");
        }
        (Some(CookieRead::Key(_)), values) => panic!("a key of {} values", values.len()),
    }
    stripped(&cookie, headers, came);
}

fn stripped(cookie: &SessionCookie, mut headers: HeaderMap, came: Vec<(Vec<u8>, Vec<u8>)>) {
    cookie.strip(&mut headers, FLOWS);
    let ours = |name: &[u8]| name == cookie.name().as_bytes() || name.starts_with(FLOWS.as_bytes());
    let others: Vec<_> = came.into_iter().filter(|(name, _)| !ours(name)).collect();
    assert_eq!(pairs(&headers), others, "all but ours, as they came");
    let key = SessionKey::random();
    let set = cookie.set(&key);
    let pair = set.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    headers.append(COOKIE, HeaderValue::from_bytes(pair).expect("it was one"));
    let read = cookie.read(&headers);
    assert!(matches!(read, Some(CookieRead::Key(read)) if read.id() == key.id()), "what is set is read back");
}

/// The obvious way: names and values between semicolons, trimmed; not those of which nothing is left.
fn pairs(headers: &HeaderMap) -> Vec<(Vec<u8>, Vec<u8>)> {
    let fields = headers.get_all(COOKIE).iter();
    let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
    pairs
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(end + 1..).unwrap_or_default();
            (pair[..end].trim_ascii().to_vec(), value.trim_ascii().to_vec())
        })
        .collect()
}

struct Sealed {
    key: SessionKey,
    family: FamilyKey,
    wrapped: Vec<u8>,
    record: Vec<u8>,
}

const HOST: &str = "wiki.example";
const ROOT: SessionId = SessionId::from_bytes([7; 32]);

static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let (key, family) = (SessionKey::random(), FamilyKey::random());
    let wrapped = family.wrap(&key, ROOT, HOST, None).expect("it can be sealed");
    let principal = r#"{"provider":"corp","issuer":"https://id.example","subject":"u","user":"alice","email":null,"groups":["staff"],"scopes":[],"claims":{}}"#;
    let record = format!(
        r#"{{"principal":{principal},"access":"a","access_expires":null,"refresh":null,"id":null,"sid":null,"created":1,"expires":2}}"#
    );
    let record = seal_record(&family, ROOT, record.as_bytes()).expect("it can be sealed");
    Sealed { key, family, wrapped, record }
});

/// What a session's key seals, with the changes that `data` spells: nothing but what was sealed opens. And `data` as
/// a record that was sealed: it is one or none.
pub fn sealed_sessions(data: &[u8]) {
    let Sealed { key, family, wrapped, record } = &*SEALED;
    for text in [edited(wrapped, data), data.to_vec()] {
        let opened = FamilyKey::unwrap(key, ROOT, HOST, &text);
        assert_eq!(opened.is_some(), text == *wrapped, "a forged key opens");
    }
    for text in [edited(record, data), data.to_vec()] {
        let opened = Record::open(family, ROOT, &text);
        assert_eq!(opened.is_some(), text == *record, "a forged record opens");
    }
    let other = SessionId::from_bytes([8; 32]);
    assert!(FamilyKey::unwrap(key, other, HOST, wrapped).is_none(), "of another family");
    assert!(FamilyKey::unwrap(key, ROOT, "evil.example", wrapped).is_none(), "for another host");
    let plain = seal_record(family, ROOT, data).expect("it can be sealed");
    if let Some(read) = Record::open(family, ROOT, &plain) {
        let again = read.seal(family, ROOT).and_then(|sealed| Record::open(family, ROOT, &sealed));
        assert_eq!(again, Some(read), "a record is written as it was read");
    }
}

/// Rows of the Redis that gateways share, a field a line, whoever has written them: each is read as it was written, or
/// it is a fault.
pub fn shared_rows(data: &[u8]) {
    let fields = data.split(|byte| *byte == b'\n').map(|field| Some(field.to_vec())).collect();
    super::redis::fuzzing::row(ROOT, fields);
}

#[cfg(test)]
#[test]
fn smoke_shared_rows() {
    crate::fuzzing::smoke("shared_rows", 1500, shared_rows);
}

#[cfg(test)]
#[test]
fn smoke_cookies() {
    crate::fuzzing::smoke("session_cookies", 1500, session_cookies);
}

#[cfg(test)]
#[test]
fn smoke_seals() {
    crate::fuzzing::smoke("sealed_sessions", 1000, sealed_sessions);
}
