//! The table of routes.

mod hosts;
mod paths;
#[cfg(test)]
mod tests;

use http::Method;

use super::RoutePattern;
use crate::request::{Authority, RequestPath, Scheme};
use hosts::HostTable;
use paths::{Leaf, MethodMatch};

/// Finds the route of a request: the most specific host, then the longest path, then a method filter.
///
/// The first that claims a request owns it: a host for which a pattern is written never falls back to a
/// wildcard, nor a path to a shorter one, for those may be laxer. A find costs a few hashes and one for each
/// segment that some route has, however many routes there are, and allocates nothing.
#[derive(Clone, Debug)]
pub struct RouteTable<T> {
    routes: Vec<(RoutePattern, T)>,
    hosts: HostTable,
}

/// Two routes claim the same requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Index of the earlier one.
    pub first: usize,
    /// Index of the later one.
    pub second: usize,
}

/// What comes of looking a request up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a, T> {
    /// What was put there for host, path and method.
    Found(&'a T),
    /// Host and path are known, the method is not.
    MethodNotAllowed,
    /// The host is known, the path is not.
    UnknownPath,
    /// Nobody knows the host.
    UnknownHost,
}

impl<T> Default for RouteTable<T> {
    /// A table without routes.
    fn default() -> Self {
        Self { routes: Vec::new(), hosts: HostTable::default() }
    }
}

impl<T> RouteTable<T> {
    /// Builds the table. Routes of the same host and path conflict where both name a method or both name none;
    /// one that names it goes before one that names none.
    ///
    /// # Errors
    /// Every route that conflicts, each with the earliest one that it conflicts with.
    pub fn build(routes: Vec<(RoutePattern, T)>) -> Result<Self, Vec<Conflict>> {
        let mut hosts = HostTable::default();
        let mut conflicts = Vec::new();
        for (second, (pattern, _)) in routes.iter().enumerate() {
            let taken = hosts.paths(&pattern.host).insert(&pattern.path, &pattern.methods, second);
            conflicts.extend(taken.map(|first| Conflict { first, second }));
        }
        if conflicts.is_empty() { Ok(Self { routes, hosts }) } else { Err(conflicts) }
    }

    /// The route of a request. A port that is not written is the scheme's.
    #[must_use]
    pub fn find(
        &self,
        authority: &Authority,
        scheme: Scheme,
        path: &RequestPath,
        method: &Method,
    ) -> Lookup<'_, T> {
        let Some(paths) = self.hosts.owner(authority.host(), authority.port_or_default(scheme)) else {
            return Lookup::UnknownHost;
        };
        let Some(leaf) = paths.longest(path.decoded()) else { return Lookup::UnknownPath };
        match leaf.choose(method) {
            MethodMatch::Route(index) => {
                self.routes.get(index).map_or(Lookup::UnknownPath, |(_, t)| Lookup::Found(t))
            }
            MethodMatch::MethodNotAllowed => Lookup::MethodNotAllowed,
        }
    }

    /// Whether some route claims the host, even if for certain paths only. A port that is not written is the
    /// scheme's.
    #[must_use]
    pub fn knows_host(&self, authority: &Authority, scheme: Scheme) -> bool {
        self.hosts.owner(authority.host(), authority.port_or_default(scheme)).is_some()
    }

    /// Whether some route vouches for the origin: a pattern that says something of the host, and either of this
    /// port or, where it says none, with `unwritten` being this port. A route for any host answers on all of
    /// them, and vouches for none; one without a port answers on every port, and vouches for one (invariant 25).
    #[must_use]
    pub fn vouches_for(&self, authority: &Authority, scheme: Scheme, unwritten: u16) -> bool {
        self.hosts.vouch(authority.host(), authority.port_or_default(scheme), unwritten)
    }

    /// The methods for an `Allow` field where [`RouteTable::find`] says [`Lookup::MethodNotAllowed`].
    pub fn allowed_methods(
        &self,
        authority: &Authority,
        scheme: Scheme,
        path: &RequestPath,
    ) -> impl Iterator<Item = &Method> + use<'_, T> {
        let paths = self.hosts.owner(authority.host(), authority.port_or_default(scheme));
        paths.and_then(|paths| paths.longest(path.decoded())).into_iter().flat_map(Leaf::methods)
    }

    /// Every route with its pattern, in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&RoutePattern, &T)> {
        self.routes.iter().map(|(pattern, route)| (pattern, route))
    }
}
