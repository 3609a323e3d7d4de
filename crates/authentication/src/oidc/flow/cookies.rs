//! Flows sealed in the browser, a cookie each: ten tabs are ten flows, and strangers fill no store.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use super::{Flow, SIGN_IN_LIFETIME, state_digest};
use crate::clock::Clock;
use crate::oidc::settings::ResponseMode;
use crate::secret::{SealingKey, Secret};
use crate::session::cookies;

/// The most flows that one browser keeps at the same time; the oldest go first.
const MAX_FLOWS: usize = 10;
/// The most bytes that they take of a request's `Cookie` field: proxies in front of the gateway take 8 KiB for the
/// whole of it, and it is not ours alone.
const MAX_BYTES: usize = 4 * 1024;
/// Flow cookies of one request that are looked at; a browser of ours sends at most [`MAX_FLOWS`].
const MAX_LOOKED_AT: usize = 4 * MAX_FLOWS;
/// Browsers drop cookies of more than 4096 bytes, name and attributes included.
const MAX_COOKIE: usize = 4000;
/// Bytes between two cookies of a field.
const SEPARATOR: usize = 2;
const NAME: &str = "portcullis-flow-";
/// Where the gateway's own endpoints are: without `__Host-` the cookie goes nowhere else.
const OWN_PATH: &str = "/.portcullis";

/// Why a browser's flow is not taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// This browser has no such flow: it was never started here, is finished, or cookies are off.
    #[error("the browser brought no cookie for this state; it did not start this flow, or has finished it")]
    Missing,
    /// The cookie was not sealed by us, under this name, for this host.
    #[error("the flow's cookie is not one that this gateway sealed for this flow and host")]
    Tampered,
    /// The flow is more than 15 minutes old.
    #[error("the flow was started more than {} minutes ago", SIGN_IN_LIFETIME.as_secs() / 60)]
    Expired,
    /// The state is another one's.
    #[error("the state is not the flow's")]
    WrongState,
    /// The flow does not fit a cookie.
    #[error("the flow is too large for a cookie")]
    TooLarge,
}

/// Seals flows into cookies and opens them again.
pub struct FlowCookies {
    key: SealingKey,
    https: bool,
    host: String,
    clock: Clock,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(rename = "h")]
    host: String,
    #[serde(rename = "f")]
    flow: Flow,
}

impl FlowCookies {
    /// Cookies for the sign-in origin at `host`; with `https` they are `__Host-` and `Secure`.
    #[must_use]
    pub fn new(key: SealingKey, https: bool, host: impl Into<String>, clock: Clock) -> Self {
        Self { key, https, host: host.into(), clock }
    }

    /// The `Set-Cookie` values that keep `flow` in the browser, and clear what in `headers` is expired, not
    /// ours, or, the oldest first, one too many.
    ///
    /// # Errors
    /// [`FlowError::TooLarge`].
    pub fn set(&self, headers: &HeaderMap, flow: &Flow) -> Result<Vec<HeaderValue>, FlowError> {
        let name = self.name(&flow.state);
        let sealed = Sealed { host: self.host.clone(), flow: flow.clone() };
        let sealed = self.key.seal_json(name.as_bytes(), &sealed).ok_or(FlowError::TooLarge)?;
        let mut cookie = self.cookie(name.clone(), STANDARD.encode(sealed), SIGN_IN_LIFETIME);
        cookie.set_same_site(same_site(flow.response_mode));
        let cookie = Some(cookie.to_string()).filter(|text| text.len() <= MAX_COOKIE);
        let cookie = cookie.ok_or(FlowError::TooLarge)?;
        let length = cookie.split(';').next().unwrap_or_default().len();
        let mut values = vec![cookie];
        values.extend(
            self.surplus(headers, length).into_iter().filter(|old| *old != name).map(|old| self.cleared(old)),
        );
        Ok(values.into_iter().filter_map(|value| HeaderValue::try_from(value).ok()).collect())
    }

