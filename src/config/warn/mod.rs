//! Warnings about a file without faults: rules that never decide, apps that are open to everybody by
//! accident.

mod addresses;
mod bound;
mod exposure;
mod joined;
mod reach;
mod rule;
mod rules;
mod server;
mod spelling;
mod unlisted;
mod unreachable;

use std::collections::{BTreeMap, HashMap};

use crate::forward::ServerAddress;
use crate::gate::{RouteAction, RouteSettings};
use crate::policy::{AccessSettings, PolicySettings};
use crate::route::HostPattern;

use super::diagnostic::Diagnostic;
use super::located::{Located, at};
use super::lower::claim;
use super::raw::{Config, Route};
use super::settings::Settings;

/// A file without faults, as written and as meant.
pub(super) struct Lints<'a> {
    config: Located<'a, Config>,
    settings: &'a Settings,
    policies: &'a BTreeMap<String, PolicySettings>,
    routes: Vec<LintedRoute<'a>>,
    /// The first route of each host.
    hosts: HashMap<&'a HostPattern, usize>,
    /// Indices into `routes`, by host and path.
    places: HashMap<(&'a HostPattern, String), Vec<usize>>,
}

/// A route, as written and as meant.
#[derive(Clone, Copy)]
struct LintedRoute<'a> {
    at: Located<'a, Route>,
    meant: &'a RouteSettings,
}

impl<'a> Lints<'a> {
    pub(super) fn new(
        config: Located<'a, Config>,
        settings: &'a Settings,
        policies: &'a BTreeMap<String, PolicySettings>,
    ) -> Self {
        let written = at!(config.routes).given().map(Located::elements).unwrap_or_default();
        let routes: Vec<_> =
            written.into_iter().zip(&settings.routes).map(|(at, meant)| LintedRoute { at, meant }).collect();
        let mut places: HashMap<_, Vec<usize>> = HashMap::new();
        let mut hosts = HashMap::new();
        for (index, linted) in routes.iter().enumerate() {
            hosts.entry(linted.host()).or_insert(index);
            places.entry((linted.host(), linted.path())).or_default().push(index);
        }
        Self { config, settings, policies, routes, hosts, places }
    }

    /// All warnings about the file.
    pub(super) fn warnings(&self) -> Vec<Diagnostic> {
        let mut warnings = self.about_the_server();
        warnings.extend(self.about_providers());
        warnings.extend(self.about_rules());
        warnings.extend(self.about_routes());
        warnings.extend(self.about_exposure());
        warnings.extend(self.about_spellings());
        warnings.extend(self.about_addresses());
        warnings.extend(self.about_bound_sessions());
        warnings
    }

    /// The first route of exactly this host pattern.
    fn first(&self, host: &HostPattern) -> Option<LintedRoute<'a>> {
        self.routes.get(*self.hosts.get(host)?).copied()
    }

    /// The routes of exactly this host pattern and path.
    fn at(&self, host: &'a HostPattern, path: &str) -> Vec<LintedRoute<'a>> {
        let indices = self.places.get(&(host, path.to_owned())).into_iter().flatten();
        indices.filter_map(|index| self.routes.get(*index).copied()).collect()
    }

    /// The routes of the same host above `path`, the nearest first, `path` itself not among them.
    fn above(&self, host: &'a HostPattern, path: &str) -> impl Iterator<Item = LintedRoute<'a>> {
        parents(path).into_iter().flat_map(move |parent| self.at(host, &parent))
    }
}

/// The paths above a path, the nearest first: of `/a/b` they are `/a` and `/`.
fn parents(path: &str) -> Vec<String> {
    let mut parents = Vec::new();
    let mut rest = path;
    while let Some((parent, _)) = rest.rsplit_once('/').filter(|(_, last)| !last.is_empty()) {
        parents.push(if parent.is_empty() { "/".to_owned() } else { parent.to_owned() });
        rest = parent;
    }
    parents
}

impl<'a> LintedRoute<'a> {
    const fn host(self) -> &'a HostPattern {
        &self.meant.pattern.host
    }

    fn path(self) -> String {
        self.meant.pattern.path.to_string()
    }

    fn is_public(self) -> bool {
        self.meant.access == AccessSettings::Public
    }

    fn is(self, other: Self) -> bool {
        std::ptr::eq(self.meant, other.meant)
    }

    /// Where its requests go; nowhere where it redirects or serves.
    fn servers(self) -> impl Iterator<Item = &'a ServerAddress> {
        let servers = match &self.meant.action {
            RouteAction::Forward { upstream, .. } => upstream.servers.as_slice(),
            RouteAction::Redirect(_) | RouteAction::Serve(_) => &[],
        };
        servers.iter().map(|server| &server.address)
    }

    fn claim(self) -> super::located::Place<'a> {
        claim(self.at)
    }
}
