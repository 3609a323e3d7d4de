//! A little that waits in memory, where the disk takes nothing.

use std::collections::VecDeque;

use super::frame::Frame;

/// Bytes that wait at most.
const HELD: u64 = 1024 * 1024;

/// What waits in memory for the disk, or for the far end.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) frames: VecDeque<Frame>,
    pub(super) bytes: u64,
    /// How many of them were given.
    pub(super) given: usize,
    /// The number of the first of them.
    first: u64,
}

impl Held {
    /// Keeps a frame; none where there is no room.
    pub(super) fn hold(&mut self, frame: Frame) -> Option<()> {
        let bytes = self.bytes + frame.len();
        (bytes <= HELD).then(|| {
            self.bytes = bytes;
            self.frames.push_back(frame);
        })
    }

    /// What comes next, and the number by which it is acknowledged.
    pub(super) fn next(&mut self) -> Option<(Frame, u64)> {
        let frame = self.frames.get(self.given)?.clone();
        self.given += 1;
        Some((frame, self.first + self.given as u64))
    }

    /// Those before this number are done with.
    pub(super) fn acknowledge(&mut self, number: u64) {
        while self.first < number && !self.frames.is_empty() {
            self.remove_first();
        }
    }

    pub(super) fn remove_first(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.bytes -= frame.len();
            self.first += 1;
            self.given = self.given.saturating_sub(1);
        }
    }
}
