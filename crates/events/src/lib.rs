//! What happens in the gateway, for whoever must know later who did what: events, each a line of JSON.
//!
//! An event is written once, where it happens, into the lane of its thread ([`Recorder::emit`]): by hand, from tables of
//! fields and kinds ([`Field::TABLE`], [`Kind::TABLE`]), without an allocation and without waiting for anybody. Whoever
//! keeps events sweeps the lanes and gets blocks of whole lines, each line with a head that tells what it is without being
//! read. What finds no room is lost, and counted, and told.

#[macro_use(mutant)]
extern crate portcullis_rules;

mod block;
mod escape;
mod event;
mod field;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod head;
mod kind;
mod lane;
mod line;
mod outcome;
mod part_watch;
mod read;
mod recorder;
#[cfg(any(test, fuzzing, feature = "testing"))]
pub mod samples;
mod schema;
mod stamp;
mod strangers;
#[cfg(test)]
mod tests;
mod thread;

pub use block::Block;
pub use escape::{is_inert, push_inert};
pub use event::*;
pub use field::{Field, FieldRow, FieldSet, FieldType};
pub use head::{EventHead, Flags};
pub use kind::{Kind, KindRow, KindSet, Level};
pub use line::{Change, Line, Ready};
pub use outcome::Outcome;
pub use part_watch::PartWatch;
pub use read::{Seen, Unreadable, Value};
pub use recorder::{EventSeq, Memory, Recorder};
pub use schema::schema;
pub use thread::enter_worker;

/// Bytes that no line exceeds, its line feed included.
pub const LONGEST_LINE: usize = 8192;
