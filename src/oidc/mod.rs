//! Room: oidc.

mod settings;

pub use settings::*;
