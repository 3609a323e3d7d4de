//! The segments of a store, and what is known of each without a question.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _};

use super::error::StoreError;
use super::names::{self, SegmentName};
use super::schema;

/// What a closed segment says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The time of its first event.
    pub(super) since: u64,
    /// The time of its last event.
    pub(super) until: u64,
    pub(super) rows: u64,
    pub(super) events: u64,
}

/// A segment in the folder.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) name: SegmentName,
    pub(super) path: PathBuf,
    /// Bytes of its file.
    pub(super) bytes: u64,
    /// None: it is written still.
    pub(super) bounds: Option<Bounds>,
}

impl Listed {
    /// The time of its last event; of one that is written, the end of all times.
    pub(super) fn until(&self) -> u64 {
        self.bounds.map_or(u64::MAX, |bounds| bounds.until)
    }

    pub(super) fn since(&self) -> u64 {
        self.bounds.map_or(0, |bounds| bounds.since)
    }
}

/// A file that is no segment though it is called so, or one that is damaged. It is left as it is, and not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl Damaged {
    pub(super) fn new(file: &Path, error: &StoreError) -> Self {
        Self { file: file.to_owned(), reason: error.to_string() }
    }
}

/// All segments of a folder. What closed ones say of themselves is asked once.
#[derive(Debug)]
pub(super) struct Catalogue {
    folder: PathBuf,
    known: Mutex<HashMap<SegmentName, (u64, Bounds)>>,
}

impl Catalogue {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), known: Mutex::default() }
    }

    /// What is there now.
    pub(super) fn list(&self) -> Result<(Vec<Listed>, Vec<Damaged>), StoreError> {
        let all = names::segments(&self.folder).map_err(StoreError::io(&self.folder))?;
        let (mut listed, mut damaged) = (Vec::new(), Vec::new());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|name, _| all.contains(name));
        for name in all {
            // What is gone by now was removed, or has been closed since and is called otherwise.
            let Some((name, path, metadata)) = self.there(name) else { continue };
            if listed.iter().any(|known: &Listed| known.name == name) {
                continue;
            }
            let bytes = metadata.len();
            let bounds = match known.get(&name).filter(|(before, _)| *before == bytes) {
                _ if name.is_open => Ok(None),
                Some((_, bounds)) => Ok(Some(*bounds)),
                None => bounds(&path).map(Some),
            };
            match bounds {
                Ok(bounds) => {
                    known.extend(bounds.map(|bounds| (name.clone(), (bytes, bounds))));
                    listed.push(Listed { name, path, bytes, bounds });
                }
                Err(error) if mutant!(true, "damaged-segment-hides-others" => false) => {
                    damaged.push(Damaged::new(&path, &error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok((listed, damaged))
    }

    fn there(&self, name: SegmentName) -> Option<(SegmentName, PathBuf, fs::Metadata)> {
        let of = |name: SegmentName| {
            let path = name.path(&self.folder);
            fs::metadata(&path).ok().map(|metadata| (name, path, metadata))
        };
        let closed = name.is_open.then(|| name.closed());
        of(name).or_else(|| of(closed?))
    }

    /// Opens a segment, which may have been closed since it was listed; none: it is gone.
    pub(super) fn open(&self, listed: &Listed) -> Result<Option<Connection>, StoreError> {
        if listed.path.exists() {
            match schema::read(&listed.path, listed.name.is_open) {
                Err(_) if !listed.path.exists() => {}
                opened => return opened.map(Some),
            }
        }
        let closed = listed.name.closed().path(&self.folder);
        if listed.name.is_open && closed.exists() {
            return schema::read(&closed, false).map(Some);
        }
        Ok(None)
    }
}

fn bounds(path: &Path) -> Result<Bounds, StoreError> {
    let fault = StoreError::sqlite(path);
    let segment = schema::read(path, false)?;
    let find = |name: &str| {
        let found = segment
            .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get::<_, Option<i64>>(0));
        found.optional().map(|value| value.flatten().unwrap_or(0).cast_unsigned()).map_err(&fault)
    };
    Ok(Bounds { since: find("since")?, until: find("until")?, rows: find("rows")?, events: find("events")? })
}
