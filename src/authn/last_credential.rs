//! What a connection's requests have in common: whose they are.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use zeroize::Zeroizing;

use super::bearer::CachedToken;
use super::{
    Accept, Authentication, AuthenticationError, Authenticator, Carrier, Credential,
    PORTCULLIS_AUTHORIZATION, credential,
};
use crate::request::{ConnectionCache, only, single};
use crate::session::{CachedSession, SessionKey};

/// The longest field that is remembered, in bytes: every connection may remember one (invariant 14).
const MAX_FIELD: usize = 4 * 1024;

/// What the last request of a connection showed, and whose it was. It saves the reading of what was read before and
/// decides nothing: whether a token or a session is still good is asked each time, as the caches behind it
/// are asked.
#[derive(Default)]
pub(super) struct LastCredential(Mutex<Last>);

#[derive(Default)]
enum Last {
    #[default]
    Nobody,
    /// Came once: where its answer lies. Kept in case that it comes again, not to be followed.
    Once(usize),
    /// Came twice in a row, and so is worth a copy.
    Again {
        field: Zeroizing<Box<[u8]>>,
        whose: Whose,
        /// Who found that out: with another configuration, issuers, settings and the cookie's name may be others.
        by: Arc<()>,
    },
}

enum Whose {
    Bearer(CachedToken),
    Session(SessionKey, CachedSession),
}

impl Authenticator {
    /// The same as [`Authenticator::authenticate`], for a request of the connection that `cache` belongs to.
    ///
    /// # Errors
    /// As there.
    pub async fn recognize(
        &self,
        cache: &ConnectionCache,
        accept: Accept,
        host: &str,
        headers: &HeaderMap,
    ) -> Result<Authentication, AuthenticationError> {
        // Of two fields neither says alone whose a request is.
        if accept.tokens() && headers.contains_key(PORTCULLIS_AUTHORIZATION) {
            return self.authenticate(accept, host, headers).await;
        }
        let recent = cache.extension(LastCredential::default);
        if let Some(known) = recent.and_then(|recent| self.recall(recent, accept, host, headers)) {
            return Ok(known);
        }
        let found = self.authenticate(accept, host, headers).await?;
        recent.iter().for_each(|recent| self.note(recent, headers, &found));
        Ok(found)
    }

    /// Whose this very field is, as far as that still is right.
    fn recall(
        &self,
        recent: &LastCredential,
        accept: Accept,
        host: &str,
        headers: &HeaderMap,
    ) -> Option<Authentication> {
        // A token decides alone where tokens are accepted, a bad one too (invariant 3).
        let authorization = accept.tokens().then(|| headers.get_all(AUTHORIZATION));
        let authorization = authorization.filter(|fields| fields.iter().next().is_some());
        let tokens = authorization.is_some();
        let field = only(authorization.unwrap_or_else(|| headers.get_all(COOKIE)))?.as_bytes();
        recent.recall(&self.itself, field, |whose| match whose {
            Whose::Bearer(token) if tokens && accept.bearer => self.recall_token(token),
            Whose::Session(key, session) if !tokens && accept.session => {
                self.recall_session(key.clone(), session, host)
            }
            Whose::Bearer(_) | Whose::Session(..) => None,
        })
    }

    #[cfg(test)]
    pub(super) fn recalls(
        &self,
        cache: &ConnectionCache,
        accept: Accept,
        host: &str,
        headers: &HeaderMap,
    ) -> bool {
        cache
            .extension(LastCredential::default)
            .is_some_and(|it| self.recall(it, accept, host, headers).is_some())
    }

    fn note(&self, recent: &LastCredential, headers: &HeaderMap, found: &Authentication) {
        match found {
            Authentication::Bearer(verified, Carrier::Bearer) => {
                recent.note(&self.itself, Arc::as_ptr(verified).addr(), || {
                    let Credential::Bearer(token) = credential(headers) else { return None };
                    Some((
                        single(headers, &AUTHORIZATION)?.as_bytes(),
                        Whose::Bearer(self.remembered(token)?),
                    ))
                })
            }
            Authentication::Session(key, session) => {
                recent.note(&self.itself, Arc::as_ptr(session).addr(), || {
                    Some((
                        single(headers, &COOKIE)?.as_bytes(),
                        Whose::Session(key.clone(), self.recalled(key)?),
                    ))
                })
            }
            Authentication::Anonymous
            | Authentication::Ended
            | Authentication::Bearer(_, Carrier::Basic(_) | Carrier::Beside(_)) => recent.forget(),
        }
    }
}

impl LastCredential {
    fn recall<T>(&self, asker: &Arc<()>, field: &[u8], ask: impl FnOnce(&Whose) -> Option<T>) -> Option<T> {
        match &*self.last() {
            Last::Again { field: known, whose, by }
                if mutant!(Arc::ptr_eq(by, asker), "recent-outlives-configuration" => true)
                    && same(known, field) =>
            {
                ask(whose)
            }
            Last::Again { .. } | Last::Once(_) | Last::Nobody => None,
        }
    }

    /// Remembers what lies at `place` once it comes twice in a row. Of requests that are everybody's in turn
    /// nothing is copied.
    fn note<'a>(&self, by: &Arc<()>, place: usize, make: impl FnOnce() -> Option<(&'a [u8], Whose)>) {
        let mut last = self.last();
        let again = matches!(*last, Last::Once(before) if before == place);
        let made = again.then(make).flatten().filter(|(field, _)| field.len() <= MAX_FIELD);
        *last = match made {
            Some((field, whose)) => {
                Last::Again { field: Zeroizing::new(field.into()), whose, by: Arc::clone(by) }
            }
            None => Last::Once(place),
        };
    }

    /// Whoever has ended, or is another, need not be kept in memory.
    fn forget(&self) {
        *self.last() = Last::Nobody;
    }

    fn last(&self) -> MutexGuard<'_, Last> {
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
        f.write_str("Recent(…)")
    }
}
