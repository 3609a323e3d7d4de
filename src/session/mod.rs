//! Sessions live on the server; the browser holds only a key.

mod model;
mod settings;

pub use model::Tokens;
pub use settings::SessionSettings;
