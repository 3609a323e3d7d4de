//! What a person's consent turned into: codes, and grants that tokens belong to.
//!
//! A code is *fresh*, then *used*, and forgotten after its minute. Whoever presents it uses it up; used once more,
//! it ends the grant that it became. A grant lasts for twelve hours at most. At any time one refresh token of it is
//! good, which each use replaces; an older one ends the grant (RFC 9700, section 4.14.2). Signing out ends the
//! grants of the session, but for those with `offline_access`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::authorization::AuthorizationRequest;
use super::browser::Session;
use super::fault::Fault;
use super::scope::Scope;
use crate::bounded::Bounded;
use portcullis_rules::clock::Clock;
use portcullis_rules::secret::Secret;

/// A code must be redeemed within a minute.
const CODE: Duration = Duration::from_secs(60);

/// A grant ends after so long, refreshed or not.
const GRANT: Duration = Duration::from_secs(12 * 3600);

/// An authorization code stands for this (RFC 6749, section 4.1.2).
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) request: Arc<AuthorizationRequest>,
    pub(super) session: Session,
}

/// What tokens are made from.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// Names the grant.
    pub(super) id: String,
    pub(super) request: Arc<AuthorizationRequest>,
    pub(super) session: Session,
    /// The only refresh token that is good now.
    refresh: Secret,
}

/// All codes and grants.
pub(super) struct Grants {
    codes: Bounded<Issued>,
    grants: Bounded<Grant>,
}

/// A code stays known for its minute, so that a second use is noticed.
enum Issued {
    Fresh(Code),
    Used {
        /// The grant it became, if it became one.
        grant: Option<String>,
    },
}

impl Grants {
    pub(super) fn new(clock: &Clock) -> Self {
        Self { codes: Bounded::new(4096, clock), grants: Bounded::new(4096, clock) }
    }

    /// Hands out a code.
    pub(super) fn issue_code(&self, code: Code) -> Secret {
        let number = Secret::random();
        self.codes.put(number.expose(), CODE, Issued::Fresh(code));
        number
    }

    /// Takes a code in, once: whoever presents it, and whether it suits them or not, it is used up. A
    /// second use ends what the first one led to, for one of the two was a thief's (section 4.1.2).
    pub(super) fn redeem(
        &self,
        number: &str,
        suits: impl FnOnce(&Code) -> Result<(), Fault>,
    ) -> Result<Grant, Fault> {
        let outcome =
            self.codes.with(number, |issued| match std::mem::replace(issued, Issued::Used { grant: None }) {
                Issued::Fresh(code) => {
                    suits(&code)?;
                    let grant = self.begin(code);
                    *issued = Issued::Used { grant: Some(grant.id.clone()) };
                    Ok(grant)
                }
                Issued::Used { grant } => {
                    grant.into_iter().for_each(|id| self.revoke(&id));
                    Err(Fault::invalid_grant("the code was used already"))
                }
            });
        outcome.unwrap_or(Err(Fault::invalid_grant("no such code, or it is older than a minute")))
    }

    fn begin(&self, Code { request, session }: Code) -> Grant {
        let id = Secret::random().expose().to_owned();
        let grant = Grant { id: id.clone(), request, session, refresh: Secret::random() };
        self.grants.put(&id, GRANT, grant.clone());
        grant
    }

    /// Takes a refresh token in and puts another in its place (RFC 9700, section 4.14.2). One that is not
    /// good any more ends the grant: somebody has a copy.
    pub(super) fn refresh(
        &self,
        token: &str,
        suits: impl FnOnce(&Grant) -> Result<(), Fault>,
    ) -> Result<Grant, Fault> {
        let unknown = Fault::invalid_grant("no such refresh token, or it has ended");
        let (id, secret) = token.split_once('.').ok_or(unknown)?;
        let found = self.grants.with(id, |grant| {
            suits(grant)?;
            let good = grant.refresh == Secret::new(secret);
            grant.refresh = Secret::random();
            Ok(good.then(|| grant.clone()))
        });
        found.ok_or(unknown)??.ok_or_else(|| {
            self.revoke(id);
            Fault::invalid_grant("the refresh token was used already; the grant has ended")
        })
    }

    /// Whether the grant still stands.
    pub(super) fn find(&self, id: &str) -> Option<Grant> {
        self.grants.get(id)
    }

    /// The grant of a refresh token that is good now.
    pub(super) fn by_refresh_token(&self, token: &str) -> Option<Grant> {
        let (id, secret) = token.split_once('.')?;
        self.find(id).filter(|grant| grant.refresh == Secret::new(secret))
    }

    /// Ends a grant.
    pub(super) fn revoke(&self, id: &str) {
        self.grants.take(id);
    }

    /// Ends what hangs on a session; only what was granted for times of absence goes on (OpenID Connect
    /// Core 1.0, section 11).
    pub(super) fn end_session(&self, session: &str) {
        let offline = |grant: &Grant| grant.request.scopes.contains(Scope::OfflineAccess);
        self.grants.retain(|grant| grant.session.id != session || offline(grant));
    }
}

impl Grant {
    /// The refresh token that is good now.
    pub(super) fn refresh_token(&self) -> Secret {
        Secret::new(format!("{}.{}", self.id, self.refresh.expose()))
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grants({:?}, {:?})", self.codes, self.grants)
    }
}
