//! How many sign-ins a person may hold: the oldest end where there would be more.
//!
//! Every sign-in carries a number that is greater than those of all its person's sign-ins that were there when it was
//! made (a Lamport clock: clocks of machines need not agree, and two sign-ins of one second are told apart). Each looks
//! for those beyond the bound once it is kept itself. What one of several that come at once ends, so would every other:
//! the order is the same for all. The last one sees all of them, so no more than the bound are left; and as only what
//! has so many newer ones beside it ends, no fewer.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::end_cause::EndCause;
use super::ended::SessionEnd;
use super::overview::ENDED_AT_ONCE;
use super::sessions::{SessionsInner, completed};
use super::store::StoredOverview;
use super::{
    Selector, Session, SessionError, SessionId, SessionKey, SessionOverview, Sessions, StoreUnavailable,
};
use crate::clock::Timestamp;
use crate::identity::Principal;

/// `[session] max_per_person`, which a reload may change.
#[derive(Debug)]
pub(super) struct PersonBound(AtomicU32);

impl PersonBound {
    pub(super) fn new(most: Option<NonZeroU32>) -> Self {
        Self(AtomicU32::new(most.map_or(0, NonZeroU32::get)))
    }

    pub(super) fn set(&self, most: Option<NonZeroU32>) {
        self.0.store(most.map_or(0, NonZeroU32::get), Ordering::Relaxed);
    }

    fn most(&self) -> Option<usize> {
        usize::try_from(self.0.load(Ordering::Relaxed)).ok().filter(|most| *most > 0)
    }
}

/// The order in which sign-ins of one person were made; the same for whoever looks.
type Order = (u64, Timestamp, SessionId);

fn order(found: &SessionOverview) -> Order {
    let number = found.card.as_ref().map_or(0, |card| card.number);
    (mutant!(number, "sign-ins-by-their-clocks" => 0), found.created, found.id)
}

impl Sessions {
    /// Ends the oldest sign-ins of the person who has made this one, beyond the bound. Where that fails the new one is
    /// taken back: nobody holds more because the store was away.
    pub(super) async fn keep_to_bound(
        &self,
        (key, session): &(SessionKey, Arc<Session>),
    ) -> Result<(), SessionError> {
        if session.root.is_some() || self.0.bound.most().is_none() {
            return Ok(());
        }
        let (inner, principal, by) = (Arc::clone(&self.0), Arc::clone(&session.principal), session.family());
        let ended = completed(async move { inner.end_surplus(&principal, by).await }).await;
        if let Err(error) = ended {
            drop(self.end(key.id()).await);
            return Err(SessionError::Unavailable(error));
        }
        Ok(())
    }
}

impl SessionsInner {
    /// The number of a sign-in that `principal` makes now.
    pub(super) async fn next_number(&self, principal: &Principal) -> Result<u64, StoreUnavailable> {
        if self.bound.most().is_none() {
            return Ok(0);
        }
        let (selector, mut after, mut greatest) = (of(principal), None, 0);
        while let Some(found) = self.page(&selector, &mut after).await? {
            greatest = found.iter().map(|(shown, _)| order(shown).0).fold(greatest, u64::max);
        }
        Ok(greatest.saturating_add(1))
    }

    async fn end_surplus(&self, principal: &Principal, by: SessionId) -> Result<(), StoreUnavailable> {
        let Some(most) = self.bound.most() else { return Ok(()) };
        let (selector, mut after, mut held) = (of(principal), None, Vec::new());
        while let Some(found) = self.page(&selector, &mut after).await? {
            held.extend(found.into_iter().filter(|(shown, _)| !self.is_over(shown)));
            held.sort_unstable_by_key(|(shown, _)| std::cmp::Reverse(order(shown)));
            let surplus =
                held.split_off(mutant!(most, "sign-ins-without-bound" => usize::MAX).min(held.len()));
            self.end_oldest(by, surplus).await?;
        }
        Ok(())
    }

    async fn end_oldest(
        &self,
        by: SessionId,
        surplus: Vec<(SessionOverview, StoredOverview)>,
    ) -> Result<(), StoreUnavailable> {
        if surplus.is_empty() {
            return Ok(());
        }
        let families = surplus.into_iter().map(|(_, stored)| stored).collect();
        self.end_families(families, &EndCause::by(SessionEnd::SignedInElsewhere, &by.in_words())).await
    }

    /// The next sign-ins that `selector` finds; `None` behind the last.
    async fn page(
        &self,
        selector: &Selector,
        after: &mut Option<SessionId>,
    ) -> Result<Option<Vec<(SessionOverview, StoredOverview)>>, StoreUnavailable> {
        let found = self.store.find(selector.stored(&self.keys), *after, ENDED_AT_ONCE).await?;
        let Some(last) = found.last() else { return Ok(None) };
        *after = Some(last.root);
        let open = |stored: StoredOverview| (SessionOverview::open(stored.clone(), &self.keys), stored);
        Ok(Some(found.into_iter().map(open).collect()))
    }
}

fn of(principal: &Principal) -> Selector {
    Selector::Subject(principal.issuer.clone(), principal.subject.as_str().to_owned())
}
