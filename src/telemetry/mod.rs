//! Room: telemetry.

mod settings;

pub use settings::*;
