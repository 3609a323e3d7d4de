//! The one path of every request.

mod settings;

pub use settings::{Accept, RedirectSettings, RouteAction, RouteSettings};
