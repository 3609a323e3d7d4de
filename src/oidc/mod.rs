//! Room: oidc.

pub mod jwks;
mod settings;

pub use settings::*;
