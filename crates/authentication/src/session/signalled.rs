//! What a signal of a provider's asks of the sign-ins that it concerns: their end, a new sign-in, or new claims.
//!
//! What is asked short of an end is kept with the family, and takes effect as an end does: no cache serves the session as
//! it was, and what is open by it is cut. Whoever comes next reads it anew, with what is asked of it.

use std::fmt;
use std::sync::Arc;

use super::end_cause::EndCause;
use super::ended::SessionEnd;
use super::overview::{ENDED_AT_ONCE, SessionOverview};
use super::sessions::{SessionsInner, completed};
use super::store::{Mark, Marking, StoredOverview};
use super::{Selector, SessionId, Sessions, StoreUnavailable};
use crate::clock::Timestamp;

/// What is asked of sign-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Demand {
    /// Their end.
    End,
    /// That their person signs in anew, later than the signal.
    StepUp,
    /// That their claims are renewed.
    Renewal,
}

/// The sign-ins that a signal concerns.
pub struct Concerned {
    /// Where they are looked for.
    pub selector: Selector,
    /// Which of those that are found.
    pub includes: Box<dyn Fn(&SessionOverview) -> bool + Send + Sync>,
    /// When the signal was made: what was signed in later is not concerned, however often it comes.
    pub signalled: Timestamp,
    /// The latest moment at which they were made; not before `signalled`, for clocks differ.
    pub made_until: Timestamp,
    /// Who has made it.
    pub by: String,
}

impl Sessions {
    /// Asks `demand` of the sign-ins that are `concerned`, of all their sessions at once. For an hour, a sign-in of a
    /// person or of a provider's session that the selector names, or of whoever is found by another name, makes no session
    /// if it began before. Completes even where the caller goes away. Answers how many sign-ins it was.
    ///
    /// # Errors
    /// The store is away: it may hold of some; the call is to be repeated.
    pub async fn demand(&self, demand: Demand, concerned: Concerned) -> Result<usize, StoreUnavailable> {
        let inner = Arc::clone(&self.0);
        completed(async move { inner.demand(demand, &concerned).await }).await
    }
}

impl SessionsInner {
    async fn demand(&self, demand: Demand, concerned: &Concerned) -> Result<usize, StoreUnavailable> {
        let Concerned { selector, includes, signalled, made_until, by } = concerned;
        let since = (*made_until).min(self.clock.now());
        // Before anything is looked for: a sign-in that is kept in between is found, one that comes later is refused.
        let mut kept = self.remember_since(self.named(selector), since).await;
        let (mut after, mut met) = (None, 0);
        loop {
            let found = self.store.find(selector.stored(&self.keys), after, ENDED_AT_ONCE).await?;
            let Some(last) = found.last() else { return kept.map(|()| met) };
            after = Some(last.root);
            let is_concerned = |family: &StoredOverview| {
                let in_time = mutant!(family.created <= *made_until, "later-sign-in-is-concerned" => true);
                in_time && includes(&SessionOverview::open(family.clone(), &self.keys))
            };
            let found: Vec<_> = found.into_iter().filter(is_concerned).collect();
            if matches!(selector, Selector::User(_) | Selector::Provider(_)) {
                let subjects = found.iter().flat_map(|family| self.subject_of(family)).collect();
                kept = kept.and(self.remember_since(subjects, since).await);
            }
            met += found.len();
            kept = kept.and(match demand {
                Demand::End => self.end_families(found, &EndCause::by(SessionEnd::Signalled, by)).await,
                Demand::StepUp => self.mark_families(&found, Mark::StepUp((*signalled).min(since))).await,
                Demand::Renewal => self.mark_families(&found, Mark::StaleClaims).await,
            });
        }
    }

    async fn mark_families(&self, families: &[StoredOverview], mark: Mark) -> Result<(), StoreUnavailable> {
        let roots: Vec<_> = families.iter().map(|family| family.root).collect();
        if roots.is_empty() { Ok(()) } else { self.mark(Marking { roots, mark }).await.map(drop) }
    }

    /// First in the store, then in the cache, then for those who hold the families: whoever reads them in between reads
    /// what is asked of them.
    pub(super) async fn mark(&self, marking: Marking) -> Result<Vec<SessionId>, StoreUnavailable> {
        let why = match marking.mark {
            Mark::StepUp(_) => SessionEnd::StepUp,
            Mark::StaleClaims => SessionEnd::StaleClaims,
        };
        let roots = marking.roots.clone();
        let sessions = self.store.mark(marking).await?;
        mutant!(sessions.iter().for_each(|id| self.cache.forget(id)), "marked-session-stays-cached" => ());
        roots
            .into_iter()
            .for_each(|root| mutant!(self.families.end(root, why), "marked-session-streams-on" => ()));
        Ok(sessions)
    }
}

impl fmt::Debug for Concerned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Concerned").field("selector", &self.selector).finish_non_exhaustive()
    }
}
