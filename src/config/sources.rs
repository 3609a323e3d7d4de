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

    /// Whether `path` is a folder.
    fn is_folder(&self, path: &Path) -> bool;

    /// Whether secrets, keys and certificates are read. Where they are not, they are taken as given: settings
    /// made so are good for a report alone.
    fn has_secrets(&self) -> bool {
        true
    }
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

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn world_readable(&self, path: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o004 != 0)
    }
}

/// The configuration file alone: for a machine that has neither the secrets nor the folders of the gateway's.
#[derive(Clone, Copy, Debug, Default)]
pub struct WithoutSecrets;

impl Sources for WithoutSecrets {
    fn env(&self, name: &str) -> Option<String> {
        SystemSources.env(name)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        SystemSources.read(path, limit)
    }

    fn world_readable(&self, _path: &Path) -> bool {
        false
    }

    fn is_folder(&self, _path: &Path) -> bool {
        true
    }

    fn has_secrets(&self) -> bool {
        false
    }
}
