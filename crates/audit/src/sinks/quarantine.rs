//! Where batches lie that a far end refuses for good: a file beside the spool, for somebody to look at.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::spool::SpoolSettings;

/// The part of a spool's bound that the file may have; the one before it is kept as well.
const PART: u64 = 4;

#[derive(Debug)]
pub(super) struct Quarantine {
    path: PathBuf,
    bound: u64,
}

impl Quarantine {
    pub(super) fn new(spool: &SpoolSettings) -> Self {
        Self { path: spool.folder.join("refused.jsonl"), bound: spool.size / PART }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds lines.
    pub(super) fn put(&self, lines: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create(true).mode(0o600).open(&self.path)?;
        let bytes = file.metadata()?.len();
        if bytes > 0 && bytes + lines.len() as u64 > self.bound {
            fs::rename(&self.path, self.path.with_extension("jsonl.1"))?;
            return self.put(lines);
        }
        file.write_all(lines).inspect_err(|_| drop(file.set_len(bytes)))
    }
}
