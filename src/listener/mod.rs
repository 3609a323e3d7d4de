//! Room: listener.

mod settings;

pub use settings::*;
