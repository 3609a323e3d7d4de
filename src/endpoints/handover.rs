//! What stays behind in a browser that leaves an app's host to sign in: a secret in a cookie of that host, one for each
//! sign-in, so that whoever comes back with a ticket must be who left (invariant 6). Else somebody could sign in as
//! themselves and lay their ticket in another's browser, who would then work in their name without knowing.

use std::fmt;

use cookie::{Cookie, SameSite, time};
use http::{HeaderMap, HeaderValue};

use super::error::EndpointError;
use crate::secret::{Secret, fingerprint};
use crate::session::cookies;

const NAME: &str = "portcullis-hop-";

/// Where such a cookie goes without TLS; `__Host-` allows no path but `/`.
const PATH: &str = "/.portcullis";

/// A sign-in that has not come back within so long is forgotten.
const LIFETIME: time::Duration = time::Duration::minutes(15);

/// Sign-ins that one browser may have begun at a time on one host.
const MOST: usize = 12;

/// Cookies that are looked at in one request (invariant 14).
const LOOKED_AT: usize = 64;

/// The fingerprint of such a secret: all that the sign-in host and the ticket know of it. It travels in addresses and
/// opens nothing.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct HandoverFingerprint([u8; 32]);

impl HandoverFingerprint {
    /// The fingerprint of `secret`.
    pub(super) fn of(secret: &str) -> Self {
        Self(fingerprint(secret.as_bytes()))
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes().as_chunks::<2>().0;
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits) {
            *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for HandoverFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for HandoverFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names and attributes of these cookies, which are other ones over TLS.
#[derive(Clone, Copy, Debug)]
pub(super) struct HandoverCookies {
    /// Whether people reach the gateway over TLS.
    pub(super) https: bool,
}

impl HandoverCookies {
    /// A fresh secret's fingerprint, and the `Set-Cookie` values that keep the secret and take away what
    /// is too many.
    pub(super) fn begin(
        self,
        headers: &HeaderMap,
    ) -> Result<(HandoverFingerprint, Vec<HeaderValue>), EndpointError> {
        let secret = Secret::random();
        let handover = HandoverFingerprint::of(secret.expose());
        let known: Vec<String> = self.names(headers).collect();
        let surplus =
            known.into_iter().skip(MOST - 1).map(|name| self.cookie(name, "", time::Duration::ZERO));
        let kept = self.cookie(self.name(&handover), secret.expose(), LIFETIME);
        let values = std::iter::once(kept).chain(surplus).map(value).collect::<Result<_, _>>()?;
        Ok((handover, values))
    }

    /// Whether this browser holds the secret of `handover`.
    pub(super) fn holds(self, headers: &HeaderMap, handover: &HandoverFingerprint) -> bool {
        let name = self.name(handover);
        let mut named = cookies(headers).filter(|(known, _)| *known == name).take(LOOKED_AT);
        named.any(|(_, secret)| mutant!(HandoverFingerprint::of(secret) == *handover, "handover-by-its-name" => true))
    }

    /// `Set-Cookie` that takes the secret of `handover` away.
    pub(super) fn clear(self, handover: &HandoverFingerprint) -> Result<HeaderValue, EndpointError> {
        value(self.cookie(self.name(handover), "", time::Duration::ZERO))
    }

    /// Whether the cookie called `name` is one of these.
    pub(super) fn owns(self, name: &str) -> bool {
        name.strip_prefix(self.prefix()).is_some_and(|rest| rest.starts_with(NAME))
    }

    fn names(self, headers: &HeaderMap) -> impl Iterator<Item = String> {
        let names = cookies(headers).map(|(name, _)| name).filter(move |name| self.owns(name));
        names.take(LOOKED_AT).map(str::to_owned)
    }

    const fn prefix(self) -> &'static str {
        if self.https { "__Host-" } else { "" }
    }

    fn name(self, handover: &HandoverFingerprint) -> String {
        let handover = handover.to_string();
        format!("{}{NAME}{}", self.prefix(), handover.get(..8).unwrap_or_default())
    }

    fn cookie(self, name: String, value: &str, age: time::Duration) -> Cookie<'static> {
        Cookie::build((name, value.to_owned()))
            .path(if self.https { "/" } else { PATH })
            .max_age(age)
            .secure(mutant!(self.https, "handover-cookie-in-clear-text" => false))
            .http_only(mutant!(true, "handover-cookie-for-scripts" => false))
            .same_site(SameSite::Lax)
            .build()
    }
}

