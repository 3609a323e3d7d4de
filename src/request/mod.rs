//! What a request says about itself, parsed once: every later step sees these values and no others.

mod authority;
mod client;
mod navigation;
mod path;
mod transport;

pub use authority::{Authority, AuthorityError};
pub use client::{ClientAddress, Forwarding, ForwardingError, TrustedProxies};
pub use navigation::is_navigation;
pub use path::{PathError, PathException, PathExceptions, RequestPath};
pub use transport::{Scheme, Transport, WorkerId};
