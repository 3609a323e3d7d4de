//! How much may be asked: rates by the generic cell rate algorithm, and requests at once.

mod settings;

pub use settings::{LimitSettings, Per, Rate, RateError};
