//! Cookies on their way through; and the bodies of `http1`.

use cookie::Cookie;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::cookies::{strip_request, strip_response};
pub use super::http1::fuzzing::{responses, written_requests};

const OWN: &str = "__Host-portcullis";

fn owns(name: &str) -> bool {
    name == OWN || name.starts_with("__Host-portcullis-flow-")
}

/// `Cookie` and `Set-Cookie`, a field a line: no reader finds one of ours in what goes on, and all others go on as they
/// came.
pub fn app_cookies(data: &[u8]) {
    let values = data.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let values: Vec<_> = values.collect();
    request(&values);
    response(&values);
}

fn request(values: &[HeaderValue]) {
    let mut headers: HeaderMap = values.iter().map(|value| (COOKIE, value.clone())).collect();
    let came = pairs(&headers);
    strip_request(&mut headers, &owns);
    let went = pairs(&headers);
    assert!(went.iter().all(|pair| !owns(&name(pair))), "ours goes on");
    let others: Vec<_> = came.into_iter().filter(|pair| !owns(&name(pair))).collect();
    assert_eq!(went, others, "all others go on as they came");
    for line in headers.get_all(COOKIE) {
        let text = String::from_utf8_lossy(line.as_bytes()).into_owned();
        let found = Cookie::split_parse(text).flatten().any(|cookie| owns(cookie.name()));
        assert!(!found, "another parser finds ours");
    }
}

/// The obvious way: what stands between semicolons, trimmed.
fn pairs(headers: &HeaderMap) -> Vec<Vec<u8>> {
    let fields = headers.get_all(COOKIE).iter();
    let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
    pairs.filter(|pair| !pair.is_empty()).map(<[u8]>::to_vec).collect()
}

fn name(pair: &[u8]) -> String {
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
    String::from_utf8_lossy(name.trim_ascii()).into_owned()
}

/// No browser that is sent what is left would send one of ours back.
fn response(values: &[HeaderValue]) {
    let mut headers: HeaderMap = values.iter().map(|value| (SET_COOKIE, value.clone())).collect();
    strip_response(&mut headers, &owns);
    for value in headers.get_all(SET_COOKIE) {
        let sent_back = sent_back(value.as_bytes());
        let read = pairs(&[(COOKIE, sent_back.clone())].into_iter().collect());
        assert!(read.iter().all(|pair| !owns(&name(pair))), "a browser would send {sent_back:?}");
    }
    let kept: Vec<_> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    let harmless =
        |value: &&HeaderValue| !value.as_bytes().windows(OWN.len()).any(|part| part == OWN.as_bytes());
    for value in values.iter().filter(harmless) {
        assert!(kept.contains(value), "an app's cookie is lost: {value:?}");
    }
}

/// How browsers keep a cookie and send it back (RFC 6265bis, sections 5.6 and 5.8.3).
fn sent_back(set: &[u8]) -> HeaderValue {
    let pair = set.split(|byte| *byte == b';').next().unwrap_or_default();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let trimmed = |text: &[u8]| {
        let from = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
        let end = text.iter().rposition(|byte| !blank(byte)).map_or(from, |at| at + 1);
        text[from..end].to_vec()
    };
    let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (trimmed(&pair[..at]), trimmed(&pair[at + 1..])),
        None => (Vec::new(), trimmed(pair)),
    };
    let equals: &[u8] = if name.is_empty() { b"" } else { b"=" };
    HeaderValue::from_bytes(&[&name[..], equals, &value].concat()).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::fuzzing::smoke("app_cookies", 2000, app_cookies);
}
