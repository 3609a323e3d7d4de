//! How many watch at once: a stream holds a connection, and browsers have few of them for one host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Streams of one session, and of all together.
const OF_ONE: usize = 4;
const OF_ALL: usize = 64;

/// Who watches. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<HashMap<u64, usize>>>);

/// A place among those who watch; its drop leaves it.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    session: u64,
}

impl Seats {
    /// One for this session; none where all of its own, or of everybody's, are taken.
    pub(super) fn take(&self, session: u64) -> Option<Seat> {
        let mut taken = self.taken();
        let (own, all) = (taken.get(&session).copied().unwrap_or_default(), taken.values().sum::<usize>());
        if mutant!(own >= OF_ONE || all >= OF_ALL, "tail-seats-unbounded" => false) {
            return None;
        }
        *taken.entry(session).or_default() += 1;
        Some(Seat { seats: self.clone(), session })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<u64, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        if let Some(own) = taken.get_mut(&self.session) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_14_so_many_watch_and_who_leaves_makes_room() {
        let seats = Seats::default();
        let mut own: Vec<_> = (0..OF_ONE).map(|_| seats.take(1).unwrap()).collect();
        assert!(seats.take(1).is_none() && seats.take(2).is_some());
        own.pop();
        assert!(seats.take(1).is_some());
        drop(own);
        assert!(seats.taken().is_empty());
        let all: Vec<_> = (0..OF_ALL as u64).map(|session| seats.take(session / 4 + 10).unwrap()).collect();
        assert!(seats.take(999).is_none());
        drop(all);
        assert!(seats.take(999).is_some());
    }
}
