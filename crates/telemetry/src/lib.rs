//! How the program speaks about itself: log lines and metrics.

mod access;
mod log;
mod lookups;
mod metrics;
mod requests;
mod settings;

pub use access::AccessLine;
pub use log::{LogError, LogGuard, start, with_causes};
pub use lookups::Lookups;
pub use metrics::{LogoutChannel, Metrics, Scrape};
pub use prometheus_client::metrics::counter::Counter;
pub use requests::{Outcome, RequestStats};
pub use settings::{LogFormat, LogSettings};
