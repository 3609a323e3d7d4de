//! The engine of a gateway that is one process: its memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::{Acquired, Holder, LeaseStore, OneTimeKind, OneTimeName, OneTimeStore, Put};
use crate::clock::Clock;
use crate::session::{SessionId, StoreFuture};

/// Leases that are looked through for ones that are over, at the earliest.
const LEASES: usize = 64;

/// What one process keeps in memory: it ends with the process.
#[derive(Debug)]
pub struct LocalStore {
    tickets: Cache<[u8; 32], Kept>,
    states: Cache<[u8; 32], Kept>,
    logout_tokens: Cache<[u8; 32], Kept>,
    leases: Mutex<HeldLeases>,
    clock: Clock,
}

/// Something that is good once. The gateway's clock decides whether it still is; the cache drops it by its own clock,
/// only to free the memory.
#[derive(Clone, Debug)]
struct Kept {
    value: Vec<u8>,
    span: Duration,
    /// By the monotonic clock: nothing lasts longer because the wall clock is set back.
    until: Duration,
}

struct BySpan;

impl Expiry<[u8; 32], Kept> for BySpan {
    fn expire_after_create(&self, _: &[u8; 32], kept: &Kept, _: Instant) -> Option<Duration> {
        Some(kept.span)
    }

    fn expire_after_update(
        &self,
        _: &[u8; 32],
        kept: &Kept,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.span)
    }
}

#[derive(Debug, Default)]
struct HeldLeases {
    leases: HashMap<SessionId, HeldLease>,
    sweep_at: usize,
}

#[derive(Debug)]
struct HeldLease {
    /// `None` where it rests.
    holder: Option<Holder>,
    until: Duration,
}

impl LocalStore {
    /// One with nothing in it.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            tickets: cache(OneTimeKind::Ticket),
            states: cache(OneTimeKind::SignInState),
            logout_tokens: cache(OneTimeKind::LogoutToken),
            leases: Mutex::default(),
            clock,
        }
    }

    fn cache(&self, kind: OneTimeKind) -> &Cache<[u8; 32], Kept> {
        match kind {
            OneTimeKind::Ticket => &self.tickets,
            OneTimeKind::SignInState => &self.states,
            OneTimeKind::LogoutToken => &self.logout_tokens,
        }
    }

    fn kept(&self, value: Vec<u8>, span: Duration) -> Kept {
        Kept { value, span, until: self.clock.monotonic().saturating_add(span) }
    }

    fn put_now(&self, name: OneTimeName, value: Vec<u8>, span: Duration) -> Put {
        let (now, kept) = (self.clock.monotonic(), self.kept(value, span));
        let entry = self.cache(name.kind).entry(name.digest);
        let entry = entry.or_insert_with_if(|| kept, |old| old.until <= now);
        if entry.is_fresh() { Put::Kept } else { Put::Occupied(entry.into_value().value) }
    }

    fn take_now(&self, name: OneTimeName) -> Option<Vec<u8>> {
        let cache = self.cache(name.kind);
        let kept = mutant!(cache.remove(&name.digest), "ticket-good-twice" => cache.get(&name.digest));
        let good = |kept: &Kept| mutant!(self.clock.monotonic() < kept.until, "kept-for-ever" => true);
        kept.filter(good).map(|kept| kept.value)
    }

    fn leases(&self) -> MutexGuard<'_, HeldLeases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The least recently used goes first, for its time is among the first to be over.
fn cache(kind: OneTimeKind) -> Cache<[u8; 32], Kept> {
    let cache = Cache::builder().max_capacity(kind.most().into()).eviction_policy(EvictionPolicy::lru());
    cache.expire_after(BySpan).build()
}

impl OneTimeStore for LocalStore {
    fn put(&self, name: OneTimeName, value: Vec<u8>, span: Duration) -> StoreFuture<'_, Put> {
        Box::pin(async move { Ok(self.put_now(name, value, span)) })
    }

    fn replace(&self, name: OneTimeName, value: Vec<u8>, span: Duration) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.cache(name.kind).insert(name.digest, self.kept(value, span));
            Ok(())
        })
    }

    fn take(&self, name: OneTimeName) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(async move { Ok(self.take_now(name)) })
    }
}

impl HeldLeases {
    fn acquire(&mut self, name: SessionId, now: Duration, lease: HeldLease) -> Acquired {
        self.sweep(now);
        match self.leases.get(&name) {
            Some(held) if held.until > now && held.holder.is_some() => Acquired::Busy,
            Some(held) if held.until > now => Acquired::Resting,
            Some(_) | None => {
                self.leases.insert(name, lease);
                Acquired::Held
            }
        }
    }

    fn held_by(&mut self, name: &SessionId, holder: Holder, now: Duration) -> Option<&mut HeldLease> {
        let is_theirs = |held: &&mut HeldLease| held.holder == Some(holder) && held.until > now;
        self.leases.get_mut(name).filter(is_theirs)
    }

    /// Forgets those that are over, whenever their number may have doubled.
    fn sweep(&mut self, now: Duration) {
        if self.leases.len() >= self.sweep_at.max(LEASES) {
            self.leases.retain(|_, held| held.until > now);
            self.sweep_at = 2 * self.leases.len();
        }
    }
}

impl LeaseStore for LocalStore {
    fn acquire(&self, name: SessionId, holder: Holder, span: Duration) -> StoreFuture<'_, Acquired> {
        Box::pin(async move {
            let now = self.clock.monotonic();
            let lease = HeldLease { holder: Some(holder), until: now.saturating_add(span) };
            Ok(self.leases().acquire(name, now, lease))
        })
    }

    fn renew(&self, name: SessionId, holder: Holder, span: Duration) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let now = self.clock.monotonic();
            let mut leases = self.leases();
            let held = leases.held_by(&name, holder, now);
            Ok(held.map(|held| held.until = now.saturating_add(span)).is_some())
        })
    }

    fn release(&self, name: SessionId, holder: Holder, rest: Option<Duration>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let now = self.clock.monotonic();
            let mut leases = self.leases();
            match (leases.held_by(&name, holder, now), rest) {
                (None, _) => {}
                (Some(_), None) => drop(leases.leases.remove(&name)),
                (Some(held), Some(rest)) => {
                    *held = HeldLease { holder: None, until: now.saturating_add(rest) };
                }
            }
            Ok(())
        })
    }
}
