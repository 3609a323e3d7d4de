//! What the provider is made of and remembers: the state that its endpoints share.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use url::Url;

use super::browser::{self, FormGuard, Session};
use super::clients::Clients;
use super::grants::Grants;
use super::interaction::Interaction;
use super::people::{Person, people};
use super::scope::Scopes;
use super::signer::Signer;
use super::throttle::Throttle;
use crate::bounded::Bounded;
use crate::configuration::console_url;
use portcullis_rules::clock::Clock;
use portcullis_rules::secret::{Secret, random_bytes};

/// The provider.
#[derive(Debug)]
pub(crate) struct Provider {
    /// Its issuer identifier: its origin.
    pub(crate) issuer: String,
    /// Where its only relying party is.
    pub(super) gateway: Url,
    /// Where its relying party may lead people on to.
    pub(super) console: Url,
    /// Whom its access tokens are for.
    pub(crate) audience: String,
    /// Who can sign in.
    pub(crate) people: Vec<Arc<Person>>,
    /// Its clients.
    pub(crate) clients: Clients,
    pub(super) clock: Clock,
    pub(super) signer: Signer,
    pub(super) forms: FormGuard,
    pub(super) throttle: Throttle,
    pub(super) sessions: Bounded<Session>,
    pub(super) interactions: Bounded<Interaction>,
    pub(super) consents: Bounded<Scopes>,
    pub(super) grants: Grants,
}

impl Provider {
    /// How long sessions and consents last.
    pub(super) const REMEMBERED: Duration = Duration::from_secs(12 * 3600);

    /// A provider at the origin `issuer` for the gateway at `gateway`.
    ///
    /// # Errors
    /// Where no key can be made.
    pub(crate) fn new(issuer: String, gateway: &Url, clock: Clock) -> io::Result<Self> {
        Ok(Self {
            signer: Signer::generate(&issuer).map_err(io::Error::other)?,
            forms: FormGuard::new(&issuer),
            audience: format!("{gateway}api"),
            people: people(),
            clients: Clients::new(gateway),
            gateway: gateway.clone(),
            console: console_url(gateway),
            throttle: Throttle::new(clock.clone()),
            sessions: Bounded::new(1024, &clock),
            interactions: Bounded::new(4096, &clock),
            consents: Bounded::new(64, &clock),
            grants: Grants::new(&clock),
            issuer,
            clock,
        })
    }

    /// The session that the browser's cookie opens.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<Session> {
        self.sessions.get(browser::session_key(headers)?.expose())
    }

    /// A session under a new key. Who signs in again goes on with the session they had; somebody else's ends.
    pub(super) fn begin_session(&self, headers: &HeaderMap, person: Arc<Person>) -> (Secret, Session) {
        let id = match self.session(headers).filter(|session| session.person == person) {
            Some(session) => session.id,
            None => random_id(),
        };
        self.forget_key(headers)
            .into_iter()
            .filter(|old| old.id != id)
            .for_each(|old| self.grants.end_session(&old.id));
        let session = Session { id, person, auth_time: self.clock.now() };
        let key = Secret::random();
        self.sessions.put(key.expose(), Self::REMEMBERED, session.clone());
        (key, session)
    }

    fn forget_key(&self, headers: &HeaderMap) -> Option<Session> {
        self.sessions.take(browser::session_key(headers)?.expose())
    }

    /// Ends the browser's session and what hangs on it.
    pub(super) fn forget_session(&self, headers: &HeaderMap) {
        self.forget_key(headers).into_iter().for_each(|session| self.grants.end_session(&session.id));
    }
}

/// 128 random bits in hexadecimal digits: they name a session or a token, and open nothing.
pub(super) fn random_id() -> String {
    random_bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}
