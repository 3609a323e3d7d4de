//! What a connection remembers of its last credential, so that the next request with the same one need not be read
//! again.
//!
//! A connection remembers *nobody*, somebody who came *once*, or somebody who came *again*. Each request moves it:
//! - One with a good credential moves it to *once*; to *again*, where the last request had the same one. Only then
//!   its field is copied.
//! - One without a good credential, or with one that another field brings, moves it to *nobody*.
//!
//! What is remembered saves the reading and decides nothing. Where a session is bound to a device, the same field holds the
//! cookie that shows it, and until when. What is remembered holds for the same field, byte for byte, and under the
//! configuration that found it out; and each time the caches behind it are asked whether the token or the session is still
//! good.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use zeroize::Zeroizing;

use super::accept::{Accept, Accepted};
use super::authenticate::Authenticator;
use super::authentication::{Authentication, AuthenticationError, OpenedSession};
use super::authorization::{Authorization, PORTCULLIS_AUTHORIZATION};
use super::bearer::CachedToken;
use super::carrier::Carrier;
use super::request_view::RequestView;
use crate::request::{only, single};
use crate::session::{CachedSession, Possession, SessionKey};

/// The longest field that is remembered, in bytes: every connection may remember one (invariant 14).
const MAX_FIELD: usize = 4 * 1024;

/// The state of one connection (see above).
#[derive(Default)]
pub(super) struct LastCredential(Mutex<Remembered>);

#[derive(Default)]
enum Remembered {
    #[default]
    Nobody,
    /// Came once: the address of its principal or session in memory. It is compared and never followed.
    Once(usize),
    /// Came twice in a row, and so is worth a copy.
    Again {
        field: Zeroizing<Box<[u8]>>,
        whose: Whose,
        /// The authenticator that found it out: with another configuration, issuers, settings and the cookie's name
        /// may be others.
        by: Arc<()>,
    },
}

enum Whose {
    Bearer(CachedToken),
    Session(SessionKey, CachedSession, Possession),
}

impl Authenticator {
    /// The same as [`Authenticator::authenticate`], for a connection that may bring the same credential again.
    ///
    /// # Errors
    /// As [`Authenticator::authenticate`].
    pub async fn recognize(
        &self,
        accept: Accept,
        request: &RequestView<'_>,
    ) -> Result<Authentication, AuthenticationError> {
        // Of two fields neither says alone whose a request is.
        if accept.tokens() && request.headers.contains_key(PORTCULLIS_AUTHORIZATION) {
            return self.authenticate(accept, request).await;
        }
        let last = request.transport.cache.extension(LastCredential::default);
        if let Some(known) = last.and_then(|last| self.recall(last, accept, request)) {
            return Ok(known);
        }
        let found = self.authenticate(accept, request).await?;
        last.iter().for_each(|last| self.note(last, request.headers, &found));
        Ok(found)
    }

    /// Whose this very field is, as far as that still is right.
    fn recall(
        &self,
        last: &LastCredential,
        accept: Accept,
        request: &RequestView<'_>,
    ) -> Option<Authentication> {
        let headers = request.headers;
        // A token decides alone where tokens are accepted, a bad one too (invariant 3).
        let authorization = accept.tokens().then(|| headers.get_all(AUTHORIZATION));
        let authorization = authorization.filter(|fields| fields.iter().next().is_some());
        let tokens = authorization.is_some();
        let field = only(authorization.unwrap_or_else(|| headers.get_all(COOKIE)))?.as_bytes();
        last.recall(&self.itself, field, |whose| match whose {
            Whose::Bearer(token) if tokens && accept.has(Accepted::Bearer) => {
                let verified = self.counters.token.count(Some(self.bearer.recall(token)?))?;
                Some(Authentication::of_token(verified, Carrier::Bearer))
            }
            Whose::Session(key, session, shown) if !tokens && accept.has(Accepted::Session) => {
                self.cookies.recall(key.clone(), (session, *shown), request.host(), &self.counters)
            }
            Whose::Bearer(_) | Whose::Session(..) => None,
        })
    }

    #[cfg(test)]
    pub(super) fn recalls(&self, accept: Accept, request: &RequestView<'_>) -> bool {
        let last = request.transport.cache.extension(LastCredential::default);
        last.is_some_and(|last| self.recall(last, accept, request).is_some())
    }

    fn note(&self, last: &LastCredential, headers: &HeaderMap, found: &Authentication) {
        let Some(somebody) = found.authenticated() else { return last.forget() };
        match (&somebody.carrier, &somebody.session) {
            (Carrier::Bearer, None) => {
                last.note(&self.itself, Arc::as_ptr(&somebody.principal).addr(), || {
                    let Authorization::Bearer(token) = Authorization::of(headers) else { return None };
                    let token = self.bearer.remembered(token)?;
                    Some((single(headers, &AUTHORIZATION)?.as_bytes(), Whose::Bearer(token)))
                });
            }
            (Carrier::Cookie, Some(OpenedSession { key, session })) => {
                last.note(&self.itself, Arc::as_ptr(session).addr(), || {
                    let session = self.cookies.recalled(key)?;
                    let whose = Whose::Session(key.clone(), session, somebody.possession);
                    Some((single(headers, &COOKIE)?.as_bytes(), whose))
                });
            }
            // None of these is carried by the one field that is compared.
            (Carrier::Bearer | Carrier::Cookie | Carrier::Basic(_) | Carrier::Beside(_), _) => {
                last.forget();
            }
        }
    }
}

impl LastCredential {
    fn recall<T>(&self, asker: &Arc<()>, field: &[u8], ask: impl FnOnce(&Whose) -> Option<T>) -> Option<T> {
        match &*self.last() {
            Remembered::Again { field: known, whose, by }
                if mutant!(Arc::ptr_eq(by, asker), "recent-outlives-configuration" => true)
                    && same(known, field) =>
            {
                ask(whose)
            }
            Remembered::Again { .. } | Remembered::Once(_) | Remembered::Nobody => None,
        }
    }

    /// Remembers what lies at `place` once it comes twice in a row. Of requests that are everybody's in turn
    /// nothing is copied.
    fn note<'a>(&self, by: &Arc<()>, place: usize, make: impl FnOnce() -> Option<(&'a [u8], Whose)>) {
        let mut last = self.last();
        let again = matches!(*last, Remembered::Once(before) if before == place);
        let made = again.then(make).flatten().filter(|(field, _)| field.len() <= MAX_FIELD);
        *last = match made {
            Some((field, whose)) => {
                Remembered::Again { field: Zeroizing::new(field.into()), whose, by: Arc::clone(by) }
            }
            None => Remembered::Once(place),
        };
    }

    /// Whoever has ended, or is another, need not be kept in memory.
    fn forget(&self) {
        *self.last() = Remembered::Nobody;
    }

    fn last(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Byte for byte, and without a way out before the end: the compiler takes many bytes at a time, and where a
/// proxy's connection brings requests of several people, none learns from the time how much of another's
/// token was guessed.
fn same(known: &[u8], field: &[u8]) -> bool {
    let differ = || known.iter().zip(field).fold(0, |differ, (a, b)| differ | (a ^ b));
    mutant!(
        known.len() == field.len() && differ() == 0,
        "recent-token-by-its-beginning" => known.get(..32) == field.get(..32),
    )
}

impl fmt::Debug for LastCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LastCredential(…)")
    }
}
