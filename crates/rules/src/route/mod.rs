//! Host and path → route, in time that does not grow with the number of routes.

mod pattern;
mod table;

pub use pattern::{HostPattern, HostPatternError, PathPrefix, PathPrefixError, RoutePattern};
pub use table::{Conflict, Lookup, RouteTable};
