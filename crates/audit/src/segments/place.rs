//! A segment as a place of a chain, for verification: its blocks and rows as they stand in the file, whatever that is by now.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode};

use super::error::StoreError;
use super::event::id_of;
use super::leaf::{Chained, Rows};
use super::links::going_hash;
use super::names::{self, SegmentName};
use super::stored::{self, Stored};
use super::{claims, schema};
use crate::chain::{Finding, Hash, Opening, Piece, Place, Placed, What};

/// A segment that is being verified.
#[derive(Debug)]
pub struct SegmentPlace {
    name: SegmentName,
    /// What the chain calls it, whether it is closed by now or not.
    file: String,
    /// None: it cannot be read at all.
    connection: Option<Connection>,
    is_over: bool,
    rows: Rows,
    chain: Arc<str>,
    /// The block that was read last, and its last row.
    block: i64,
    last: i64,
    /// What went on by the block that said so last.
    going: Hash,
    last_going: Option<i64>,
    ready: VecDeque<Placed>,
    notes: Vec<String>,
    findings: Vec<Finding>,
}

impl SegmentPlace {
    /// Opens a segment; none where it is not there any more. One that is no database is a finding.
    pub(super) fn open(folder: &Path, name: &SegmentName) -> io::Result<Option<Self>> {
        for name in [name.clone(), name.closed()] {
            let path = name.path(folder);
            let opened = schema::read(&path, name.is_open).and_then(|connection| {
                connection.execute_batch("BEGIN").map_err(StoreError::sqlite(&path)).map(|()| connection)
            });
            if !path.exists() {
                continue;
            }
            let mut place = Self::of(name);
            match opened {
                Ok(connection) => place.connection = Some(connection),
                Err(error @ StoreError::Io { .. }) => return Err(io::Error::other(error)),
                Err(error) if is_passing(&error) => return Err(io::Error::other(error)),
                Err(error) => place.breaks_off(&error.to_string()),
            }
            place.begin()?;
            return Ok(Some(place));
        }
        Ok(None)
    }

