//! Binding sessions, and renewing what shows it. Both are asked for without the session's cookie: a browser may leave it out
//! of a request that another site's page began, and what counts is the proof.

use std::sync::Arc;

use super::challenge::{Challenge, ChallengeFault, ChallengeKind};
use super::{Binding, BindingRecord, BindingScope, DeviceKey, MOST_HOSTS, UnreadableBinding};
use crate::clock::Timestamp;
use crate::session::sessions::{SessionsInner, completed};
use crate::session::store::{Bound, NewBinding};
use crate::session::{Session, SessionId, Sessions, StoreUnavailable, StoredSelector};

/// A living session that was found by its identifier.
#[derive(Debug)]
pub struct FoundSession {
    /// Its identifier.
    pub id: SessionId,
    /// The host of its cookie.
    pub host: String,
    /// What it is bound to.
    pub binding: Result<Option<Binding>, UnreadableBinding>,
}

/// What became of a registration.
#[derive(Debug)]
pub enum Registered {
    /// The session is bound.
    Bound(Box<Binding>),
    /// It was bound before; that key stays.
    Already,
    /// As many hosts of its site are bound as may be; it stays unbound.
    TooMany,
    /// It has ended.
    Ended,
}

impl Sessions {
    /// What the browser of `session` is to sign in order to bind it.
    #[must_use]
    pub fn registration_challenge(&self, session: &Session) -> String {
        let challenge = Challenge { session: session.id, version: 0 };
        self.0.keys.challenges().make(ChallengeKind::Registration, challenge, self.0.clock.now())
    }

    /// What the browser of `binding` is to sign for its next cookie.
    #[must_use]
    pub fn refresh_challenge(&self, binding: &Binding) -> String {
        let challenge = Challenge { session: binding.session, version: binding.version };
        self.0.keys.challenges().make(ChallengeKind::Refresh, challenge, self.0.clock.now())
    }

    /// Reads what somebody has signed.
    ///
    /// # Errors
    /// It is no challenge of ours for this, or too old.
    pub fn read_challenge(&self, kind: ChallengeKind, text: &str) -> Result<Challenge, ChallengeFault> {
        self.0.keys.challenges().read(kind, text, self.0.clock.now())
    }

    /// The living session of this identifier. Nothing of it opens by that, and it is no use of it.
    ///
    /// # Errors
    /// The store is away.
    pub async fn find_by_id(&self, id: SessionId) -> Result<Option<FoundSession>, StoreUnavailable> {
        let inner = &self.0;
        let Some((family, session)) = inner.store.load(id).await? else { return Ok(None) };
        let living = inner.families.join(family.root, id, family.last_seen);
        if !living.lives(family.created, family.expires, inner.clock.now()) {
            return Ok(None);
        }
        let binding = Binding::of(&inner.keys, &family, &session);
        Ok(Some(FoundSession { id, host: session.host, binding }))
    }

    /// Hosts of the site of `session` that are bound in its family, its own aside.
    ///
    /// # Errors
    /// The store is away.
    pub async fn has_room_to_bind(&self, session: &Session) -> Result<bool, StoreUnavailable> {
        let root = session.family();
        let family = self.0.store.find(StoredSelector::Ids(root, root), None, 1).await?;
        let site = site_of(&session.host);
        let sessions = family.iter().flat_map(|family| {
            family.sessions.iter().filter(|(id, _)| family.bound.contains(id)).map(|(_, host)| host)
        });
        let others: std::collections::BTreeSet<_> =
            sessions.filter(|host| **host != session.host && site_of(host) == site).collect();
        Ok(others.len() < MOST_HOSTS as usize)
    }

    /// Binds the session to a key whose holder has signed a challenge of ours for it. Completes even where the caller goes
    /// away.
    ///
    /// # Errors
    /// The store is away; nothing has changed then.
    pub async fn bind(
        &self,
        session: &FoundSession,
        scope: BindingScope,
        key: DeviceKey,
    ) -> Result<Registered, StoreUnavailable> {
        let (inner, id, site) = (Arc::clone(&self.0), session.id, site_of(&session.host).to_owned());
        completed(async move { inner.bind(id, site, scope, key).await }).await
    }

    /// Counts a proof that was made for this version of a binding. What it is afterwards; `None` where another proof was
    /// counted meanwhile: then this one is a replay, or came second.
    ///
    /// # Errors
    /// The store is away; nothing has changed then.
    pub async fn renew_binding(
        &self,
        binding: Binding,
        challenge: Challenge,
    ) -> Result<Option<Binding>, StoreUnavailable> {
        let version = challenge.version;
        if mutant!(version != binding.version || challenge.session != binding.session, "proof-counts-twice" => false)
        {
            return Ok(None);
        }
        let counted = self.0.store.count_proof(binding.session, binding.version).await?;
        let counted = mutant!(counted, "proof-counted-by-nobody" => true);
        Ok(counted.then(|| Binding { version: binding.version + 1, ..binding }))
    }
}

impl SessionsInner {
    async fn bind(
        &self,
        id: SessionId,
        site: String,
        scope: BindingScope,
        key: DeviceKey,
    ) -> Result<Registered, StoreUnavailable> {
        let record = BindingRecord::new(key, self.clock.now(), scope);
        let sealed = record.seal(&self.keys, id).ok_or_else(StoreUnavailable::unsealed)?;
        let new = NewBinding { session: id, site, most: MOST_HOSTS, record: sealed };
        Ok(match self.store.bind(new).await? {
            Bound::Done(members) => {
                mutant!(members.iter().for_each(|id| self.cache.forget(id)), "binding-unseen" => ());
                Registered::Bound(Box::new(record.into_binding(id, 0)))
            }
            Bound::Already => Registered::Already,
            Bound::TooMany => Registered::TooMany,
            Bound::Gone => Registered::Ended,
        })
    }
}

impl Session {
    /// What it is bound to.
    #[must_use]
    pub fn binding(&self) -> Option<&Binding> {
        self.binding.as_deref()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.family.terms.clock.now()
    }
}

/// What hosts are counted by whose bindings a browser counts together: their last two labels. Where a public suffix has
/// two of its own (`co.uk`) that is more hosts than the browser counts, and never fewer.
#[must_use]
pub fn site_of(host: &str) -> &str {
    let address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    let second = host.rmatch_indices('.').nth(1).filter(|_| !address);
    second.map_or(host, |(dot, _)| &host[dot + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_counted_by_their_last_two_labels() {
        for (host, site) in [
            ("wiki.corp.example", "corp.example"),
            ("corp.example", "corp.example"),
            ("a.b.corp.example", "corp.example"),
            ("wiki.localhost", "wiki.localhost"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(site_of(host), site);
        }
    }
}