    /// The flow that `state` belongs to, if this browser started it.
    ///
    /// # Errors
    /// Any [`FlowError`] but `TooLarge`.
    pub fn open(&self, headers: &HeaderMap, state: &str) -> Result<Flow, FlowError> {
        let state = state_digest(state);
        let name = self.name(&state);
        let named = cookies(headers).filter(|(known, _)| *known == name).take(MAX_LOOKED_AT);
        // Of several cookies of this name the one that opens counts: another one was planted, and must not hide it.
        let attempts = named.map(|(name, value)| self.unsealed(name, value).ok_or(FlowError::Tampered));
        let flow = attempts.reduce(Result::or).ok_or(FlowError::Missing)??;
        if self.is_expired(&flow) {
            return Err(FlowError::Expired);
        }
        if flow.state != state { Err(FlowError::WrongState) } else { Ok(flow) }
    }

    /// The `Set-Cookie` value that ends the flow of `state`: it is good for one use (invariant 6).
    #[must_use]
    pub fn clear(&self, state: &str) -> HeaderValue {
        HeaderValue::try_from(self.cleared(self.name(&state_digest(state))))
            .unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Whether the cookie called `name` is one of these.
    #[must_use]
    pub fn owns(&self, name: &str) -> bool {
        let bare = if self.https { name.strip_prefix("__Host-") } else { Some(name) };
        bare.is_some_and(|name| name.starts_with(NAME))
    }

    /// Names of what must go for a flow of so many bytes to fit in.
    fn surplus(&self, headers: &HeaderMap, length: usize) -> Vec<String> {
        let ours = cookies(headers).filter(|(name, _)| self.owns(name)).take(MAX_LOOKED_AT);
        let mut dead = Vec::new();
        let mut alive = Vec::new();
        for (name, value) in ours {
            match self.unsealed(name, value).filter(|flow| !self.is_expired(flow)) {
                Some(flow) => alive.push((flow.started, name.to_owned(), name.len() + value.len() + 1)),
                None => dead.push(name.to_owned()),
            }
        }
        alive.sort();
        let (mut flows, mut bytes) = (1, length);
        for (_, name, length) in alive.into_iter().rev() {
            (flows, bytes) = (flows + 1, bytes + length + SEPARATOR);
            if flows > MAX_FLOWS || bytes > MAX_BYTES {
                dead.push(name);
            }
        }
        dead
    }

    fn unsealed(&self, name: &str, value: &str) -> Option<Flow> {
        let sealed: Sealed = self.key.open_json(name.as_bytes(), &STANDARD.decode(value).ok()?)?;
        mutant!(sealed.host == self.host, "flow-of-another-host" => true).then_some(sealed.flow)
    }

    fn is_expired(&self, flow: &Flow) -> bool {
        mutant!(self.clock.now().since(flow.started) >= SIGN_IN_LIFETIME, "flow-without-end" => false)
    }

    fn cleared(&self, name: String) -> String {
        self.cookie(name, String::new(), Duration::ZERO).to_string()
    }

    fn cookie(&self, name: String, value: String, age: Duration) -> Cookie<'static> {
        let seconds = i64::try_from(age.as_secs()).unwrap_or_default();
        Cookie::build((name, value))
            .path(if self.https { "/" } else { OWN_PATH })
            .max_age(cookie::time::Duration::seconds(seconds))
            .secure(self.https)
            .http_only(mutant!(true, "flow-cookie-for-scripts" => false))
            .same_site(SameSite::Lax)
            .build()
    }

    /// The cookie's name for a state of this digest.
    fn name(&self, digest: &Secret) -> String {
        let prefix = if self.https { "__Host-" } else { "" };
        format!("{prefix}{NAME}{}", digest.expose().get(..8).unwrap_or_default())
    }

    pub(super) const fn key(&self) -> &SealingKey {
        &self.key
    }
}

/// Whether other sites' requests bring the cookie: only where the response is posted, for a form that another
/// site's page posts brings no `Lax` cookie along. What that opens is small: the cookie tells nobody anything, and
/// finishes the flow of its own state alone, once (invariant 6).
fn same_site(response_mode: ResponseMode) -> SameSite {
    match response_mode {
        ResponseMode::Query => mutant!(SameSite::Lax, "flow-cookie-from-everywhere" => SameSite::None),
        ResponseMode::FormPost => SameSite::None,
    }
}

impl std::fmt::Debug for FlowCookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowCookies")
            .field("https", &self.https)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
