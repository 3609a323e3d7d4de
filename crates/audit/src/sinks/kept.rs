//! The files that a sink has written, on whatever machine they are now.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::rotation::Names;

/// A file of a sink, open, so that it stays the same file whatever it is called meanwhile.
#[derive(Debug)]
pub struct KeptFile {
    /// Where it was found.
    pub path: PathBuf,
    /// The file.
    pub file: File,
}

/// The file that a sink is told to write, and those that it has been; nothing where none is there.
///
/// # Errors
/// Where one cannot be read.
pub fn kept_files(path: &Path) -> io::Result<Vec<KeptFile>> {
    let names = Names::new(path);
    // The one that is written comes first: where it is renamed now, it is found twice, and not missed.
    let mut paths = vec![path.to_owned()];
    for entry in fs::read_dir(names.folder())? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| names.is_old(name)) {
            paths.push(entry.path());
        }
    }
    let (mut files, mut known) = (Vec::new(), Vec::new());
    for path in paths {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let inode = (metadata.dev(), metadata.ino());
        if !known.contains(&inode) {
            known.push(inode);
            files.push(KeptFile { path, file });
        }
    }
    Ok(files)
}

/// Whether a file of this name is one that a sink with this path writes, or has written.
#[must_use]
pub fn is_kept_name(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|own| own == name) || Names::new(path).is_old(name)
}
