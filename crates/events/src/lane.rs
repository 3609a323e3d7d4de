//! A lane: the events of one worker, numbered in their order, in the block that is being filled. What finds no room has its
//! number as well, so that a gap is seen and told (invariant 28).

use std::sync::Arc;

use super::block::{Block, Pool};
use super::event::{Event, RecordLeftOut, RecordLost};
use super::head::{EventHead, Flags};
use super::line::Line;
use super::stamp::Stamp;
use super::strangers::Strangers;

/// How far a clock may go back before it is told.
const TOLERANCE: u64 = 1_000_000;

#[derive(Debug)]
pub(crate) struct Lane {
    number: u16,
    pool: Arc<Pool>,
    open: Option<Block>,
    full: Vec<Block>,
    /// The number of the next event.
    next: u64,
    lost: Option<Lost>,
    lost_ever: u64,
    strangers: Strangers,
    last: u64,
    stamp: Stamp,
    /// What stands between the time of a line and the number of its event.
    prefix: Box<[u8]>,
}

/// The numbers of events for which there was no block.
#[derive(Clone, Copy, Debug)]
struct Lost {
    from: u64,
    to: u64,
}

impl Lane {
    pub(crate) fn new(number: u16, process: &str, pool: Arc<Pool>) -> Self {
        let prefix = format!("\",\"event\":\"{process}-{number}-").into_bytes().into();
        let (stamp, full) = (Stamp::new(), Vec::with_capacity(8));
        let strangers = Strangers::default();
        Self {
            number,
            pool,
            open: None,
            full,
            next: 1,
            lost: None,
            lost_ever: 0,
            strangers,
            last: 0,
            stamp,
            prefix,
        }
    }

    /// Writes an event and gives its number; none where it is lost, or left out.
    pub(crate) fn write<E: Event + ?Sized>(&mut self, event: &E, now: u64) -> Option<u64> {
        if event.is_a_strangers() && !self.strangers.admit(now) {
            return None;
        }
        if !self.find_room() {
            self.lose();
            return None;
        }
        self.tell_lost(now);
        if !self.find_room() {
            self.lose();
            return None;
        }
        Some(self.put(event, now))
    }

    /// Whether blocks wait to be taken.
    pub(crate) fn is_due(&self) -> bool {
        !self.full.is_empty()
    }

    /// Events that were lost here since the start.
    pub(crate) const fn lost_ever(&self) -> u64 {
        self.lost_ever
    }

    /// Events of strangers that were left out since the start.
    pub(crate) const fn left_out_ever(&self) -> u64 {
        self.strangers.ever()
    }

    /// Tells what was left out of strangers' events, once a minute or where this is the `last` word.
    pub(crate) fn tell_left_out(&mut self, now: u64, last: bool) {
        if self.strangers.is_due(now, last) && self.find_room() {
            let (count, since, within) = self.strangers.told(now);
            self.put(&RecordLeftOut { lane: self.number, count, since, within }, now);
        }
    }

    /// Gives what is there, told losses included.
    pub(crate) fn take(&mut self, now: u64, taken: &mut Vec<Block>) {
        self.tell_left_out(now, false);
        if self.lost.is_some() && self.find_room() {
            self.tell_lost(now);
        }
        taken.append(&mut self.full);
        taken.extend(self.open.take_if(|open| !open.heads().is_empty()));
    }

    fn find_room(&mut self) -> bool {
        if self.open.as_ref().is_some_and(Block::has_room) {
            return true;
        }
        let Some(fresh) = self.pool.take(self.number) else { return false };
        self.full.extend(self.open.replace(fresh));
        true
    }

    fn lose(&mut self) {
        let number = self.next;
        self.next += mutant!(1, "record-number-reused-after-loss" => 0);
        self.lost_ever += 1;
        self.lost = Some(Lost { from: self.lost.map_or(number, |lost| lost.from), to: number });
    }

    fn tell_lost(&mut self, now: u64) {
        let Some(Lost { from, to }) = self.lost.take() else { return };
        let told = RecordLost {
            sink: None,
            process: None,
            lane: self.number,
            from,
            to,
            count: to - from + 1,
            cause: "memory",
        };
        if mutant!(true, "record-loss-untold" => false) {
            self.put(&told, now);
        }
    }

    /// Writes into the open block, which has room.
    fn put<E: Event + ?Sized>(&mut self, event: &E, now: u64) -> u64 {
        let seq = self.next;
        let (stamp, prefix) = (&mut self.stamp, &self.prefix);
        let mut head = EventHead::new(event.kind(), now, seq);
        if now + TOLERANCE < self.last {
            head.flags = Flags::CLOCK_SET_BACK;
        }
        if let Some(open) = &mut self.open {
            open.add(head, |text, head| {
                text.extend_from_slice(b"{\"v\":1,\"time\":\"");
                stamp.write(now, text);
                text.extend_from_slice(prefix);
                let mut line = Line::begin(text, head.kind, seq);
                event.head(head);
                if event.is_a_strangers() {
                    head.flags = head.flags | Flags::STRANGER;
                }
                event.write(&mut line);
                head.flags = head.flags | line.end();
            });
        }
        self.last = now;
        self.next = seq + 1;
        seq
    }
}
