//! How the program speaks about itself: log lines and metrics.

mod log;
mod lookups;
mod metrics;
mod requests;
mod settings;

pub use log::{LogError, start, with_causes};
pub use lookups::Lookups;
pub use metrics::{LogoutChannel, Metrics, Scrape};
pub use portcullis_events::Outcome;
pub use prometheus_client::metrics::counter::Counter;
pub use requests::{BUCKETS, RequestStats};
pub use settings::{LogFormat, LogSettings};
