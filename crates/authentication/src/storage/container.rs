//! The file of a backup: a tar archive whose first entry says its version, and then one entry for each store.
//!
//! A store that the gateway gets later becomes a further [`BackedUpStore`]: it is then copied, and asked for at a
//! restore.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::error::BackupError;

/// The version that is written, and the latest that is read.
const VERSION: u32 = 1;

const MANIFEST: &str = "portcullis-backup.json";

/// The manifest is a line; what is longer is none.
const LONGEST_MANIFEST: u64 = 64 * 1024;

/// A store that a backup holds a copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackedUpStore {
    /// The state file.
    State,
    /// Who has been erased from the record.
    Erasures,
}

impl BackedUpStore {
    /// Every store of the gateway.
    pub const ALL: [Self; 2] = [Self::State, Self::Erasures];

    /// Its name in the archive.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::State => "state.db",
            Self::Erasures => "erased",
        }
    }
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Manifest {
    version: u32,
    /// Which gateway wrote it; for people.
    #[serde(default)]
    gateway: String,
    stores: Vec<String>,
}

/// Writes `stores`, each from its file, to `archive`.
pub(super) fn write(archive: File, stores: &[(BackedUpStore, &Path)]) -> io::Result<()> {
    let mut tar = tar::Builder::new(archive);
    let names = stores.iter().map(|(store, _)| store.name().to_owned()).collect();
    let manifest = Manifest { version: VERSION, gateway: env!("CARGO_PKG_VERSION").into(), stores: names };
    let manifest = serde_json::to_vec(&manifest)?;
    tar.append_data(&mut header(manifest.len() as u64), MANIFEST, manifest.as_slice())?;
    for (store, path) in stores {
        let file = File::open(path)?;
        tar.append_data(&mut header(file.metadata()?.len()), store.name(), file)?;
    }
    tar.into_inner()?.sync_all()
}

fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    header
}

/// Reads the archive at `source` and hands the content of each store to `take`. Names and modes in it are not
/// followed: only what is known is taken, to where `take` says.
pub(super) fn read(
    source: &Path,
    mut take: impl FnMut(BackedUpStore, &mut dyn Read) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let unreadable = |cause| BackupError::Unreadable { file: source.to_owned(), cause };
    let other = |why: String| BackupError::NotABackup { file: source.to_owned(), why };
    let mut tar = tar::Archive::new(File::open(source).map_err(unreadable)?);
    let mut entries = tar.entries().map_err(unreadable)?;
    let mut missing =
        manifest(source, entries.next().transpose().map_err(|error| other(error.to_string()))?)?;
    for entry in entries {
        let mut entry = entry.map_err(|error| other(error.to_string()))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let place = missing.iter().position(|store| store.name() == name);
        let place = place
            .ok_or_else(|| other(format!("it holds {name:?}, of which its first entry says nothing")))?;
        take(missing.swap_remove(place), &mut entry)?;
    }
    missing.first().map_or(Ok(()), |store| Err(other(format!("{} is missing from it", store.name()))))
}

/// What the manifest says is there.
fn manifest(source: &Path, first: Option<tar::Entry<'_, File>>) -> Result<Vec<BackedUpStore>, BackupError> {
    let other = |why: String| BackupError::NotABackup { file: source.to_owned(), why };
    let first = first.filter(|entry| *entry.path_bytes() == *MANIFEST.as_bytes());
    let first = first.ok_or_else(|| other(format!("its first entry is not {MANIFEST}")))?;
    let manifest: Manifest = serde_json::from_reader(first.take(LONGEST_MANIFEST))
        .map_err(|error| other(format!("{MANIFEST} cannot be read: {error}")))?;
    if manifest.version > VERSION {
        return Err(BackupError::Newer {
            file: source.to_owned(),
            version: manifest.version,
            known: VERSION,
        });
    }
    let known = |name: &String| BackedUpStore::ALL.into_iter().find(|store| store.name() == name);
    let stores = manifest.stores.iter();
    stores
        .map(|name| known(name).ok_or_else(|| other(format!("it holds an unknown store {name:?}"))))
        .collect()
}
