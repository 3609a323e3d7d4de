//! How much may be asked: rates by the generic cell rate algorithm, and requests at once.

mod concurrency;
mod limiter;
mod policy;
mod settings;
mod standing;
mod store;
#[cfg(test)]
mod tests;

pub use concurrency::{Concurrency, Slot};
pub use limiter::Limiter;
pub use settings::{LimitSettings, Per, Rate, RateError};
pub use standing::{Exceeded, Standing};
