//! The cookie that shows that a browser has lately proved to have the key. Alone it is worth nothing: it says of one session
//! that it may be used for some minutes more, and does not open it.
//!
//! Its value is the second from which it counts no more, and a signature over that and the session, by a key that is made
//! with each binding and stays on the gateway. So it is checked without a question to the store.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::{Cookie, CookieBuilder, SameSite, time};
use http::{HeaderMap, HeaderValue};

use super::{Binding, BindingScope, COOKIE_LIFETIME};
use crate::clock::Timestamp;
use crate::session::{SessionSettings, cookies};

/// How much longer the gateway takes a cookie than the browser keeps it: a request that left with it may be slow.
const LEEWAY: Duration = Duration::from_secs(60);

/// How long the gateway takes it.
pub(super) const GOOD_FOR: Duration = Duration::from_secs(COOKIE_LIFETIME.as_secs() + LEEWAY.as_secs());

/// Values under its name that are looked at: more than a browser keeps cookies of a site (Chrome: 180). A sibling host may
/// plant some beside one of a whole site, one for each folder of a path, and those come first.
const MOST: usize = 200;

const TIME: usize = 8;
const SIGNATURE: usize = 32;

/// The bound cookie of one scheme: what it is called and how it is set.
#[derive(Clone, Debug)]
pub struct BoundCookie {
    of_host: String,
    of_site: String,
    https: bool,
}

/// Why a request shows nothing of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoundCookieFault {
    /// There is no such cookie.
    #[error("it comes without the bound cookie")]
    Missing,
    /// Its time is over.
    #[error("its bound cookie is over")]
    Expired,
    /// It is another session's, or nobody's.
    #[error("its bound cookie is not this session's")]
    Foreign,
}

impl BoundCookieFault {
    /// The word for metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing-cookie",
            Self::Expired => "expired-cookie",
            Self::Foreign => "foreign-cookie",
        }
    }
}

impl BoundCookie {
    /// The one beside the session cookie of these settings.
    #[must_use]
    pub fn new(settings: &SessionSettings, https: bool) -> Self {
        let name = format!("{}_bound", settings.cookie_name);
        let (of_host, of_site) = match https {
            true => (format!("__Host-{name}"), format!("__Secure-{name}")),
            false => (name.clone(), format!("{name}_site")),
        };
        Self { of_host, of_site, https }
    }

    /// Whether a cookie of this name is ours.
    #[must_use]
    pub fn owns(&self, name: &str) -> bool {
        name == self.of_host || name == self.of_site
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self, scope: &BindingScope) -> &str {
        match scope {
            BindingScope::Host => &self.of_host,
            BindingScope::Site(_) => &self.of_site,
        }
    }

    /// Its attributes, but for how long it lasts, as a browser is told of them: those that it is set with.
    #[must_use]
    pub fn attributes(&self, scope: &BindingScope) -> String {
        let written = self.cookie(scope, String::new()).build().to_string();
        written.split_once("; ").map(|(_, attributes)| attributes.to_owned()).unwrap_or_default()
    }

    /// `Set-Cookie` that gives the browser one from `now` on.
    #[must_use]
    pub fn set(&self, binding: &Binding, now: Timestamp) -> HeaderValue {
        let value = binding.cookie_value(now + GOOD_FOR);
        let lifetime = i64::try_from(COOKIE_LIFETIME.as_secs()).unwrap_or(i64::MAX);
        header(self.cookie(&binding.scope, value).max_age(time::Duration::seconds(lifetime)))
    }

    /// `Set-Cookie` that takes that of a host away.
    #[must_use]
    pub fn clear(&self) -> HeaderValue {
        self.clear_of(&BindingScope::Host)
    }

    /// `Set-Cookie` that takes that of `scope` away: where a session is bound for it, its browser then shows the device
    /// anew before it asks again.
    #[must_use]
    pub fn clear_of(&self, scope: &BindingScope) -> HeaderValue {
        header(self.cookie(scope, String::new()).max_age(time::Duration::ZERO))
    }

    /// Until when a request shows the device of `binding`. Of several values any may do so: only the gateway can make one.
    pub(super) fn check(
        &self,
        binding: &Binding,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Timestamp, BoundCookieFault> {
        let name = self.name(&binding.scope);
        let values = cookies(headers).filter(|(other, _)| *other == name).map(|(_, value)| value);
        let mut fault = BoundCookieFault::Missing;
        for value in values.take(mutant!(MOST, "planted-cookies-hide-the-good-one" => 4)) {
            match binding.until(value, now) {
                Ok(until) => return Ok(until),
                Err(other) => fault = other,
            }
        }
        mutant!(Err(fault), "bound-session-by-its-cookie-alone" => Ok(now + COOKIE_LIFETIME))
    }

    fn cookie(&self, scope: &BindingScope, value: String) -> CookieBuilder<'static> {
        let built = Cookie::build((self.name(scope).to_owned(), value))
            .path("/")
            .http_only(true)
            .secure(self.https)
            .same_site(SameSite::Lax);
        match scope {
            BindingScope::Host => built,
            BindingScope::Site(site) => built.domain(site.clone()),
        }
    }
}

impl Binding {
    fn cookie_value(&self, until: Timestamp) -> String {
        let (time, signature) =
            (until.seconds().to_be_bytes(), hmac::sign(&self.cookie_key, &self.signed(until)));
        URL_SAFE_NO_PAD.encode([&time, signature.as_ref()].concat())
    }

    /// Until when a value of the cookie counts.
    fn until(&self, value: &str, now: Timestamp) -> Result<Timestamp, BoundCookieFault> {
        let until = self.opened(value).ok_or(BoundCookieFault::Foreign)?;
        if mutant!(now < until, "bound-cookie-without-end" => true) {
            Ok(until)
        } else {
            Err(BoundCookieFault::Expired)
        }
    }

    fn opened(&self, value: &str) -> Option<Timestamp> {
        let mut bytes = [0; TIME + SIGNATURE];
        let length = URL_SAFE_NO_PAD.decode_slice(value, &mut bytes).ok()?;
        let (time, signature) = bytes.get(..length)?.split_first_chunk::<TIME>()?;
        let until = Timestamp::from_seconds(u64::from_be_bytes(*time));
        let verified = hmac::verify(&self.cookie_key, &self.signed(until), signature);
        mutant!(verified.is_ok(), "bound-cookie-of-anybody" => true).then_some(until)
    }

    fn signed(&self, until: Timestamp) -> [u8; 40] {
        let mut text = [0; 40];
        text[..32].copy_from_slice(self.session.as_bytes());
        text[32..].copy_from_slice(&until.seconds().to_be_bytes());
        text
    }
}

#[expect(clippy::expect_used, reason = "tokens, base64url and a domain; the settings hold no other name")]
fn header(cookie: CookieBuilder<'static>) -> HeaderValue {
    let mut value = HeaderValue::try_from(cookie.build().to_string()).expect("a cookie's name is a token");
    value.set_sensitive(true);
    value
}
