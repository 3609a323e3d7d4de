//! Where a configuration's parts come from, handed in so that lowering stays pure and tests own it.

use std::fmt;
use std::io;
use std::io::Read as _;
use std::path::Path;

/// The environment and the files that a configuration may speak of.
pub trait Sources: fmt::Debug {
    /// The environment variable `name`; `None` where it is not set or is not UTF-8.
    fn env(&self, name: &str) -> Option<String>;

    /// The first `limit` bytes of the file at `path`, and one more where it is longer.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// Whether everybody on the machine may read the file at `path`; `false` where that cannot be told.
    fn world_readable(&self, path: &Path) -> bool;
}

/// This process's environment and file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSources;

impl Sources for SystemSources {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn world_readable(&self, path: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o004 != 0)
    }
}
