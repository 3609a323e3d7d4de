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
    /// Two routes that claim the same requests: nothing that is written says which of them would get these.
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
                // A route without a name is called by its host and path: it is in conflict, which has been
                // reported.
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

/// The key that says which requests a route takes: `path`, else `host`, else the route itself.
pub(in crate::config) fn claim(at: Located<'_, Route>) -> Place<'_> {
    match (&at.value.path, &at.value.host) {
        (Some(_), _) => at!(at.path).place,
        (None, Some(_)) => at!(at.host).place,
        (None, None) => at.place,
    }
}