    fn of(name: SegmentName) -> Self {
        Self {
            file: name.closed().file(),
            name,
            connection: None,
            is_over: false,
            rows: Rows::default(),
            chain: "".into(),
            block: i64::MIN,
            last: i64::MIN,
            going: going_hash([]),
            last_going: None,
            ready: VecDeque::new(),
            notes: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Whether it changes no more, so that it may be read as slowly as anybody likes.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        !self.name.is_open
    }

    fn begin(&mut self) -> io::Result<()> {
        let read = |connection: &Connection| {
            if !stored::is_there(connection)? {
                return Ok(None);
            }
            stored::last_going(connection).map(Some)
        };
        match self.ask(read)? {
            Some(Some(going)) => self.last_going = going,
            // What was written before there were chains is in none.
            Some(None) => {
                self.is_over = true;
                self.read_tail()?;
            }
            None => {}
        }
        Ok(())
    }

    /// Asks the file; none where it cannot be read, which is a finding.
    fn ask<T>(&mut self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> io::Result<Option<T>> {
        let Some(connection) = &self.connection else { return Ok(None) };
        match read(connection) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_busy(&error) => Err(io::Error::other(error)),
            Err(error) => {
                self.breaks_off(&error.to_string());
                Ok(None)
            }
        }
    }

    fn breaks_off(&mut self, why: &str) {
        self.is_over = true;
        let behind = match self.last {
            i64::MIN => "it cannot be read".to_owned(),
            row => format!("it cannot be read behind row {row}"),
        };
        self.findings.push(Finding::of(What::Damaged, &self.file, format!("{behind}: {why}")));
    }

    /// The pieces of the next block.
    fn read_block(&mut self) -> io::Result<()> {
        let (behind, last) = (self.block, self.last);
        let Some(Some(block)) = self.ask(|connection| stored::behind(connection, behind))? else {
            return self.end();
        };
        let mut rows = std::mem::take(&mut self.rows);
        let read = self.ask(|connection| rows.read(connection, "event", (last, block.last)))?;
        let going = self.going_of(&block, &mut rows)?;
        self.rows = rows;
        self.read_opening(&block);
        (self.block, self.last) = (block.number, block.last.max(last));
        let read = read.unwrap_or_default();
        self.judge_adopted(&block, &read);
        self.judge_last(&block, &read, last);
        read.into_iter().for_each(|row| self.push_row(row));
        if let Some((piece, stored)) = going {
            self.push(piece, 32);
            self.going = stored;
        }
        match block.footer(&self.chain) {
            Some(footer) => self.push(Piece::Footer(footer), 0),
            None => self.tell(What::Footer, format!("what stands as block {} is none", block.number)),
        }
        Ok(())
    }

    fn read_opening(&mut self, block: &Stored) {
        let Some(line) = &block.opening else { return };
        let Some(opening) = Opening::read(line.as_bytes()) else {
            return self.tell(
                What::Changed,
                format!("what block {} begins with is not what was written", block.number),
            );
        };
        self.chain = Arc::clone(&opening.chain);
        let process = opening.chain.rsplit_once('/').map_or("", |(_, process)| process);
        if process.split('-').next() != Some(&*self.name.process) {
            self.tell(What::Renamed, format!("it was written by the process {process}"));
        }
        self.push(Piece::Opening(opening, Hash::of(line.as_bytes())), line.len() as u64);
    }

    /// What goes on as this block says, where it does: as it stands there by now, where no later block says it anew.
    fn going_of(&mut self, block: &Stored, rows: &mut Rows) -> io::Result<Option<(Piece, Hash)>> {
        let Some(stored) = block.going else { return Ok(None) };
        if self.last_going != Some(block.number) {
            return Ok(Some((Piece::Past(stored), stored)));
        }
        let read = self.ask(|connection| rows.read(connection, "going_on", (i64::MIN, i64::MAX)))?;
        let read = read.unwrap_or_default();
        let now = mutant!(going_hash(read.iter().map(|row| &row.hash)), "store-going-on-unproved" => stored);
        if now != stored {
            let words = "what goes on is not what was written of it".to_owned();
            self.tell(What::Changed, words);
        }
        Ok(Some((Piece::Line(stored), stored)))
    }

    /// What was found among what went on is what its process had written there last.
    fn judge_adopted(&mut self, block: &Stored, rows: &[Chained]) {
        let own = rows.len().saturating_sub(block.adopted);
        let adopted = &rows[own..];
        if block.adopted > 0 && going_hash(adopted.iter().map(|row| &row.hash)) != self.going {
            let row = adopted.first().map_or(0, |row| row.n);
            let words = "what went on when its process was killed is not what that had written of it";
            let finding = Finding::of(What::Changed, &self.file, words);
            self.findings.push(finding.at(row.cast_unsigned(), 0));
        }
    }

    /// The last row of a block is the one that it says: the next ones begin behind it.
    fn judge_last(&mut self, block: &Stored, rows: &[Chained], before: i64) {
        let last = rows.last().map_or(before.max(0), |row| row.n);
        let others = usize::from(block.opening.is_some()) + usize::from(block.going.is_some());
        if block.last != last && block.rows() == Some(rows.len() + others) {
            self.tell(What::Footer, format!("what block {} says of its last row is not so", block.number));
        }
    }

    fn push_row(&mut self, row: Chained) {
        self.notes.extend(row.note);
        let (line, piece) = (row.n.cast_unsigned(), Piece::Line(row.hash));
        self.ready.push_back(Placed { line, at: 0, bytes: row.bytes, piece });
    }

    /// A piece that is no row stands behind the row before it.
    fn push(&mut self, piece: Piece, bytes: u64) {
        let line = self.ready.back().map_or(self.last.max(0).cast_unsigned(), |placed| placed.line);
        self.ready.push_back(Placed { line, at: 0, bytes, piece });
    }

    fn tell(&mut self, what: What, words: String) {
        self.findings.push(Finding::of(what, &self.file, words));
    }

    /// Rows that no block has.
    fn read_tail(&mut self) -> io::Result<()> {
        let (mut rows, last) = (std::mem::take(&mut self.rows), self.last);
        let read = self.ask(|connection| rows.read(connection, "event", (last, i64::MAX)))?;
        let read = read.unwrap_or_default();
        if let Some(first) = read.first().filter(|_| self.block != i64::MIN) {
            let words = format!("{} rows belong to no block", read.len());
            let finding = Finding::of(What::Inserted, &self.file, words);
            self.findings.push(finding.at(first.n.cast_unsigned(), 0));
        }
        self.last = read.last().map_or(last, |row| row.n);
        read.into_iter().for_each(|row| self.push_row(row));
        Ok(())
    }

    /// All blocks are read.
    fn end(&mut self) -> io::Result<()> {
        if self.block != i64::MIN {
            self.read_tail()?;
        }
        let (name, unsaid) = (self.name.clone(), self.last_going.is_none());
        let wrong = self.ask(|connection| claims::wrong(connection, &name, unsaid))?;
        self.is_over = true;
        wrong.into_iter().flatten().for_each(|(what, words)| self.tell(what, words));
        Ok(())
    }
}

impl Place for SegmentPlace {
    fn name(&self) -> &str {
        &self.file
    }

    fn next(&mut self) -> io::Result<Option<Placed>> {
        while self.ready.is_empty() && !self.is_over {
            self.read_block()?;
        }
        Ok(self.ready.pop_front())
    }

    fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    fn has_rows(&self) -> bool {
        true
    }

    fn event(&mut self, row: u64) -> Option<String> {
        let connection = self.connection.as_ref()?;
        let find =
            connection.query_row("SELECT id FROM event WHERE n = ?1", [row.cast_signed()], |row| row.get(0));
        find.ok().map(|id| id_of(&self.name.process, id))
    }
}

/// Whether somebody else is at it.
fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OutOfMemory))
}

fn is_passing(error: &StoreError) -> bool {
    matches!(error, StoreError::Sqlite { cause, .. } if is_busy(cause))
}

/// The segments of a store for verification, the oldest number first, and those that come meanwhile as well: what says that
/// one was removed stands in a later one.
#[derive(Debug)]
pub struct SegmentPlaces {
    folder: PathBuf,
    seen: HashSet<SegmentName>,
}

impl SegmentPlaces {
    /// Those of this folder.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), seen: HashSet::new() }
    }

    /// Whether there is a store in this folder.
    #[must_use]
    pub fn is_store(folder: &Path) -> bool {
        folder.join(names::PEOPLE).exists() || names::segments(folder).is_ok_and(|all| !all.is_empty())
    }

    /// Whether a segment is called so.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        SegmentName::of(name).is_some_and(|name| !name.is_open)
    }

    /// The next one; none where all are verified.
    ///
    /// # Errors
    /// Where the folder or the file cannot be read for a reason that lies outside of it.
    pub fn open_next(&mut self) -> io::Result<Option<SegmentPlace>> {
        for name in names::segments(&self.folder)? {
            if self.seen.insert(name.closed())
                && let Some(place) = SegmentPlace::open(&self.folder, &name)?
            {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }
}
