//! Which server gets the next request.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::{Balance, Ejection};

/// What is known of one server's health, shared by all workers.
///
/// Two things can keep requests from it, each by itself:
/// - It is down (`up`), as active checks say. They alone move that.
/// - It is set aside until a time (`until`): after so many failures in a row, which requests report. The time
///   passes by itself. `failures` stays where it was, so that the next failure sets it aside again, and the
///   next success ends that.
///
/// No request is refused for it: where all servers are down or set aside, one of them is tried
/// ([`Choice::pick`]).
#[derive(Debug)]
pub(super) struct ServerHealth {
    failures: AtomicU32,
    /// Milliseconds since the upstream was set up; 0: not set aside.
    until: AtomicU64,
    up: AtomicBool,
}

impl Default for ServerHealth {
    fn default() -> Self {
        Self { failures: AtomicU32::new(0), until: AtomicU64::new(0), up: AtomicBool::new(true) }
    }
}

impl ServerHealth {
    /// Notes that a response's head has arrived. Writes only where something changes: the cache lines of
    /// healthy servers are not passed from core to core.
    pub(super) fn succeed(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.until.store(0, Ordering::Relaxed);
        }
    }

    /// Notes a failure: no connection, no answer or a broken one. A server that comes back from a pause is
    /// set aside again by its first failure.
    pub(super) fn fail(&self, ejection: Ejection, now: Duration) {
        if ejection.after == 0 {
            return;
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures >= ejection.after {
            self.failures.store(ejection.after, Ordering::Relaxed);
            self.until.store(millis(now + ejection.pause).max(1), Ordering::Relaxed);
        }
    }

    /// Notes what active checks say.
    pub(super) fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::Relaxed);
    }

    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    pub(super) fn is_ejected(&self, now: impl FnOnce() -> Duration) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until != 0 && millis(now()) < until
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// What a pick is made from.
pub(super) struct Choice<'a> {
    pub(super) balance: Balance,
    pub(super) count: usize,
    /// Whether a server is healthy.
    pub(super) healthy: &'a dyn Fn(usize) -> bool,
    /// Requests under way at a server.
    pub(super) active: &'a dyn Fn(usize) -> usize,
}

impl Choice<'_> {
    /// A server that is not among `tried`; where none is healthy, an unhealthy one: trying is better
    /// than refusing everybody.
    pub(super) fn pick(&self, turn: usize, tried: &[usize]) -> Option<usize> {
        self.best(turn, |index| !tried.contains(&index) && (self.healthy)(index))
            .or_else(|| self.best(turn, |index| !tried.contains(&index)))
    }

    fn best(&self, turn: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let mut around =
            (0..self.count).map(|step| (turn % self.count + step) % self.count).filter(|i| fits(*i));
        match self.balance {
            Balance::RoundRobin => around.next(),
            Balance::LeastRequests => around.min_by_key(|index| (self.active)(*index)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn choice<'a>(
        balance: Balance,
        count: usize,
        healthy: &'a dyn Fn(usize) -> bool,
        active: &'a dyn Fn(usize) -> usize,
    ) -> Choice<'a> {
        Choice { balance, count, healthy, active }
    }

    #[test]
    fn round_robin_gives_each_its_turn_and_skips_the_sick() {
        let all = choice(Balance::RoundRobin, 3, &|_| true, &|_| 0);
        assert_eq!((0..4).filter_map(|turn| all.pick(turn, &[])).collect::<Vec<_>>(), [0, 1, 2, 0]);
        let some = choice(Balance::RoundRobin, 3, &|i| i != 1, &|_| 0);
        assert_eq!((0..4).filter_map(|turn| some.pick(turn, &[])).collect::<Vec<_>>(), [0, 2, 2, 0]);
        assert_eq!(some.pick(usize::MAX, &[0, 2]), Some(1), "better a sick one than none");
        assert_eq!(some.pick(0, &[0, 1, 2]), None);
    }

    #[test]
    fn least_requests_finds_the_idle_one_and_takes_turns_among_equals() {
        let load = [3, 1, 1];
        let under_way = |i: usize| load[i];
        let choice = choice(Balance::LeastRequests, 3, &|_| true, &under_way);
        assert_eq!((0..3).filter_map(|turn| choice.pick(turn, &[])).collect::<Vec<_>>(), [1, 1, 2]);
    }

    #[test]
    fn failures_in_a_row_put_a_server_aside() {
        let ejection = Ejection { after: 2, pause: Duration::from_secs(10) };
        let (health, second) = (ServerHealth::default(), Duration::from_secs(1));
        health.fail(ejection, second);
        health.succeed();
        health.fail(ejection, second);
        assert!(!health.is_ejected(|| second));
        health.fail(ejection, second);
        assert!(health.is_ejected(|| second * 10));
        assert!(!health.is_ejected(|| second * 11));
        health.fail(ejection, second * 11);
        assert!(health.is_ejected(|| second * 20), "one failure more suffices");
        health.succeed();
        assert!(!health.is_ejected(|| second));
        (0..9).for_each(|_| health.fail(Ejection { after: 0, ..ejection }, second));
        assert!(!health.is_ejected(|| second), "0 turns it off");
    }

    proptest! {
        #[test]
        fn a_pick_is_never_a_tried_one_and_healthy_where_there_is_one(
            least in any::<bool>(), turn in any::<usize>(), tried in prop::collection::vec(0usize..6, 0..4),
            servers in prop::collection::vec((any::<bool>(), 0usize..4), 1..6),
        ) {
            let balance = if least { Balance::LeastRequests } else { Balance::RoundRobin };
            let (healthy, active) = (|i: usize| servers[i].0, |i: usize| servers[i].1);
            let picked = choice(balance, servers.len(), &healthy, &active).pick(turn, &tried);
            let left: Vec<usize> = (0..servers.len()).filter(|i| !tried.contains(i)).collect();
            let well: Vec<usize> = left.iter().copied().filter(|i| healthy(*i)).collect();
            let from = if well.is_empty() { &left } else { &well };
            prop_assert_eq!(picked.is_some(), !from.is_empty());
            if let Some(picked) = picked {
                prop_assert!(from.contains(&picked));
                prop_assert!(!least || from.iter().all(|i| active(*i) >= active(picked)));
            }
        }
    }
}
