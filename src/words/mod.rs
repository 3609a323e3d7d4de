//! What people read: every text of the pages, in the languages that there are.
//!
//! English and German are built in; others are files of the same form (Fluent, <https://projectfluent.org>), of which what is
//! used here is texts, variables and the choice of a text by a count. A text is named by a [`Word`], so that one that there is
//! not does not compile; tests hold both files complete. What strangers write never passes through a file: it is put into a
//! text's places when the text stands, escaped.

mod catalogue;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod language;
mod languages;
mod pattern;
mod read;
#[cfg(test)]
mod tests;
mod word;

pub use catalogue::{Arg, Catalogue};
pub use languages::Languages;
pub use read::{Flaw, LARGEST_FILE};
pub use word::Word;
