//! How sessions are made, sealed into the store, and read back.

use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use super::binding::Binding;
use super::card::Card;
use super::error::StoreFault;
use super::seal::{FamilyKey, Record};
use super::sessions::{SessionLookup, SessionsInner};
use super::store::{LateCard, Marks, RecordUpdate, SignInUnderWay, Updated};
use super::{
    ChildInserted, FamilyGrant, Inserted, NewSession, Session, SessionError, SessionId, SessionKey,
    StoreUnavailable, StoredFamily, StoredSession,
};
use crate::clock::Timestamp;

/// How often a session is read again because it changed meanwhile.
pub(super) const ATTEMPTS: usize = 8;

impl SessionsInner {
    pub(super) async fn load(&self, key: &SessionKey) -> SessionLookup {
        for _ in 0..ATTEMPTS {
            // Before the store is read: where the session changes meanwhile, the cache keeps nothing, and it is
            // read again.
            let version = self.cache.version(key.id());
            self.confirmed()?;
            let Some((family, stored)) = self.store.load(*key.id()).await? else { return Ok(None) };
            let Some((opened, made_from, record)) = open(key, &family, &stored) else {
                tracing::warn!(session = %key.id(), "a session record does not open and is ignored");
                return Ok(None);
            };
            self.vouched(&family, &record.card)?;
            let Ok(binding) = Binding::of(&self.keys, &family, &stored) else {
                tracing::warn!(session = %key.id(), "what a session is bound to does not open; the session is ignored");
                return Ok(None);
            };
            self.keep_card(&family, &record.card);
            let row = (family.last_seen, family.version, family.marks);
            let make = || Arc::new(self.assemble(row, stored, (opened, made_from), record, binding));
            if let Some(session) = self.cache.keep(key.id(), version, make) {
                return Ok(self.living(session));
            }
        }
        Err(StoreUnavailable::new(StoreFault::Contended))
    }

    pub(super) async fn insert(
        &self,
        key: &SessionKey,
        new: NewSession,
    ) -> Result<Arc<Session>, SessionError> {
        self.confirmed()?;
        let now = self.clock.now();
        match new {
            NewSession::Root { host, principal, tokens, sid, origin, began } => {
                let expires = now + self.lifetimes.max_age();
                let number = self.next_number(&principal).await?;
                let card = Card { principal, sid, origin, created: now, expires, number };
                self.insert_root(key, host, Record { card, tokens }, began).await
            }
            NewSession::Child { host, of, address } => {
                self.insert_child(key, (host, address), &of, now).await
            }
        }
    }

    async fn insert_root(
        &self,
        key: &SessionKey,
        host: String,
        record: Record,
        began: Timestamp,
    ) -> Result<Arc<Session>, SessionError> {
        let (root, opened, now) = (*key.id(), FamilyKey::random(), record.card.created);
        let address = record.card.origin.address;
        let family = self.store_family(root, &opened, &record).ok_or_else(StoreUnavailable::unsealed)?;
        let stored = store_session(key, root, (host, address), now, &opened)?;
        let digests = record.card.names_under_every_key(&self.keys);
        match self.store.insert_root(family, stored.clone(), SignInUnderWay { began, digests }).await? {
            Inserted::Done => {
                let row = (now, 0, Marks::default());
                Ok(Arc::new(self.assemble(row, stored, (opened, address), record, None)))
            }
            Inserted::EndedBefore => Err(SessionError::Ended),
        }
    }

    async fn insert_child(
        &self,
        key: &SessionKey,
        place: (String, Option<IpAddr>),
        of: &FamilyGrant,
        now: Timestamp,
    ) -> Result<Arc<Session>, SessionError> {
        if self.families.has_ended(&of.root) {
            return Err(SessionError::Ended);
        }
        let stored = store_session(key, of.root, place, now, &of.key)?;
        match self.store.insert_child(stored).await? {
            ChildInserted::Done(gave_way) => {
                gave_way.iter().for_each(|id| self.cache.forget(id));
                // Whether it lives, and by which tokens, the family's record says.
                self.load(key).await?.ok_or(SessionError::Ended)
            }
            ChildInserted::RootGone => Err(SessionError::Ended),
        }
    }

    /// Where somebody else has replaced the record meanwhile, theirs stays: it was made from newer tokens.
    pub(super) async fn replace(
        &self,
        key: &SessionKey,
        update: RecordUpdate,
    ) -> Result<Arc<Session>, SessionError> {
        if self.families.has_ended(&update.root) {
            return Err(SessionError::Ended);
        }
        match self.store.update_record(update).await? {
            Updated::Done(members) => members.iter().for_each(|id| self.cache.forget(id)),
            Updated::Stale => {
                tracing::warn!(session = %key.id(), "somebody else has renewed these tokens meanwhile; theirs stay");
                self.cache.forget(key.id());
            }
            Updated::Gone => return Err(SessionError::Ended),
        }
        self.load(key).await?.ok_or(SessionError::Ended)
    }

