//! One call for all who ask for the same thing at once.
//!
//! A call is *under way* from the moment that somebody joins and none is, and *ended* once it has given its result, which
//! all who wait get. Nobody but those who wait drives it: it goes on while one of them is left, and is dropped with the
//! last. Where that is too soon, [`Waiter::lingering`] has it go on for a while, and [`Waiter::detach`] to its end.
//! A key has one call at most, and an entry for no longer than somebody waits (strangers who ask and hang up fill no
//! map; invariant 14). Whether a call may begin is decided under the lock that keeps a second one away.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::runtime::Handle;
use tokio::time::timeout;

type Call<T> = BoxFuture<'static, T>;
type Calls<K, T> = HashMap<K, WeakShared<Call<T>>>;

/// Calls under way, by what they are for. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SingleFlight<K, T: Clone>(Arc<Mutex<Calls<K, T>>>);

/// Somebody who waits for a call.
pub(crate) struct Waiter<K, T>
where
    K: Copy + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    flights: SingleFlight<K, T>,
    key: K,
    call: Shared<Call<T>>,
    begun: bool,
    linger: Option<Linger>,
}

/// What happens to a call that nobody waits for any more.
struct Linger {
    /// How long it goes on.
    span: Duration,
    /// Called where it has not ended by then; not where the runtime shuts down before.
    given_up: Box<dyn FnOnce() + Send + Sync>,
}

impl<K, T> SingleFlight<K, T>
where
    K: Copy + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// None under way.
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Joins the call for `key`, or begins it.
    pub(crate) fn join(&self, key: K, begin: impl FnOnce() -> Call<T>) -> Waiter<K, T> {
        let Ok(waiter) = self.try_join(key, |_| Ok::<_, Infallible>(begin()));
        waiter
    }

    /// Joins the call for `key`; where there is none, `begin` is told how many are under way, and makes one or says
    /// why not.
    pub(crate) fn try_join<E>(
        &self,
        key: K,
        begin: impl FnOnce(usize) -> Result<Call<T>, E>,
    ) -> Result<Waiter<K, T>, E> {
        let mut calls = self.calls();
        let joined = calls.get(&key).and_then(WeakShared::upgrade).filter(|call| call.peek().is_none());
        let joined = mutant!(joined, "many-refreshes" => None);
        let begun = joined.is_none();
        let call = match joined {
            Some(call) => call,
            None => {
                let call = begin(calls.len())?.shared();
                calls.extend(call.downgrade().map(|weak| (key, weak)));
                call
            }
        };
        Ok(Waiter { flights: self.clone(), key, call, begun, linger: None })
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.calls().len()
    }

    fn calls(&self) -> MutexGuard<'_, Calls<K, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T> Waiter<K, T>
where
    K: Copy + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The call's result.
    pub(crate) async fn wait(self) -> T {
        // A copy is awaited: one that has given its result lets go of it, and the drop still asks for it.
        self.call.clone().await
    }

    /// The same, whose call goes on for `span` where it leaves as the last before there is a result; `given_up` is
    /// called where there is none by then either.
    pub(crate) fn lingering(
        mut self,
        span: Duration,
        given_up: impl FnOnce() + Send + Sync + 'static,
    ) -> Self {
        self.linger = Some(Linger { span, given_up: Box::new(given_up) });
        self
    }

    /// Whether it has begun the call.
    pub(crate) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Has the call go on to its end, whoever leaves. Within a tokio runtime.
    pub(crate) fn detach(&self) {
        tokio::spawn(self.another().wait());
    }

    fn another(&self) -> Self {
        let Self { flights, key, call, begun, .. } = self;
        Self { flights: flights.clone(), key: *key, call: call.clone(), begun: *begun, linger: None }
    }

    /// Where a runtime shuts down, nothing lingers in it.
    fn linger(&self, Linger { span, given_up }: Linger) {
        let Ok(runtime) = Handle::try_current() else { return };
        let call = self.another();
        runtime.spawn(async move {
            if timeout(span, call.wait()).await.is_err() {
                given_up();
            }
        });
    }
}

impl<K, T> Drop for Waiter<K, T>
where
    K: Copy + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    fn drop(&mut self) {
        let ended = self.call.peek().is_some();
        if let Some(linger) = self.linger.take().filter(|_| !ended && is_last(&self.call)) {
            self.linger(linger);
        }
        let mut calls = self.flights.calls();
        if !ended && !is_last(&self.call) {
            return;
        }
        // The next call for this key may be under way already.
        let own = calls.get(&self.key).and_then(WeakShared::upgrade);
        if own.is_none_or(|own| own.ptr_eq(&self.call)) {
            calls.remove(&self.key);
        }
    }
}

fn is_last<T: Clone>(call: &Shared<Call<T>>) -> bool {
    call.strong_count().is_none_or(|count| count <= 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::{join_all, pending, ready};
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn all_who_come_while_a_call_is_under_way_get_its_result() {
        let flights = SingleFlight::new();
        let waiters: Vec<_> = (0..50).map(|number| flights.join(1, move || ready(number).boxed())).collect();
        assert_eq!(waiters.iter().filter(|waiter| waiter.has_begun()).count(), 1);
        assert_eq!(join_all(waiters.into_iter().map(Waiter::wait)).await, [0; 50]);
        assert_eq!(flights.join(1, || ready(7).boxed()).wait().await, 7, "a later one is a call of its own");
        assert_eq!(flights.len(), 0);
    }

    /// One that has not been looked at since its call ended must not take the next call off the map.
    #[tokio::test]
    async fn a_call_that_has_ended_leaves_the_next_one_alone() {
        let flights = SingleFlight::new();
        let (first, late) = (flights.join(1, || ready(1).boxed()), flights.join(1, || ready(2).boxed()));
        assert_eq!(first.wait().await, 1);
        let next = flights.join(1, || pending().boxed());
        drop(late);
        assert!(next.has_begun() && !flights.join(1, || ready(3).boxed()).has_begun());
    }

    #[tokio::test]
    async fn a_call_ends_with_the_last_who_waits_unless_it_is_detached() {
        let flights = SingleFlight::new();
        for detached in [false, true] {
            let (done, ended) = oneshot::channel::<()>();
            let (go, gate) = oneshot::channel::<()>();
            let call = async move {
                let _ = gate.await;
                let _ = done.send(());
            };
            let waiter = flights.join(1, || call.boxed());
            if detached {
                waiter.detach();
            }
            drop(waiter);
            let _ = go.send(());
            assert_eq!(ended.await.is_ok(), detached);
        }
    }

    #[tokio::test]
    async fn whether_one_begins_is_asked_only_where_none_is_under_way() {
        let flights: SingleFlight<u8, ()> = SingleFlight::new();
        assert_eq!(flights.try_join(1, Err).err(), Some(0));
        let _waiting = flights.join(1, || pending().boxed());
        assert!(flights.try_join(1, Err).is_ok());
        assert_eq!(flights.try_join(2, Err).err(), Some(1));
    }
}
