//! How much may be asked: rates by the generic cell rate algorithm, and requests at once.

mod concurrency;
mod limiter;
mod policy;
mod question;
mod rate_limit_state;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod usage;

pub use concurrency::{Concurrency, ConcurrencyPermit};
pub use limiter::Limiter;
pub use question::{RateAnswer, RateQuestion};
pub use rate_limit_state::{Exceeded, RateLimitState};
pub use settings::{LimitSettings, Per, Rate, RateError};
pub use usage::LimitUsage;
