//! Sessions seen and ended without their cookies: by an administrator, by their person from another session, or because a
//! provider says so.

use std::sync::Arc;
use std::time::Duration;

use super::card::Card;
use super::end_cause::EndCause;
use super::sessions::{SessionsInner, completed};
use super::state_keys::{Name, StateKeys};
use super::store::{RememberedEnd, StoredOverview};
use super::{Selector, SessionId, Sessions, StoreUnavailable};
use crate::clock::Timestamp;

/// Sign-ins that are ended in one step, between which other operations of the store run.
pub(super) const ENDED_AT_ONCE: u32 = 50;

/// How long an end is remembered for sign-ins that were under way: longer than any of them may take, with room for
/// replicas that lag behind.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Whether a sign-in that was found is meant.
type Includes = dyn Fn(&SessionOverview) -> bool + Send + Sync;

/// A sign-in as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionOverview {
    /// The root session, which stands for the sign-in.
    pub id: SessionId,
    /// The provider's configured name.
    pub provider: String,
    /// When the person signed in.
    pub created: Timestamp,
    /// When any of its sessions was last used, as far as written.
    pub last_seen: Timestamp,
    /// When it ends whatever happens.
    pub expires: Timestamp,
    /// Who signed in, and from where; `None` where a version before made it and it has not been used since, or where
    /// the key that sealed it is no longer in `[state] key`.
    pub card: Option<Card>,
    /// Its sessions, and the host of each.
    pub sessions: Vec<(SessionId, String)>,
    /// Those of them that are bound to a device.
    pub bound: Vec<SessionId>,
}

impl SessionOverview {
    pub(super) fn open(stored: StoredOverview, keys: &StateKeys) -> Self {
        let StoredOverview { root, provider, created, last_seen, expires, card, sessions, bound } = stored;
        let card = card.and_then(|sealed| Card::open(keys, root, &sealed));
        Self { id: root, provider, created, last_seen, expires, card, sessions, bound }
    }
}

impl Sessions {
    /// Sign-ins that `selector` finds, in the order of their identifiers, from behind `after` on; at most `limit`. Some
    /// may be over and not yet removed.
    ///
    /// # Errors
    /// The store is away.
    pub async fn list(
        &self,
        selector: &Selector,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionOverview>, StoreUnavailable> {
        let found = self.0.store.find(selector.stored(&self.0.keys), after, limit).await?;
        Ok(found.into_iter().map(|stored| SessionOverview::open(stored, &self.0.keys)).collect())
    }

    /// Ends every sign-in that `selector` finds: gone from memory, streams cut, removed from the store.
    /// Whose they were is remembered for an hour: a sign-in of theirs that began before now makes no session. So is a
    /// subject or a provider's session that nobody is found of. Completes even where the caller goes away. Answers how
    /// many sign-ins have ended.
    ///
    /// # Errors
    /// The store is away: some may have ended, or all of them and the memory of it was not kept; the call is to be
    /// repeated.
    pub async fn end_matching(
        &self,
        selector: Selector,
        cause: impl Into<EndCause>,
    ) -> Result<usize, StoreUnavailable> {
        let (inner, cause) = (Arc::clone(&self.0), cause.into());
        completed(async move { inner.end_matching(&selector, None, &cause).await }).await
    }

    /// The same for all but the sign-in `kept`: what has begun elsewhere and comes to its end only now makes no session
    /// either.
    ///
    /// # Errors
    /// As [`Sessions::end_matching`].
    pub async fn end_all_but(
        &self,
        kept: SessionId,
        selector: Selector,
        cause: impl Into<EndCause>,
    ) -> Result<usize, StoreUnavailable> {
        let (inner, cause) = (Arc::clone(&self.0), cause.into());
        completed(async move {
            let remembered = inner.remember(inner.named(&selector)).await;
            let others = move |found: &SessionOverview| found.id != kept;
            let ended = inner.end_matching(&selector, Some(&others), &cause).await;
            remembered.and(ended)
        })
        .await
    }

    /// Whether a sign-in that was listed is over, whatever the store still holds of it.
    #[must_use]
    pub fn is_over(&self, found: &SessionOverview) -> bool {
        self.0.is_over(found)
    }

    /// The same for those alone, of all that `selector` finds, that `includes` says; nothing is remembered of it.
    ///
    /// # Errors
    /// As [`Sessions::end_matching`].
    pub async fn end_included(
        &self,
        selector: Selector,
        cause: impl Into<EndCause>,
        includes: impl Fn(&SessionOverview) -> bool + Send + Sync + 'static,
    ) -> Result<usize, StoreUnavailable> {
        let (inner, cause) = (Arc::clone(&self.0), cause.into());
        completed(async move { inner.end_matching(&selector, Some(&includes), &cause).await }).await
    }
}

impl SessionsInner {
    /// Goes on whatever the store does not take: a disk that fails keeps nobody signed in.
    async fn end_matching(
        &self,
        selector: &Selector,
        includes: Option<&Includes>,
        cause: &EndCause,
    ) -> Result<usize, StoreUnavailable> {
        // Before anything is looked for: a sign-in that is kept in between is found, one that comes later is refused.
        let named = if includes.is_none() { self.named(selector) } else { Vec::new() };
        let mut kept = self.remember(named).await;
        let (mut after, mut ended) = (None, 0);
        loop {
            let _turn = self.bulk.lock().await;
            let at_once = mutant!(ENDED_AT_ONCE, "bulk-end-in-one-go" => u32::MAX);
            let found = self.store.find(selector.stored(&self.keys), after, at_once).await?;
            let Some(last) = found.last() else { return kept.map(|()| ended) };
            after = Some(last.root);
            let open = |family: &StoredOverview| SessionOverview::open(family.clone(), &self.keys);
            let is_included =
                |family: &StoredOverview| includes.is_none_or(|includes| includes(&open(family)));
            let found: Vec<_> = found.into_iter().filter(is_included).collect();
            if includes.is_none() && matches!(selector, Selector::User(_)) {
                let subjects = found.iter().flat_map(|family| self.subject_of(family)).collect();
                kept = kept.and(self.remember(subjects).await);
            }
            ended += found.len();
            kept = kept.and(self.end_families(found, cause).await);
        }
    }

