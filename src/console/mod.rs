//! The console: what the gateway does, for the people whom its route and `[console]` let in.
//!
//! It stands behind the gate like any app: who asks, from where, how often and from which page is judged before it is asked
//! (invariants 17, 18 and 25), and it has no other door. What it shows it asks the [`Process`] for. Everything is rendered
//! here and is complete without scripts.

mod answer;
mod overview;
mod process;
mod role;
mod shell;

pub use answer::{Console, Visit};
pub use process::{Process, ProcessOverview, ProviderShown};
pub use role::Role;
