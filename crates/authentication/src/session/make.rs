//! How sessions are made, sealed into the store, and read back.

use std::sync::Arc;

use super::error::StoreFault;
use super::seal::{FamilyKey, Record, digest_at};
use super::sessions::{SessionLookup, SessionsInner};
use super::{
    Inserted, NewSession, Session, SessionError, SessionId, SessionKey, StoreUnavailable, StoredFamily,
    StoredSession,
};
use crate::clock::Timestamp;
use crate::identity::Principal;

/// How often a session is read again because it changed meanwhile.
const ATTEMPTS: usize = 8;

impl SessionsInner {
    pub(super) async fn load(&self, key: &SessionKey) -> SessionLookup {
        for _ in 0..ATTEMPTS {
            // Before the store is read: where the session changes meanwhile, the cache keeps nothing, and it is
            // read again.
            let version = self.cache.version(key.id());
            let Some((family, stored)) = self.store.load(*key.id()).await? else { return Ok(None) };
            let Some((opened, record)) = open(key, &family, &stored) else {
                tracing::warn!(session = %key.id(), "a session record does not open and is ignored");
                return Ok(None);
            };
            let make = || Arc::new(self.assemble(family.last_seen, stored, opened, record));
            if let Some(session) = self.cache.keep(key.id(), version, make) {
                return Ok(self.alive(session));
            }
        }
        Err(StoreUnavailable::new(StoreFault::Contended))
    }

    pub(super) async fn insert(
        &self,
        key: &SessionKey,
        new: NewSession,
    ) -> Result<Arc<Session>, SessionError> {
        let now = self.clock.now();
        match new {
            NewSession::Root { host, principal, tokens, sid } => {
                let expires = now + self.lifetimes.max_age();
                let record = Record { principal, tokens, sid, created: now, expires };
                self.insert_root(key, host, record).await
            }
            NewSession::Child { host, of } => self.insert_child(key, host, &of, now).await,
        }
    }

    async fn insert_root(
        &self,
        key: &SessionKey,
        host: String,
        record: Record,
    ) -> Result<Arc<Session>, SessionError> {
        let (root, opened, now) = (*key.id(), FamilyKey::random(), record.created);
        let sealed = record.seal(&opened, root).ok_or_else(StoreUnavailable::unsealed)?;
        let stored = store_session(key, root, host, now, &opened)?;
        self.store.insert_root(store_family(root, &record, sealed), stored.clone()).await?;
        Ok(Arc::new(self.assemble(now, stored, opened, record)))
    }

    async fn insert_child(
        &self,
        key: &SessionKey,
        host: String,
        of: &Session,
        now: Timestamp,
    ) -> Result<Arc<Session>, SessionError> {
        if !of.lives(now, &self.lifetimes) {
            return Err(SessionError::Ended);
        }
        let stored = store_session(key, of.family(), host, now, &of.key)?;
        match self.store.insert_child(stored).await? {
            // What the family holds now may be newer than what `of` holds.
            Inserted::Done => self.load(key).await?.ok_or(SessionError::Ended),
            Inserted::RootGone => Err(SessionError::Ended),
        }
    }

    pub(super) async fn replace(
        &self,
        key: &SessionKey,
        root: SessionId,
        sealed: Vec<u8>,
    ) -> Result<Arc<Session>, SessionError> {
        if self.families.has_ended(&root) {
            return Err(SessionError::Ended);
        }
        let members = self.store.update_record(root, sealed).await?;
        members.iter().for_each(|id| self.cache.forget(id));
        self.load(key).await?.ok_or(SessionError::Ended)
    }

    fn assemble(
        &self,
        last_seen: Timestamp,
        stored: StoredSession,
        key: FamilyKey,
        record: Record,
    ) -> Session {
        Session {
            id: stored.id,
            root: (stored.root != stored.id).then_some(stored.root),
            host: stored.host,
            principal: record.principal,
            tokens: record.tokens,
            sid: record.sid,
            created: record.created,
            expires: record.expires,
            family: self.families.join(stored.root, stored.id, last_seen),
            key,
        }
    }
}

fn open(key: &SessionKey, family: &StoredFamily, stored: &StoredSession) -> Option<(FamilyKey, Record)> {
    let opened = FamilyKey::unwrap(key, family.root, &stored.host, &stored.family_key)?;
    let record = Record::open(&opened, family.root, &family.record)?;
    Some((opened, record))
}

fn store_family(root: SessionId, record: &Record, sealed: Vec<u8>) -> StoredFamily {
    let Principal { provider, issuer, subject, .. } = &*record.principal;
    StoredFamily {
        root,
        provider: provider.as_str().to_owned(),
        subject: digest_at(issuer, subject.as_str()),
        provider_session: record.sid.as_deref().map(|sid| digest_at(issuer, sid)),
        created: record.created,
        last_seen: record.created,
        expires: record.expires,
        record: sealed,
    }
}

fn store_session(
    key: &SessionKey,
    root: SessionId,
    host: String,
    created: Timestamp,
    opened: &FamilyKey,
) -> Result<StoredSession, StoreUnavailable> {
    let host = host.to_ascii_lowercase();
    let family_key = opened.wrap(key, root, &host).ok_or_else(StoreUnavailable::unsealed)?;
    Ok(StoredSession { id: *key.id(), root, host, created, family_key })
}