    /// What replaces the record of `root`; `None` where it cannot be sealed.
    pub(super) fn update(
        &self,
        (root, version): (SessionId, u32),
        key: &FamilyKey,
        record: &Record,
    ) -> Option<RecordUpdate> {
        Some(RecordUpdate {
            root,
            version,
            record: record.seal(key, root)?,
            card: record.card.seal(&self.keys, root)?,
            digests: record.card.digests(&self.keys)?,
            renewed: 0,
        })
    }

    fn store_family(&self, root: SessionId, key: &FamilyKey, record: &Record) -> Option<StoredFamily> {
        let RecordUpdate { version, record: sealed, card, digests, .. } =
            self.update((root, 0), key, record)?;
        Some(StoredFamily {
            root,
            provider: record.card.principal.provider.as_str().to_owned(),
            digests,
            created: record.card.created,
            last_seen: record.card.created,
            expires: record.card.expires,
            version,
            marks: Marks::default(),
            record: sealed,
            card: Some(card),
            binding: None,
        })
    }

    /// Whether the card says what the record says, where cards vouch for records.
    fn vouched(&self, family: &StoredFamily, card: &Card) -> Result<(), StoreUnavailable> {
        if !mutant!(self.keys.cards_vouch(), "forged-record-opens" => false) {
            return Ok(());
        }
        let kept = family.card.as_ref().and_then(|sealed| Card::open(&self.keys, family.root, sealed));
        if kept.as_ref() == Some(card) {
            return Ok(());
        }
        tracing::error!(
            session = %family.root,
            "no key of `[state] key` vouches for a session in the shared store: somebody has written it there, or \
             gateways have different keys"
        );
        Err(StoreUnavailable::new(StoreFault::Unvouched))
    }

    /// A session that a version before had made gets its card when it is used: until then nobody can find it by its
    /// user name, nor by their address where the version knew of no such way.
    fn keep_card(&self, family: &StoredFamily, card: &Card) {
        let is_found = family.digests.email.is_some() || card.principal.email.is_none();
        if family.card.is_some() && is_found {
            return;
        }
        let sealed = card.seal(&self.keys, family.root).zip(card.digests(&self.keys));
        let Some((card, digests)) = sealed else { return };
        let (store, late) = (Arc::clone(&self.store), LateCard { root: family.root, card, digests });
        tokio::spawn(async move {
            if let Err(error) = store.add_card(late).await {
                tracing::warn!(%error, "the card of a session could not be kept; its next use tries again");
            }
        });
    }

    fn assemble(
        &self,
        (last_seen, version, marks): (Timestamp, u32, Marks),
        stored: StoredSession,
        (key, made_from): (FamilyKey, Option<IpAddr>),
        record: Record,
        binding: Option<Binding>,
    ) -> Session {
        let Record { card, tokens } = record;
        Session {
            used: AtomicBool::new(false),
            words: OnceLock::new(),
            id: stored.id,
            root: (stored.root != stored.id).then_some(stored.root),
            host: stored.host,
            principal: card.principal,
            tokens,
            sid: card.sid,
            created: card.created,
            expires: card.expires,
            origin: card.origin,
            number: card.number,
            made_from,
            version,
            made: stored.created,
            binding: binding.map(Box::new),
            marks,
            family: self.families.join(stored.root, stored.id, last_seen),
            key,
        }
    }
}

fn open(
    key: &SessionKey,
    family: &StoredFamily,
    stored: &StoredSession,
) -> Option<(FamilyKey, Option<IpAddr>, Record)> {
    let (opened, made_from) = FamilyKey::unwrap(key, family.root, &stored.host, &stored.family_key)?;
    let record = Record::open(&opened, family.root, &family.record)?;
    Some((opened, made_from, record))
}

fn store_session(
    key: &SessionKey,
    root: SessionId,
    (host, address): (String, Option<IpAddr>),
    created: Timestamp,
    opened: &FamilyKey,
) -> Result<StoredSession, StoreUnavailable> {
    let host = host.to_ascii_lowercase();
    let family_key = opened.wrap(key, root, &host, address).ok_or_else(StoreUnavailable::unsealed)?;
    Ok(StoredSession { id: *key.id(), root, host, created, family_key, binding: None })
}
