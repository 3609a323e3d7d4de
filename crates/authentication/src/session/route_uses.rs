//! When a sign-in was last used on routes that want to be used now and then, apart from all others: what another tab does
//! elsewhere is no use of them. Kept by the process alone: where it does not know of a use, none counts.

use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::identity::RouteName;

/// Routes that are remembered of one sign-in; of more, those that were used longest ago are forgotten.
const MOST: usize = 64;

/// The last use of each route.
#[derive(Debug, Default)]
pub(super) struct RouteUses(Mutex<Vec<(RouteName, Timestamp)>>);

impl RouteUses {
    pub(super) fn note(&self, route: &RouteName, now: Timestamp) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, at)) = uses.iter_mut().find(|(name, _)| name == route) {
            *at = now.max(*at);
            return;
        }
        if uses.len() >= MOST {
            let oldest = uses.iter().enumerate().min_by_key(|(_, (_, at))| *at).map(|(place, _)| place);
            oldest.into_iter().for_each(|place| drop(uses.swap_remove(place)));
        }
        uses.push((route.clone(), now));
    }

    pub(super) fn last(&self, route: &RouteName) -> Option<Timestamp> {
        let uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uses.iter().find(|(name, _)| name == route).map(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_has_its_own_last_use_and_few_are_remembered_invariant_14() {
        let (uses, name) = (RouteUses::default(), |index: u64| RouteName::new(format!("route {index}")));
        for index in 0..1_000 {
            uses.note(&name(index), Timestamp::from_seconds(index));
        }
        assert_eq!(uses.last(&name(999)), Some(Timestamp::from_seconds(999)));
        assert_eq!(uses.last(&name(0)), None);
        uses.note(&name(999), Timestamp::from_seconds(5));
        assert_eq!(uses.last(&name(999)), Some(Timestamp::from_seconds(999)), "it never goes down");
        assert_eq!(uses.0.lock().unwrap().len(), MOST);
    }
}
