//! What becomes of events: who keeps them, and where. Whoever emits knows nothing of this.
//!
//! A thread sweeps the lanes of the recorder and gives each block to the queue of every sink (`sinks`). Each sink has a thread
//! of its own. Nobody ever waits for a sink; what it misses is counted, and told. One of them is a store that can be asked
//! (`segments`). What a file holds is chained and signed, so that it shows when something of it is changed later (`chain`).

#[macro_use(mutant)]
extern crate portcullis_rules;

pub mod chain;
pub mod mapping;
pub mod reports;
pub mod segments;
pub mod sinks;

use portcullis_rules::{clock, secret};
use portcullis_trace as trace;
