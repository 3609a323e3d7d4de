//! Routes that get in each other's way.

use std::collections::HashMap;

use crate::gate::RouteSettings;
use crate::route::RouteTable;

use super::Lowering;
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, Place, at};
use crate::config::raw::Route;

type Lowered<'a> = (Located<'a, Route>, RouteSettings);

impl Lowering<'_> {
    /// Two routes that claim the same requests: which one it would be depends on nothing that is written.
    pub(super) fn conflicts(&mut self, routes: &[Lowered<'_>]) {
        let patterns = routes.iter().map(|(_, route)| (route.pattern.clone(), ())).collect();
        let Err(conflicts) = RouteTable::build(patterns) else { return };
        for conflict in conflicts {
            let (Some((first, _)), Some((second, _))) =
                (routes.get(conflict.first), routes.get(conflict.second))
            else {
                continue;
            };
            self.fault(
                Diagnostic::new(claim(*second), "two routes claim the same requests")
                    .expected("expected another host, path or methods")
                    .see(claim(*first), "claimed here"),
            );
        }
    }

    pub(super) fn unique_names(&mut self, routes: &[Lowered<'_>]) {
        let mut names: HashMap<&str, Place<'_>> = HashMap::new();
        for (at, route) in routes {
            let place = at!(at.name).place;
            match names.get(route.name.as_str()) {
                // What has no name and is called alike is in conflict, and has been told.
                Some(_) if at.value.name.is_none() => {}
                Some(first) => {
                    let diagnostic = Diagnostic::new(
                        place,
                        format!("two routes are called {}", quoted(route.name.as_str())),
                    );
                    self.fault(
                        diagnostic.expected("expected a name of its own").see(*first, "the first one"),
                    );
                }
                None => drop(names.insert(route.name.as_str(), place)),
            }
        }
    }
}

/// What of a route says which requests are meant.
pub(in crate::config) fn claim(at: Located<'_, Route>) -> Place<'_> {
    match (&at.value.path, &at.value.host) {
        (Some(_), _) => at!(at.path).place,
        (None, Some(_)) => at!(at.host).place,
        (None, None) => at.place,
    }
}
