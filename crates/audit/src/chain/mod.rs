//! The chain: what shows afterwards that a record was changed, cut, or put together anew (invariant 28).
//!
//! What a sink keeps is a sequence of blocks. The hash of a block is that of the block before and of each of its lines, as
//! they were written; a line behind each block tells it ([`Footer`]). Whoever rewrites a line must rewrite all that follows,
//! and that is what checkpoints are for: the heads of all chains, signed every minute ([`Checkpoint`]), which leave the
//! machine as events by every sink. [`Verification`] walks over what is there and says what is wrong with it. It knows
//! nothing of where bytes lie: whoever keeps a chain shows it as a [`Place`].

mod book;
mod checkpoint;
#[cfg(test)]
pub(crate) mod dice;
mod export;
mod finding;
mod findings_of_block;
mod findings_of_checkpoints;
mod footer;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hash;
mod lines;
mod log;
mod note;
mod opening;
mod order;
mod removed;
mod resume;
mod series;
mod ties;
mod ties_of_others;
mod verify;
mod walk;
mod writer;

pub use book::{Book, BookError};
pub use checkpoint::{Checkpoint, KeyStatement, Statement};
pub use export::{Export, Exported, read_export};
pub use finding::{Finding, What};
pub use footer::Footer;
pub(crate) use footer::LINES;
pub use hash::{BlockHash, Hash};
pub(crate) use lines::note;
pub use lines::{LinesOfFile, Piece, Place, Placed};
pub use log::{CheckpointLog, read_notes};
pub use note::{Note, NoteError, SignerKey, VerifierKey};
pub use opening::{Opening, file_name};
pub(crate) use resume::Found;
pub use series::{KeyInUse, Series};
pub use ties::{Head, Peer, Ties};
pub use verify::{ChainReport, Proved, Report, Verification, Whole};
pub(crate) use writer::{Filling, Writer};
