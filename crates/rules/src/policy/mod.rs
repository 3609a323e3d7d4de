//! Who may do what: rules, decisions, and the reason of each decision.

mod access;
mod condition;
mod decision;
mod explain;
mod index;
mod permit;
mod reason;
mod rule;
mod rules;
mod settings;
mod step_up;
#[cfg(test)]
mod tests;

pub use access::Access;
pub use condition::Truth;
pub use decision::{Decision, Question, decide, permit_preflight};
pub use explain::{ConditionResult, Explanation, PolicyResult, RuleResult, explain, missing_scopes};
pub use permit::{Grant, Permit};
pub use reason::{Reason, ReasonText, Verdict};
pub use settings::{AccessSettings, PolicySettings, RuleSettings};
pub use step_up::least_strength;
