//! TOML → what is meant. Every fault of a file in one report.

mod settings;

pub use settings::Settings;
