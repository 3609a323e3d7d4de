//! Blocks of a chain as a segment holds them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::chain::{Footer, Hash, Opening};

const COLUMNS: &str = "number, last, opening, going, adopted, rows, bytes, prev, leaves, hash";

/// A block that was read. Nothing of it is known to be right.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) number: i64,
    /// Its last row.
    pub(super) last: i64,
    /// What it begins with.
    pub(super) opening: Option<String>,
    /// What went on when it was written last; none: as in the block before.
    pub(super) going: Option<Hash>,
    /// Rows at its end that were found among what went on.
    pub(super) adopted: usize,
    counts: (i64, i64),
    hashes: Option<(Hash, Vec<[u8; 8]>, Hash)>,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let leaves: Vec<u8> = row.get(8)?;
        let (leaves, rest) = leaves.as_chunks::<8>();
        let leaves = rest.is_empty().then(|| leaves.to_vec());
        let hashes =
            hash(row, 7)?.zip(leaves).zip(hash(row, 9)?).map(|((prev, leaves), own)| (prev, leaves, own));
        Ok(Self {
            number: row.get(0)?,
            last: row.get(1)?,
            opening: row.get(2)?,
            going: hash(row, 3)?,
            adopted: usize::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
            counts: (row.get(5)?, row.get(6)?),
            hashes,
        })
    }

    /// How many rows it says that it has, and what stands between them.
    pub(super) fn rows(&self) -> Option<usize> {
        usize::try_from(self.counts.0).ok()
    }

    /// What it says of itself; none where it is nothing of the kind.
    pub(super) fn footer(&self, chain: &Arc<str>) -> Option<Footer> {
        let (prev, leaves, hash) = self.hashes.clone()?;
        let whole = |number: i64| u64::try_from(number).ok();
        let (lines, bytes, leaves) = (whole(self.counts.0)?, whole(self.counts.1)?, Some(leaves));
        let (chain, number) = (Arc::clone(chain), whole(self.number)?);
        Some(Footer { chain, number, lines, bytes, prev, leaves, hash })
    }
}

fn hash(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Hash>> {
    let bytes = row.get_ref(column)?.as_blob_or_null().ok().flatten();
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(Hash))
}

/// Whether a segment has a chain: one of before there were chains has none.
pub(super) fn is_there(connection: &Connection) -> rusqlite::Result<bool> {
    let find = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'block'";
    connection.query_row(find, [], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

fn find(connection: &Connection, which: &str, number: i64) -> rusqlite::Result<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM block WHERE {which} LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([number], Stored::read).optional()
}

/// The first block behind this one.
pub(super) fn behind(connection: &Connection, number: i64) -> rusqlite::Result<Option<Stored>> {
    find(connection, "number > ?1 ORDER BY number", number)
}

/// The last block.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<Stored>> {
    if !is_there(connection)? {
        return Ok(None);
    }
    find(connection, "number >= ?1 ORDER BY number DESC", i64::MIN)
}

/// The last block that says what goes on.
pub(super) fn last_going(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.query_row("SELECT max(number) FROM block WHERE going IS NOT NULL", [], |row| row.get(0))
}

/// The chain, as the segment's first block says.
pub(super) fn chain(connection: &Connection) -> rusqlite::Result<Option<Arc<str>>> {
    let first = behind(connection, i64::MIN)?;
    Ok(first.and_then(|first| Some(Opening::read(first.opening?.as_bytes())?.chain)))
}
