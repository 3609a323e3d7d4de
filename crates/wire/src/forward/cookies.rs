//! The gateway's own cookies stay between the browser and the gateway (invariant 15).

use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};

use crate::http1::parts;

/// Tells the gateway's cookies from the app's. Any `Fn(&str) -> bool` over names will do.
pub trait OwnCookies: Sync {
    /// Whether the cookie called `name` is the gateway's.
    fn owns(&self, name: &str) -> bool;
}

impl<F: Fn(&str) -> bool + Sync> OwnCookies for F {
    fn owns(&self, name: &str) -> bool {
        self(name)
    }
}

/// Takes the gateway's cookies from a request and joins what is left into one field, as HTTP/1.1 wants
/// it (RFC 9113, section 8.2.3). A field that needs neither is not touched.
pub(super) fn strip_request(headers: &mut HeaderMap, own: &dyn OwnCookies) {
    let mut fields = headers.get_all(COOKIE).iter();
    let Some(first) = fields.next() else { return };
    let ours = |pair: &[u8]| own.owns(&name(pair));
    if fields.next().is_none() && !pairs(first).any(ours) {
        return;
    }
    // Often nothing is left: browsers of most apps send the session's cookie alone.
    let mut kept = Vec::new();
    for pair in headers.get_all(COOKIE).iter().flat_map(pairs).filter(|pair| !ours(pair)) {
        if kept.is_empty() {
            kept.reserve(first.len());
        } else {
            kept.extend_from_slice(b"; ");
        }
        kept.extend_from_slice(pair);
    }
    headers.remove(COOKIE);
    if let Some(value) =
        HeaderValue::from_maybe_shared(bytes::Bytes::from(kept)).ok().filter(|v| !v.is_empty())
    {
        headers.insert(COOKIE, value);
    }
}

/// Takes from a response every `Set-Cookie` for a name of the gateway's: an app must not sign people
/// in or out. A cookie without a name is sent back as its value alone, and reads as the one it spells.
pub(super) fn strip_response(headers: &mut HeaderMap, own: &dyn OwnCookies) {
    let spelled = |pair: &[u8]| {
        let bare = pair.trim_ascii_start().strip_prefix(b"=").unwrap_or(pair);
        own.owns(&name(mutant!(bare, "nameless-cookie-passes" => pair)))
    };
    let ours = |value: &HeaderValue| pairs(value).next().is_some_and(spelled);
    if !headers.get_all(SET_COOKIE).iter().any(ours) {
        return;
    }
    let kept: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().filter(|v| !ours(v)).cloned().collect();
    headers.remove(SET_COOKIE);
    for value in kept {
        headers.append(SET_COOKIE, value);
    }
}

fn pairs(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    parts(b';', value.as_bytes())
}

fn name(pair: &[u8]) -> std::borrow::Cow<'_, str> {
    let end = memchr::memchr(b'=', pair).unwrap_or(pair.len());
    String::from_utf8_lossy(pair[..end].trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::fixtures::map;

    fn own(name: &str) -> bool {
        name == "__Host-portcullis" || name.starts_with("__Host-portcullis-flow-")
    }

    fn left(fields: &[(&str, &str)]) -> HeaderMap {
        let mut headers = map(fields);
        strip_request(&mut headers, &own);
        headers
    }

    #[test]
    fn invariant_15_the_session_cookie_never_reaches_the_app() {
        assert_eq!(left(&[("cookie", "a=1; __Host-portcullis=secret; b=2")]), map(&[("cookie", "a=1; b=2")]));
        assert_eq!(left(&[("cookie", "__Host-portcullis=secret")]), HeaderMap::new());
        assert_eq!(
            left(&[("cookie", " __Host-portcullis =s;;a=1;__Host-portcullis=t")]),
            map(&[("cookie", "a=1")])
        );
        assert_eq!(
            left(&[("cookie", "a=1"), ("cookie", "__Host-portcullis-flow-x=s"), ("cookie", "b=\"q\"")]),
            map(&[("cookie", "a=1; b=\"q\"")])
        );
        assert_eq!(left(&[("cookie", "a=1;b=2")]), map(&[("cookie", "a=1;b=2")]));
    }

    #[test]
    fn an_app_cannot_set_the_gateways_cookie() {
        let mut headers = map(&[
            ("set-cookie", "a=1; Path=/"),
            ("set-cookie", "__Host-portcullis=forged; Secure"),
            ("set-cookie", "=__Host-portcullis=forged; Secure"),
            ("set-cookie", " = __Host-portcullis=forged; Secure"),
            ("set-cookie", "b=2"),
        ]);
        strip_response(&mut headers, &own);
        assert_eq!(headers, map(&[("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2")]));
    }
}
