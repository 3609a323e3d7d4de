//! Whether what sinks keep is what they wrote.

use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::kept::{KeptFile, is_kept_name, kept_files};
use super::postgres::{PostgresRecord, PostgresServer, is_postgres_place};
use crate::chain::{
    Finding, LinesOfFile, Place, Placed, Report, Verification, VerifierKey, Whole, file_name,
};
use crate::segments::SegmentPlaces;

/// What a sink keeps in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A file, and those that it has been.
    Files(PathBuf),
    /// A store's folder.
    Store(PathBuf),
    /// Tables in a database.
    Postgres(PostgresServer),
}

impl Kept {
    /// Where it is on this machine; none where it is elsewhere.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Files(path) | Self::Store(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    fn is_one(&self, name: &str) -> bool {
        match self {
            Self::Files(path) => is_kept_name(path, name),
            Self::Store(_) => SegmentPlaces::is_name(name),
            Self::Postgres(_) => is_postgres_place(name),
        }
    }
}

/// What was signed of it: a file of checkpoints, to the letter, and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Its name, without its folder.
    pub name: String,
    /// All of it. It is to be read before the record, which grows.
    pub text: String,
}

/// What a record is held against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What was signed of it.
    pub signed: Option<Signed>,
    /// What other gateways have signed, which ties that.
    pub witnesses: Vec<Signed>,
    /// The key to which what was signed must lead.
    pub key: Option<VerifierKey>,
}

/// What is wrong with the way to a record, and says nothing of the record.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", .path.display())]
pub struct VerifyError {
    /// Where.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub cause: io::Error,
}

/// Verifies everything that is kept there. `rest` is called behind each line and each row, and may take its time, but for a
/// segment that is written, and for a database; where it fails, so does all of it.
///
/// # Errors
/// Where something cannot be read.
pub fn verify(
    kept: &[Kept],
    evidence: &Evidence,
    rest: &mut dyn FnMut() -> io::Result<()>,
) -> Result<Report, VerifyError> {
    let mut verification = Verification::new(Whole::Record);
    for one in kept {
        let one = one.clone();
        verification.expect(move |name| one.is_one(name));
    }
    if let Some(signed) = &evidence.signed {
        verification.checkpoints(&signed.name, &signed.text);
    }
    for witness in &evidence.witnesses {
        verification.witness(&witness.name, &witness.text);
    }
    for one in kept {
        let walked = match one {
            Kept::Files(path) => files(path, &mut verification, rest),
            Kept::Store(path) => segments(path, &mut verification, rest),
            Kept::Postgres(server) => {
                let walked = PostgresRecord::open(server).and_then(|record| record.verify(&mut verification));
                walked.map_err(|error| io::Error::new(error.kind(), format!("it cannot be read: {error}")))
            }
        };
        let path = || one.path().unwrap_or(Path::new("PostgreSQL")).to_owned();
        walked.map_err(|cause| VerifyError { path: path(), cause })?;
    }
    Ok(verification.finish(evidence.key.as_ref()))
}

fn files(
    path: &Path,
    verification: &mut Verification,
    rest: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<()> {
    for KeptFile { path, file } in kept_files(path)? {
        let place = LinesOfFile::new(file_name(&path), BufReader::with_capacity(1 << 17, file));
        verification.place(&mut Slow { place, rest })?;
    }
    Ok(())
}

fn segments(
    folder: &Path,
    verification: &mut Verification,
    rest: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let mut places = SegmentPlaces::of(folder);
    while let Some(mut place) = places.open_next()? {
        // Whoever reads a segment that is written for long keeps its log from being emptied.
        if place.is_closed() {
            verification.place(&mut Slow { place, rest })?;
        } else {
            verification.place(&mut place)?;
            drop(place);
            rest()?;
        }
    }
    Ok(())
}

/// A place that is read with rests.
struct Slow<'a, P> {
    place: P,
    rest: &'a mut dyn FnMut() -> io::Result<()>,
}

impl<P: Place> Place for Slow<'_, P> {
    fn name(&self) -> &str {
        self.place.name()
    }

    fn next(&mut self) -> io::Result<Option<Placed>> {
        (self.rest)()?;
        self.place.next()
    }

    fn take_notes(&mut self) -> Vec<String> {
        self.place.take_notes()
    }

    fn take_findings(&mut self) -> Vec<Finding> {
        self.place.take_findings()
    }

    fn has_rows(&self) -> bool {
        self.place.has_rows()
    }

    fn event(&mut self, row: u64) -> Option<String> {
        self.place.event(row)
    }
}
