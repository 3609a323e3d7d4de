//! The cookie that carries a session's key (RFC 6265, and `__Host-` of its successor).

use bytes::BytesMut;
use cookie::{Cookie, CookieBuilder, SameSite, time};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::{SessionKey, SessionSettings};

/// The session cookie of one scheme.
#[derive(Clone, Debug)]
pub struct SessionCookie {
    name: String,
    https: bool,
    clear: HeaderValue,
}

/// What a request brought under our cookie's name. That it brought nothing is `None` of the `Option`
/// around this, so that absent and malformed are never mistaken for one another (invariant 3).
#[derive(Clone, Debug)]
pub enum CookieRead {
    /// A well-formed key. Whether it opens anything, the sessions know.
    Key(SessionKey),
    /// Not a key, or several different values: never a reason to let anybody in.
    Malformed,
}

impl SessionCookie {
    /// The cookie named in `settings` (a token of RFC 9110), with `__Host-` where `https`.
    #[must_use]
    pub fn new(settings: &SessionSettings, https: bool) -> Self {
        let prefix =
            if mutant!(https, "session-cookie-of-the-whole-domain" => false) { "__Host-" } else { "" };
        let name = format!("{prefix}{}", settings.cookie_name);
        let clear = header(cookie(&name, "", https).max_age(time::Duration::ZERO));
        Self { name, https, clear }
    }

    /// Its full name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `Set-Cookie` that gives the browser `key`, until the browser closes or the session ends.
    #[must_use]
    pub fn set(&self, key: &SessionKey) -> HeaderValue {
        header(cookie(&self.name, key.to_secret().expose(), self.https))
    }

    /// `Set-Cookie` that takes it away.
    #[must_use]
    pub fn clear(&self) -> HeaderValue {
        self.clear.clone()
    }

    /// What the request brings under our name; `None` where nothing. Allocates nothing.
    #[must_use]
    pub fn read(&self, headers: &HeaderMap) -> Option<CookieRead> {
        let mut values = headers.get_all(COOKIE).iter().flat_map(pairs).filter_map(|pair| self.value(pair));
        let first = values.next()?;
        // Of two values one was planted (cookie tossing), and nobody knows which.
        if mutant!(values.any(|other| other != first), "planted-cookie" => false) {
            return Some(CookieRead::Malformed);
        }
        Some(SessionKey::parse(first).map_or(CookieRead::Malformed, CookieRead::Key))
    }

    /// Removes our cookie, and every one whose name begins with `flow_prefix`, so that no app ever sees
    /// them (invariant 15). All other cookies stay byte for byte.
    pub fn strip(&self, headers: &mut HeaderMap, flow_prefix: &str) {
        let ours = |pair: &[u8]| self.is_ours(pair, flow_prefix.as_bytes());
        let fields = || headers.get_all(COOKIE).iter();
        if !fields().flat_map(pairs).any(ours) {
            return;
        }
        let kept: Vec<_> = fields().filter_map(|value| without(value, ours)).collect();
        headers.remove(COOKIE);
        for value in kept {
            headers.append(COOKIE, value);
        }
    }

    fn value<'a>(&self, pair: &'a [u8]) -> Option<&'a [u8]> {
        let (name, value) = split(pair);
        (name == self.name.as_bytes()).then_some(value)
    }

    fn is_ours(&self, pair: &[u8], flow_prefix: &[u8]) -> bool {
        let (name, _) = split(pair);
        let flow = !flow_prefix.is_empty() && name.starts_with(flow_prefix);
        flow || name == self.name.as_bytes()
    }
}

fn cookie<'a>(name: &'a str, value: &'a str, https: bool) -> CookieBuilder<'a> {
    Cookie::build((name, value))
        .path("/")
        .http_only(mutant!(true, "session-cookie-for-scripts" => false))
        .secure(mutant!(https, "session-cookie-in-clear-text" => false))
        .same_site(mutant!(SameSite::Lax, "session-cookie-from-everywhere" => SameSite::None))
}

#[expect(clippy::expect_used, reason = "a token and base64url; the settings hold no other name")]
fn header(cookie: CookieBuilder<'_>) -> HeaderValue {
    let mut value = HeaderValue::try_from(cookie.build().to_string()).expect("a cookie's name is a token");
    value.set_sensitive(true);
    value
}

/// Names and values of all cookies of a request that are text, as ours are. Cookies are bytes, and browsers send
/// all that are set for a host in one field: one of another app with a byte beyond ASCII hides no other.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let text = |bytes| str::from_utf8(bytes).ok();
    headers.get_all(COOKIE).iter().flat_map(pairs).map(split).filter_map(move |(name, value)| {
        let pair = (text(name)?, text(value)?);
        (!pair.0.is_empty()).then_some(pair)
    })
}

/// The pairs of a `Cookie` field, with the whitespace around them.
fn pairs(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b';')
}

/// Name and value of a pair, trimmed; a pair without `=` is all name.
fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = pair.splitn(2, |byte| *byte == b'=');
    let mut part = || parts.next().unwrap_or_default().trim_ascii();
    (part(), part())
}

/// `value` without the pairs that are `ours`; `None` where nothing is left.
fn without(value: &HeaderValue, ours: impl Fn(&[u8]) -> bool) -> Option<HeaderValue> {
    if !pairs(value).any(&ours) {
        return Some(value.clone());
    }
    let mut kept = BytesMut::with_capacity(value.len());
    for pair in pairs(value).filter(|pair| !ours(pair)) {
        let separator: &[u8] = if kept.is_empty() { b"" } else { b";" };
        kept.extend_from_slice(separator);
        kept.extend_from_slice(if separator.is_empty() { pair.trim_ascii_start() } else { pair });
    }
    let mut left = HeaderValue::from_maybe_shared(kept.freeze()).ok().filter(|left| !left.is_empty())?;
    left.set_sensitive(value.is_sensitive());
    Some(left)
}
