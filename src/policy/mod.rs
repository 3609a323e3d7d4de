//! Who may do what: rules, decisions, and the reason of each decision.

mod permit;
mod settings;

pub use permit::{Grant, Permit};
pub use settings::{AccessSettings, PolicySettings, RuleSettings};
