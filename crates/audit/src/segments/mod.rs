//! The embedded store: events of a year, which can be asked for in a moment.
//!
//! A folder of segments, each a file of SQLite (`segment`). The one that is written has no index; when it is full or a day
//! old it is closed: it gets its indexes and its summary, and changes no more (`close`). What is too old goes as a whole
//! file (`retention`). What people do again and again is folded into intervals (`fold`). What is personal of a row is sealed
//! under the key of whom it is about (`people`): whose key is gone is nobody.
//!
//! One thread writes ([`writer`]); whoever reads, in this process or another, opens files for themselves ([`Reader`]).

mod catalogue;
mod close;
mod csv;
mod cursor;
mod draft;
mod error;
mod event;
mod filter;
mod fold;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod keys;
mod latency;
mod names;
mod outcomes;
mod page;
mod past;
mod people;
mod question;
mod read_lane;
mod reader;
mod retention;
mod rows;
mod schema;
mod segment;
mod settings;
mod summary;
mod tail;
#[cfg(test)]
mod tests;
mod upkeep;
mod writer;

pub use catalogue::Damaged;
pub use csv::push_csv;
pub use cursor::{Cursor, CursorError};
pub use draft::Who;
pub use error::StoreError;
pub use event::{Event, moment};
pub use filter::{Client, Filter, FilterError};
pub use keys::Pseudonym;
pub use latency::Latency;
pub use outcomes::Outcomes;
pub use page::{LARGEST, Page, Question};
pub use past::Past;
pub use people::Person;
pub use read_lane::{AskError, Asker, Patience, read_apart};
pub use reader::{Extent, Reader, Walked};
pub use settings::StoreSettings;
pub use summary::Summary;
pub use tail::Mark;

pub(crate) use csv::{begins_formula, push_row};
pub(crate) use settings::Limits;
pub(crate) use upkeep::Finding;
pub(crate) use writer::Writer;