    /// Idle times count from what is written, which may lag behind what happened.
    pub(super) fn is_over(&self, found: &SessionOverview) -> bool {
        let (now, lifetimes) = (self.clock.now(), &self.lifetimes);
        now >= found.expires
            || now.since(found.created) >= lifetimes.max_age()
            || now.since(found.last_seen) >= lifetimes.idle() + lifetimes.interval()
    }

    /// In memory at once; in the store in one step, or, where that fails, each on record beside it.
    pub(super) async fn end_families(
        &self,
        families: Vec<StoredOverview>,
        cause: &EndCause,
    ) -> Result<(), StoreUnavailable> {
        let why = cause.why;
        self.notes.count(why, families.len());
        let recorded = self.notes.are_recorded();
        for family in &families {
            if recorded {
                let card = SessionOverview::open(family.clone(), &self.keys).card;
                let cut = Some(self.families.open(&family.root));
                self.notes.record(family.root, card.as_ref().map(|card| &*card.principal), cause, cut);
            }
            self.notes.keep(family, why);
            self.families.end_for_good(family.root, why);
            family.sessions.iter().for_each(|(id, _)| self.cache.forget(id));
        }
        let roots: Vec<_> = families.iter().map(|family| family.root).collect();
        match self.store.remove_families(roots.clone(), why).await {
            Ok(removed) => {
                removed.iter().for_each(|family| self.forget_family(family, why));
                roots.into_iter().for_each(|root| self.families.removed(root));
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "sessions have ended; the store takes it later");
                let mut recorded = Ok(());
                for root in roots {
                    recorded = recorded.and(self.store.record_ending(root).await);
                }
                recorded
            }
        }
    }

    /// What is remembered of an end by its selector alone.
    pub(super) fn named(&self, selector: &Selector) -> Vec<super::Digest> {
        match selector {
            Selector::Subject(issuer, subject) => self.keys.keyed(&Name::Subject(issuer, subject)),
            Selector::ProviderSession(issuer, sid) => self.keys.keyed(&Name::ProviderSession(issuer, sid)),
            Selector::Email(issuer, address) => self.keys.keyed(&Name::Email(issuer, address)),
            Selector::All
            | Selector::Id(_)
            | Selector::User(_)
            | Selector::Provider(_)
            | Selector::Host(_) => Vec::new(),
        }
    }

    pub(super) fn subject_of(&self, family: &StoredOverview) -> Vec<super::Digest> {
        let card = family.card.as_ref().and_then(|sealed| Card::open(&self.keys, family.root, sealed));
        card.map_or_else(Vec::new, |card| self.keys.keyed(&card.subject()))
    }

    async fn remember(&self, digests: Vec<super::Digest>) -> Result<(), StoreUnavailable> {
        self.remember_since(digests, self.clock.now()).await
    }

    /// The same for sign-ins that began no later than `since`.
    pub(super) async fn remember_since(
        &self,
        digests: Vec<super::Digest>,
        since: Timestamp,
    ) -> Result<(), StoreUnavailable> {
        if digests.is_empty() {
            return Ok(());
        }
        self.store.remember_end(RememberedEnd { digests, since, until: since + REMEMBERED }).await
    }
}
