//! The table of routes.

use http::Method;

use super::RoutePattern;
use crate::request::{Authority, RequestPath, Scheme};

/// Finds the route of a request: the most specific host, then the longest path, then a method filter.
#[derive(Clone, Debug)]
pub struct RouteTable<T> {
    routes: Vec<(RoutePattern, T)>,
}

/// Two routes claim the same requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Index of the earlier one.
    pub first: usize,
    /// Index of the later one.
    pub second: usize,
}

/// What the table knows of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a, T> {
    /// The route.
    Found(&'a T),
    /// Host and path are known, the method is not.
    MethodNotAllowed,
    /// The host is known, the path is not.
    UnknownPath,
    /// Nobody knows the host.
    UnknownHost,
}

impl<T> RouteTable<T> {
    /// Builds the table; every pair of routes with the same host, path and an overlapping method is a conflict.
    ///
    /// # Errors
    /// All conflicts.
    pub fn build(routes: Vec<(RoutePattern, T)>) -> Result<Self, Vec<Conflict>> {
        Ok(Self { routes })
    }

    /// The route of a request.
    #[must_use]
    pub fn find(&self, _: &Authority, _: Scheme, path: &RequestPath, _: &Method) -> Lookup<'_, T> {
        let found = self.routes.iter().find(|(pattern, _)| pattern.path.holds(path.decoded()));
        found.map_or(Lookup::UnknownPath, |(_, route)| Lookup::Found(route))
    }
}
