//! How the program speaks about itself: log lines and metrics.

#[macro_use(mutant)]
extern crate portcullis_rules;

mod accept;
mod counter;
mod examples;
mod exposition;
mod family;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod log;
mod lookups;
mod metrics;
mod requests;
mod settings;

pub use counter::Counter;
pub use exposition::Exposition;
pub use family::{Bucket, Example, Family, Histogram, Labels, Points};
pub use log::{LogError, start, with_causes};
pub use lookups::Lookups;
pub use metrics::{LogoutChannel, Metrics, Scrape};
pub use portcullis_events::Outcome;
pub use requests::{BUCKETS, RequestStats};
pub use settings::{LogFormat, LogSettings, TelemetrySettings};
