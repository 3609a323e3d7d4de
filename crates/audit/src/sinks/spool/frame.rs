//! What a spool is made of: the lines of a batch, with their numbers, so that what is lost can be told without reading them.
//!
//! A frame is a head of fixed length, a checksum of the head, one of the lines, and the lines. A head that is good tells
//! where the next frame begins, and which events are lost where its lines are not good.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use aws_lc_rs::digest::{SHA256, digest};

use crate::sinks::queue::Loss;
use crate::sinks::sink::Batch;

/// Bytes of the head without its checksums.
const HEAD: usize = 44;
/// Bytes of a checksum: the first ones of SHA-256.
const SUM: usize = 8;
/// Bytes that stand before the lines.
pub(super) const BEFORE: usize = HEAD + 2 * SUM;
/// Bytes of lines that a frame never exceeds: a block is smaller.
const LONGEST: usize = 256 * 1024;

/// The lines of one lane that were given at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sinks) struct Frame {
    pub(in crate::sinks) numbers: Loss,
    /// When the first of its events happened, in microseconds since 1970.
    pub(in crate::sinks) time: u64,
    /// Whole lines, as they were written.
    pub(in crate::sinks) text: Vec<u8>,
}

/// What stands at a place of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A frame, and where the next one begins.
    Frame(Frame, u64),
    /// A frame whose lines are not what was written, and where the next one begins.
    Damaged(Loss, u64),
    /// Nothing: the file ends there.
    End,
    /// Something that no frame begins with, or the first part of one.
    Broken,
}

impl Frame {
    /// What a sink takes of a block; none where that is nothing.
    pub(in crate::sinks) fn of(batch: &Batch<'_>) -> Option<Self> {
        let (numbers, time) = (Loss::of(batch)?, batch.heads().next()?.time);
        let mut text = Vec::with_capacity(batch.heads().map(|head| head.len as usize).sum());
        batch.heads().for_each(|head| text.extend_from_slice(batch.block.line(head)));
        Some(Self { numbers, time, text })
    }

    /// The lines, each without its line feed.
    pub(in crate::sinks) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
    }

    /// Bytes that it takes in a file.
    pub(super) const fn len(&self) -> u64 {
        (BEFORE + self.text.len()) as u64
    }

    /// As it stands in a file.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BEFORE + self.text.len());
        let Loss { lane, from, to, count } = self.numbers;
        out.extend_from_slice(&(self.text.len() as u64).to_le_bytes());
        out.extend_from_slice(&u32::from(lane).to_le_bytes());
        [from, to, count, self.time].iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        let head = sum(&out);
        out.extend_from_slice(&head);
        out.extend_from_slice(&sum(&self.text));
        out.extend_from_slice(&self.text);
        out
    }

    /// What stands there.
    pub(super) fn read_at(file: &File, at: u64) -> io::Result<Read> {
        let mut before = [0; BEFORE];
        match read_at(file, &mut before, at)? {
            0 => return Ok(Read::End),
            BEFORE => {}
            _ => return Ok(Read::Broken),
        }
        let Some((length, numbers, time)) = head(&before) else { return Ok(Read::Broken) };
        let mut text = vec![0; length];
        let next = at + (BEFORE + length) as u64;
        if read_at(file, &mut text, at + BEFORE as u64)? < length {
            return Ok(Read::Broken);
        }
        let is_good = mutant!(sum(&text) == before[HEAD + SUM..], "spool-unchecked" => true);
        Ok(if is_good {
            Read::Frame(Self { numbers, time, text }, next)
        } else {
            Read::Damaged(numbers, next)
        })
    }

    /// The numbers of what stands there, its time, and where the next one begins; the lines are not read.
    pub(super) fn numbers_at(file: &File, at: u64) -> io::Result<Option<(Loss, u64, u64)>> {
        let mut before = [0; BEFORE];
        if read_at(file, &mut before, at)? < BEFORE {
            return Ok(None);
        }
        Ok(head(&before).map(|(length, numbers, time)| (numbers, time, at + (BEFORE + length) as u64)))
    }
}

/// Length of the lines, their numbers and the time, where the head is what was written.
fn head(before: &[u8; BEFORE]) -> Option<(usize, Loss, u64)> {
    let number = |at: usize| Some(u64::from_le_bytes(before.get(at..at + 8)?.try_into().ok()?));
    let lane = u32::from_le_bytes(before[8..12].try_into().ok()?);
    let length = usize::try_from(number(0)?).ok().filter(|length| *length <= LONGEST)?;
    let numbers =
        Loss { lane: u16::try_from(lane).ok()?, from: number(12)?, to: number(20)?, count: number(28)? };
    (sum(&before[..HEAD]) == before[HEAD..HEAD + SUM]).then_some((length, numbers, number(36)?))
}

fn sum(bytes: &[u8]) -> [u8; SUM] {
    let mut sum = [0; SUM];
    sum.copy_from_slice(&digest(&SHA256, bytes).as_ref()[..SUM]);
    sum
}

/// Reads until it is full or the file ends; gives how much.
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match file.read_at(&mut into[done..], at + done as u64) {
            Ok(0) => break,
            Ok(part) => done += part,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
