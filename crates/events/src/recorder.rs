//! Where events go: each thread's into its lane. Nobody waits for whoever keeps them.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;

use portcullis_rules::clock::Clock;

use super::block::{BLOCK_BYTES, Block, Pool};
use super::event::Event;
use super::kind::{Kind, KindSet};
use super::lane::Lane;
use super::thread;

/// Takes what happens. Cheap to clone.
#[derive(Clone)]
pub struct Recorder(Arc<Lanes>);

struct Lanes {
    process: String,
    lanes: Box<[Padded<Mutex<Lane>>]>,
    /// The bits of the kinds that some sink takes.
    wanted: [AtomicU64; 2],
    agent: AtomicBool,
    /// A sink that nothing may go without has no room.
    full: AtomicBool,
    clock: Clock,
    sweeper: OnceLock<Thread>,
    pool: Arc<Pool>,
}

/// Aligned to two cache lines, which processors fetch in pairs, so that workers do not slow each other down.
#[derive(Debug)]
#[repr(align(128))]
struct Padded<T>(T);

/// The number of an event: its lane, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventSeq {
    /// The lane.
    pub lane: u16,
    /// The number in the lane.
    pub seq: u64,
}

impl Recorder {
    /// One with a lane for each worker and one for all other threads. What sinks have not taken yet holds at most `memory`
    /// bytes, or four blocks a lane where that is more.
    #[must_use]
    pub fn new(workers: usize, clock: Clock, memory: usize) -> Self {
        let lanes = u16::try_from(workers + 1).unwrap_or(u16::MAX);
        Self::with(lanes, clock, memory.max(4 * BLOCK_BYTES * usize::from(lanes)))
    }

    /// One whose events nobody takes, for tests and measures.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::with(1, Clock::system(), 0)
    }

    fn with(lanes: u16, clock: Clock, memory: usize) -> Self {
        let (process, pool) = (process(), Pool::new(memory));
        let lane = |number| Padded(Mutex::new(Lane::new(number, &process, Arc::clone(&pool))));
        let lanes = (0..lanes).map(lane).collect();
        let (wanted, agent, full) = (Default::default(), AtomicBool::new(false), AtomicBool::new(false));
        let sweeper = OnceLock::new();
        Self(Arc::new(Lanes { process, lanes, wanted, agent, full, clock, sweeper, pool }))
    }

    /// What the ids of all its events begin with.
    #[must_use]
    pub fn process(&self) -> &str {
        &self.0.process
    }

    /// The clock of its events.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Bytes that waiting events may hold, and those of them that are left to sinks when every lane has what it needs.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let bound = self.0.pool.bound();
        let lanes = 2 * BLOCK_BYTES * self.0.lanes.len();
        Memory { bound, taken: self.0.pool.taken(), for_sinks: bound.saturating_sub(lanes) }
    }

    /// Says which kinds are taken from now on, and whether a sink needs the agents of requests.
    pub fn want(&self, kinds: KindSet, agent: bool) {
        let halves = [kinds.0 as u64, (kinds.0 >> 64) as u64];
        self.0.wanted.iter().zip(halves).for_each(|(bits, half)| bits.store(half, Relaxed));
        self.0.agent.store(agent, Relaxed);
    }

    /// Whether somebody takes events of this kind.
    #[must_use]
    pub fn wants(&self, kind: Kind) -> bool {
        let bit = kind as usize;
        self.0.wanted[bit / 64].load(Relaxed) & (1 << (bit % 64)) != 0
    }

    /// Whether somebody needs the agents of requests.
    #[must_use]
    pub fn wants_agent(&self) -> bool {
        self.0.agent.load(Relaxed)
    }

    /// Whether what happens now will be kept by every sink that it must be kept by; where not, requests are refused.
    #[must_use]
    pub fn accepts(&self) -> bool {
        !self.0.full.load(Relaxed)
    }

    /// Says whether every sink that requests may not go without has room.
    pub fn set_accepting(&self, accepting: bool) {
        self.0.full.store(!accepting, Relaxed);
    }

    /// Takes an event; none: nobody wants it, it is one too many of strangers', or it is lost, which is told once there is
    /// room again.
    pub fn emit<E: Event + ?Sized>(&self, event: &E) -> Option<EventSeq> {
        if !self.wants(event.kind()) {
            return None;
        }
        let (mut lane, number) = self.lane();
        let seq = lane.write(event, self.0.clock.moment().micros());
        let due = lane.is_due();
        drop(lane);
        if due {
            self.wake();
        }
        seq.map(|seq| EventSeq { lane: number, seq })
    }

    fn lane(&self) -> (MutexGuard<'_, Lane>, u16) {
        let index = Some(thread::lane()).filter(|index| *index < self.0.lanes.len()).unwrap_or(0);
        (locked(&self.0.lanes[index]), index as u16)
    }

    fn wake(&self) {
        if let Some(sweeper) = self.0.sweeper.get() {
            sweeper.unpark();
        }
    }

    /// Says which thread sweeps: it is woken when a block is full.
    pub fn swept_by(&self, thread: Thread) {
        // The first stays: a recorder has one sweeper.
        let _ = self.0.sweeper.set(thread);
    }

    /// Gives what has happened since the last sweep, lane by lane, each in its order.
    pub fn sweep(&self, mut take: impl FnMut(Block)) {
        let mut taken = Vec::new();
        for lane in &self.0.lanes {
            locked(lane).take(self.0.clock.moment().micros(), &mut taken);
            taken.drain(..).for_each(|block| take(block.compact()));
        }
    }

    /// Tells how many of strangers' events were left out and that was not told yet: to be called at the end.
    pub fn tell_left_out(&self) {
        self.0.lanes.iter().for_each(|lane| locked(lane).tell_left_out(self.0.clock.moment().micros(), true));
    }

    /// Events of strangers that were left out since the start, for they were more than a lane takes of them.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.0.lanes.iter().map(|lane| locked(lane).left_out_ever()).sum()
    }

    /// Events that were lost since the start, for there was no room for them.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lanes.iter().map(|lane| locked(lane).lost_ever()).sum()
    }
}

/// What waiting events hold, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// At most.
    pub bound: usize,
    /// Now.
    pub taken: usize,
    /// What queues of sinks may hold together, so that lanes always find a block.
    pub for_sinks: usize,
}

fn locked(lane: &Padded<Mutex<Lane>>) -> MutexGuard<'_, Lane> {
    // A line that broke off is dropped when the next one is written.
    lane.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Twelve digits that no other process has. They are no secret: the hashes of the standard library begin with random
/// numbers of the system.
fn process() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{:012x}", random & 0xFFFF_FFFF_FFFF)
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("process", &self.0.process).finish_non_exhaustive()
    }
}
