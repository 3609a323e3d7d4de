//! Doors that stand open by accident: what is public beside what is not.

use std::collections::HashMap;

use crate::forward::ServerAddress;

use super::{Lints, Row};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Place, at};

const HELP: &str = "where that is meant, say why on the route: `reason = \"…\"`";

impl<'a> Lints<'a> {
    pub(super) fn about_open_doors(&self) -> Vec<Diagnostic> {
        let protected = self.protected_servers();
        let protected_below = self.protected_below();
        let open = self
            .rows
            .iter()
            .filter(|row| row.is_public() && row.at.value.reason.is_none() && row.servers().next().is_some());
        let doubt = |row: &Row<'a>| {
            self.beneath(*row)
                .or_else(|| self.around(*row, &protected_below))
                .or_else(|| self.same_app(*row, &protected))
        };
        open.filter_map(doubt).collect()
    }

    /// The first protected route of each server.
    fn protected_servers(&self) -> HashMap<&'a ServerAddress, Row<'a>> {
        let mut servers = HashMap::new();
        for row in self.rows.iter().filter(|row| !row.is_public()) {
            for server in row.servers() {
                servers.entry(server).or_insert(*row);
            }
        }
        servers
    }

    /// Protected routes by host and each path above theirs.
    fn protected_below(&self) -> HashMap<(&'a crate::route::HostPattern, String), Row<'a>> {
        let mut below = HashMap::new();
        for row in self.rows.iter().filter(|row| !row.is_public()) {
            for parent in super::parents(&row.path()) {
                below.entry((row.host(), parent)).or_insert(*row);
            }
        }
        below
    }

    /// A public path inside a protected one.
    fn beneath(&self, row: Row<'a>) -> Option<Diagnostic> {
        let path = row.path();
        let beside = self.at(row.host(), &path).into_iter().find(|other| !other.is_public());
        if let Some(other) = beside {
            let methods: Vec<_> = row.meant.pattern.methods.iter().map(http::Method::as_str).collect();
            let what =
                if methods.is_empty() { "all other methods".to_owned() } else { methods.join(" and ") };
            return Some(open(
                row,
                format!("{} needs no sign-in for {what}, although the path is protected", quoted(&path)),
                other,
            ));
        }
        let above = self.above(row.host(), &path).next().filter(|above| !above.is_public())?;
        Some(open(
            row,
            format!("what is below {} needs no sign-in, although it lies in a protected path", quoted(&path)),
            above,
        ))
    }

    /// A protected path of an app that is public all around it.
    fn around(
        &self,
        row: Row<'a>,
        below: &HashMap<(&crate::route::HostPattern, String), Row<'a>>,
    ) -> Option<Diagnostic> {
        let inner = below.get(&(row.host(), row.path())).filter(|inner| shares(row, **inner))?;
        let path = inner.path();
        let message =
            format!("{} is protected, but the app is open to everybody all around it", quoted(&path));
        Some(
            Diagnostic::new(door(row), message)
                .expected("anybody, without signing in")
                .see(inner.claim(), "protected: only this very spelling")
                .help(format!(
                    "an app to which `{path}.json` or another case of letters means the same gives it away; \
                 better protect the app and open paths of it, or say why not: `reason = \"…\"`"
                )),
        )
    }

    /// An app that is protected under another name.
    fn same_app(&self, row: Row<'a>, protected: &HashMap<&ServerAddress, Row<'a>>) -> Option<Diagnostic> {
        let other = row.servers().find_map(|server| protected.get(server))?;
        let route = other.at;
        Some(
            Diagnostic::new(
                door(row),
                "the app is protected on another route, and open to everybody on this one",
            )
            .expected("anybody, without signing in")
            .see(at!(route.upstream).place, "the same server, protected")
            .help(HELP),
        )
    }
}

fn open(row: Row<'_>, message: String, protected: Row<'_>) -> Diagnostic {
    Diagnostic::new(door(row), message)
        .expected("anybody, without signing in")
        .see(protected.claim(), "protected")
        .help(HELP)
}

fn door(row: Row<'_>) -> Place<'_> {
    let route = row.at;
    at!(route.access).place
}

fn shares(one: Row<'_>, other: Row<'_>) -> bool {
    one.servers().any(|server| other.servers().any(|known| known == server))
}
