//! Which lane a thread writes to.

use std::cell::Cell;

thread_local! {
    // A number without a destructor: what is dropped at the end of a thread may still tell of itself.
    static LANE: Cell<u16> = const { Cell::new(0) };
}

/// From now on, what happens on this thread goes into the lane of this worker; until then, into the one that all other
/// threads share.
pub fn enter_worker(index: usize) {
    LANE.set(u16::try_from(index + 1).unwrap_or(0));
}

pub(crate) fn lane() -> usize {
    usize::from(LANE.get())
}
