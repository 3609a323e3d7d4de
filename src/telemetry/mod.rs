//! How the program speaks about itself: log lines and metrics.

mod access;
mod log;
mod metrics;
mod requests;
mod settings;

pub use access::AccessLine;
pub use log::{LogError, LogGuard, start};
pub use prometheus_client::metrics::counter::Counter;

pub use metrics::{Metrics, Scrape};
pub use requests::{Outcome, RequestStats};
pub use settings::{LogFormat, LogSettings};
