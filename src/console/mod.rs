//! The console: what the gateway does, for the people whom its route and `[console]` let in.
//!
//! It stands behind the gate like any app: who asks, from where, how often and from which page is judged before it is asked
//! (invariants 17, 18 and 25), and it has no other door. What it shows it asks the [`Process`] for. Everything is rendered
//! here and is complete without scripts. Which role a page or an act needs stands in one table ([`place`]); another kind of
//! page, such as one of what has happened, is a variant there, a file beside the others and a template.

mod access;
mod acts;
mod answer;
mod apps;
mod asked;
mod assets;
mod chart;
mod configuration;
mod counts;
mod diff;
mod end;
mod event_row;
mod events;
mod explorer;
mod export;
mod fields;
mod filter;
mod live;
mod message;
mod moment;
mod overview;
mod people;
mod place;
mod process;
mod range;
mod reading;
mod record;
mod reports;
mod review;
mod role;
mod seats;
mod sessions;
mod shell;
mod sign_in;
mod story;
mod taken_away;
mod terms;
mod text;
mod written;

pub use answer::{Console, Visit};
pub use process::{
    AppShown, Asked, ConfigurationShown, Counted, Judged, Judgement, LimitShown, OnDisk, PersonAsked,
    Process, ProcessOverview, ProviderShown, RefusedShown, ServerCondition, ServerShown, SharedShown,
    SinkShown,
};
pub use role::Role;
