//! Endings on their way to the database, in a file of a fixed size that is written in place: a sign-out on a
//! full disk is on record all the same (invariant 23).

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::secret::fingerprint;

/// What has ended, by the identifier that the session store gives it.
pub type EndedId = [u8; 32];

/// 1 MiB: 16,383 endings that the database has not taken yet.
const SIZE: usize = 1 << 20;

/// No slot crosses a sector: what is written is there whole or not at all.
const SLOT: usize = 64;

/// The first slot; its version is the last digit.
const HEADER: &[u8; SLOT] = b"portcullis endings, version 1                                  \n";

/// A record's first byte, and where its checksum begins.
const ENDED: u8 = 1;
const SUM: usize = SLOT - 8;

/// The file of endings, and which of its slots are in use.
#[derive(Debug)]
pub(super) struct Endings {
    file: File,
    free: Vec<usize>,
    used: HashMap<EndedId, usize>,
}

/// Where the endings of a state file lie.
pub(super) fn beside(state: &Path) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push("-endings");
    name.into()
}

impl Endings {
    /// Opens the file at `path`, made (mode 0600) where there is none, and reads what it holds.
    ///
    /// # Errors
    /// It cannot be read, written or made at its full size; or it is something else.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false);
        let file = file.mode(mutant!(0o600, "endings-file-for-everybody" => 0o644)).open(path)?;
        let mut content = vec![0; SIZE];
        let length = read_up_to(&file, &mut content)?;
        if length < SIZE || content[..SLOT].iter().all(|byte| *byte == 0) {
            // Its making broke off, or it was cut; what stands in it counts all the same.
            refuse_other(&content[..length.min(SLOT)])?;
            allocate(&file, path, length)?;
        } else if content[..SLOT] != *HEADER {
            return Err(not_ours());
        }
        Ok(Self::read(file, &content))
    }

    fn read(file: File, content: &[u8]) -> Self {
        let (mut free, mut used) = (Vec::new(), HashMap::new());
        for (slot, record) in content.chunks_exact(SLOT).enumerate().skip(1) {
            match ended(record).filter(|id| !used.contains_key(id)) {
                Some(id) => drop(used.insert(id, slot)),
                None => free.push(slot),
            }
        }
        Self { file, free, used }
    }

    /// Everything on record.
    pub(super) fn all(&self) -> Vec<EndedId> {
        self.used.keys().copied().collect()
    }

    /// Puts `id` on record; it is on the disk when this returns.
    ///
    /// # Errors
    /// The disk refuses, or every slot is in use.
    pub(super) fn record(&mut self, id: EndedId) -> io::Result<()> {
        if self.used.contains_key(&id) {
            return Ok(());
        }
        let slot = self.free.pop().ok_or(io::ErrorKind::StorageFull)?;
        let written = self.file.write_all_at(&record(id), offset(slot)).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => drop(self.used.insert(id, slot)),
            // What may stand in it by now is torn, and reads as free.
            Err(_) => self.free.push(slot),
        }
        written
    }

    /// Forgets `id`, which the database has taken. Not synced: an ending that is replayed once more harms
    /// nothing.
    pub(super) fn forget(&mut self, id: &EndedId) {
        if let Some(slot) = self.used.remove(id) {
            if let Err(error) = self.file.write_all_at(&[0; SLOT], offset(slot)) {
                tracing::debug!(%error, "an ending stays in its slot until that is used again");
            }
            self.free.push(slot);
        }
    }
}

/// The endings on record beside the state file `state`, for a copy of it; none where there is no such file.
///
/// # Errors
/// It cannot be read.
pub(super) fn recorded(state: &Path) -> io::Result<Vec<EndedId>> {
    match std::fs::read(beside(state)) {
        Ok(content) => Ok(content.chunks_exact(SLOT).skip(1).filter_map(ended).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn read_up_to(file: &File, content: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < content.len() {
        match file.read_at(&mut content[length..], length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

fn refuse_other(start: &[u8]) -> io::Result<()> {
    if start.iter().all(|byte| *byte == 0) || HEADER.starts_with(start) { Ok(()) } else { Err(not_ours()) }
}

fn not_ours() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not a file of endings of this version")
}

/// Written, not only made longer: a hole would need space when it is filled. The header comes last.
fn allocate(file: &File, path: &Path, from: usize) -> io::Result<()> {
    file.write_all_at(&vec![0; SIZE - from], from as u64)?;
    file.sync_all()?;
    file.write_all_at(HEADER, 0)?;
    file.sync_all()?;
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), |parent| {
        File::open(parent)?.sync_all() // the name, too, outlives a power loss
    })
}

fn offset(slot: usize) -> u64 {
    (slot * SLOT) as u64
}

fn record(id: EndedId) -> [u8; SLOT] {
    let mut record = [0; SLOT];
    record[0] = ENDED;
    record[1..=id.len()].copy_from_slice(&id);
    let sum = fingerprint(&record[..SUM]);
    record[SUM..].copy_from_slice(&sum[..SLOT - SUM]);
    record
}

/// `None` for a slot that is free, and for one that was torn: that sign-out was never answered.
fn ended(bytes: &[u8]) -> Option<EndedId> {
    let id = bytes.get(1..33)?.try_into().ok()?;
    mutant!(bytes == record(id), "torn-ending-counts" => bytes[0] == ENDED).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endings");
        (folder, path)
    }

    #[test]
    fn invariant_23_what_is_on_record_is_there_at_the_next_start() {
        let (_folder, path) = place();
        let mut endings = Endings::open(&path).unwrap();
        endings.record([1; 32]).unwrap();
        endings.record([2; 32]).unwrap();
        endings.record([2; 32]).unwrap();
        endings.forget(&[1; 32]);
        assert_eq!(Endings::open(&path).unwrap().all(), [[2; 32]]);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 1 << 20, "written in place");
    }

    #[test]
    fn it_holds_16383_and_says_so_when_it_is_full() {
        let (_folder, path) = place();
        let mut endings = Endings::open(&path).unwrap();
        let id = |n: u32| std::array::from_fn(|at| n.to_be_bytes()[at % 4]);
        endings.free.truncate(3);
        (0..3).for_each(|n| endings.record(id(n)).unwrap());
        assert_eq!(endings.record(id(3)).unwrap_err().kind(), io::ErrorKind::StorageFull);
        endings.forget(&id(0));
        endings.record(id(3)).unwrap();
        assert_eq!(Endings::open(&path).unwrap().free.len(), 16_383 - 3);
    }

    #[test]
    fn a_torn_record_is_none_and_an_interrupted_making_is_done_again() {
        let (_folder, path) = place();
        let mut endings = Endings::open(&path).unwrap();
        endings.record([7; 32]).unwrap();
        let slot = endings.used[&[7; 32]];
        endings.file.write_all_at(&[9], offset(slot) + 20).unwrap();
        assert!(Endings::open(&path).unwrap().all().is_empty());
        for length in [0, 10, SLOT, 5000] {
            std::fs::write(&path, &[HEADER.as_slice(), &[0; 8192]].concat()[..length]).unwrap();
            Endings::open(&path).unwrap().record([8; 32]).unwrap();
            assert_eq!(Endings::open(&path).unwrap().all(), [[8; 32]], "{length}");
        }
    }

    #[test]
    fn what_is_something_else_is_left_alone() {
        let (_folder, path) = place();
        for content in [b"holiday".repeat(3), b"holiday".repeat(200_000)] {
            std::fs::write(&path, &content).unwrap();
            assert!(Endings::open(&path).is_err());
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
    }
}