fn value(cookie: Cookie<'static>) -> Result<HeaderValue, EndpointError> {
    HeaderValue::try_from(cookie.to_string())
        .map_err(|_| EndpointError::Internal("a cookie that cannot be written"))
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    fn sent(values: &[HeaderValue]) -> HeaderMap {
        let pair = |value: &HeaderValue| value.to_str().unwrap().split(';').next().unwrap().to_owned();
        values.iter().map(|value| (header::COOKIE, pair(value).parse().unwrap())).collect()
    }

    #[test]
    fn only_the_browser_that_left_holds_the_secret() {
        let cookies = HandoverCookies { https: true };
        let (handover, values) = cookies.begin(&HeaderMap::new()).unwrap();
        assert!(cookies.holds(&sent(&values), &handover));
        assert!(!cookies.holds(&HeaderMap::new(), &handover));
        let (other, _) = cookies.begin(&HeaderMap::new()).unwrap();
        assert!(!cookies.holds(&sent(&values), &other));
        assert_eq!(HandoverFingerprint::parse(&handover.to_string()), Some(handover));
        assert_eq!(HandoverFingerprint::parse("zz"), None);
        for other_spelling in ["é", "+f", "AB"] {
            assert_eq!(HandoverFingerprint::parse(&other_spelling.repeat(32)), None);
        }
    }

    #[test]
    fn invariant_15_the_secret_is_out_of_reach_of_scripts_and_goes_over_tls_alone() {
        let (_, values) = HandoverCookies { https: true }.begin(&HeaderMap::new()).unwrap();
        let set = values[0].to_str().unwrap();
        assert!(set.starts_with("__Host-"), "{set}");
        for guard in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(set.split("; ").any(|attribute| attribute == guard), "{guard}: {set}");
        }
        assert!(!set.contains("Domain"), "{set}");
    }

    /// The name is no secret: it stands in the address that the browser brings back.
    #[test]
    fn invariant_6_the_name_of_the_cookie_alone_is_not_the_secret() {
        let cookies = HandoverCookies { https: true };
        let (handover, values) = cookies.begin(&HeaderMap::new()).unwrap();
        let pair = sent(&values)[header::COOKIE].to_str().unwrap().to_owned();
        let (name, secret) = pair.split_once('=').unwrap();
        let other = Secret::random();
        for planted in ["", "x", other.expose(), &handover.to_string(), &secret[1..], &format!("{secret}A")] {
            let jar = [(header::COOKIE, format!("{name}={planted}").parse().unwrap())];
            assert!(!cookies.holds(&jar.into_iter().collect(), &handover), "{planted}");
        }
        let both = format!("{name}={}; {pair}", other.expose());
        assert!(cookies.holds(&[(header::COOKIE, both.parse().unwrap())].into_iter().collect(), &handover));
    }

    #[test]
    fn a_browser_keeps_a_bounded_number_of_them() {
        let cookies = HandoverCookies { https: false };
        let mut jar = HeaderMap::new();
        for _ in 0..30 {
            let (_, values) = cookies.begin(&jar).unwrap();
            let cleared: Vec<_> = values
                .iter()
                .skip(1)
                .map(|v| v.to_str().unwrap().split('=').next().unwrap().to_owned())
                .collect();
            let kept = jar
                .get_all(header::COOKIE)
                .iter()
                .filter(|line| !cleared.iter().any(|name| line.to_str().unwrap().starts_with(name.as_str())));
            let kept: Vec<_> = kept.cloned().collect();
            jar = sent(&values[..1]);
            kept.into_iter().for_each(|line| {
                jar.append(header::COOKIE, line);
            });
        }
        assert_eq!(jar.len(), 12);
    }
}
