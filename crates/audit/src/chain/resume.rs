//! Where the chain of a file ends that somebody else has written.

use std::fs::File;
use std::io::{self, BufReader, Seek as _, SeekFrom};
use std::sync::Arc;

use super::hash::Hash;
use super::lines::{LinesOfFile, Piece, Place as _};
use super::writer::Filling;

/// How much of a file's end is looked at first. A block has no more, nor has what a process leaves behind that is killed.
const END: u64 = 8 * 1024 * 1024;

/// What a file holds of a chain.
#[derive(Debug)]
pub(crate) struct Found {
    /// The chain; none where there is none.
    pub(crate) chain: Option<Arc<str>>,
    /// The block that its end belongs to, with the lines that are in none yet.
    pub(crate) block: Filling,
}

impl Found {
    pub(crate) fn chain_or(&self, other: &Arc<str>) -> Arc<str> {
        self.chain.as_ref().map_or_else(|| Arc::clone(other), Arc::clone)
    }

    pub(crate) fn nothing() -> Self {
        Self { chain: None, block: Filling::behind(1, Hash::NONE) }
    }

    /// Looks at a file that nobody writes.
    pub(crate) fn read(file: &File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        if let Some(found) =
            read_from(file, length.saturating_sub(END))?.filter(|found| found.chain.is_some())
        {
            return Ok(found);
        }
        let found = read_from(file, 0)?;
        Ok(found.unwrap_or_else(Self::nothing))
    }
}

/// What can be found behind this byte; none where that is not enough to tell.
fn read_from(mut file: &File, from: u64) -> io::Result<Option<Found>> {
    file.seek(SeekFrom::Start(from))?;
    let mut lines = LinesOfFile::new("", BufReader::with_capacity(1 << 17, file));
    if from > 0 {
        lines.next()?;
    }
    let (mut chain, mut block, mut sealed) = (None, Filling::behind(1, Hash::NONE), false);
    while let Some(placed) = lines.next()? {
        match placed.piece {
            Piece::Footer(footer) => {
                block = Filling::behind(footer.number + 1, footer.hash);
                (chain, sealed) = (Some(footer.chain), true);
            }
            Piece::Opening(opening, hash) => {
                // Without a footer before it, the first one says where the chain stands. What is above it was never in
                // any chain, and is behind no block.
                if chain.is_none() {
                    if block.lines == 0 || opening.prev != Hash::NONE {
                        block = Filling::behind(opening.number, opening.prev);
                    }
                    chain = Some(opening.chain);
                }
                block.add(&hash, placed.bytes);
            }
            Piece::Line(hash) | Piece::Hidden(hash) | Piece::Past(hash) => block.add(&hash, placed.bytes),
            Piece::Rest => {}
        }
    }
    Ok((sealed || from == 0).then_some(Found { chain, block }))
}
