//! Turns what was written into what is meant: once, from `Sources` alone, and with all faults in one report.

mod access;
mod admin;
mod audit;
mod branding;
mod chain;
mod conflict;
mod console;
mod delivery;
mod email;
mod file;
mod forward;
mod header;
mod identity;
mod limit;
mod origins;
mod own;
mod policy;
mod postgres;
mod provider;
mod redis;
mod registration;
mod route;
mod serve;
mod server;
mod signals;
mod state;
mod telemetry;
mod tile;
mod upstream;
mod value;
mod whose;

pub(super) use conflict::claim;
pub(super) use email::lets_tenants_choose;
pub(super) use policy::own_rules;
pub(super) use postgres::is_this_machine;
pub(super) use whose::lets_in;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::authn::{Accept, Accepted};
use crate::gate::RouteSettings;
use crate::identity::ClaimPath;
use crate::oidc::{ProviderSettings, RelyingPartySettings};
use crate::policy::PolicySettings;
use crate::session::SessionSettings;
use crate::sinks::PostgresServer;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::located::{Located, at};
use super::raw::{Config, Provider};
use super::settings::Settings;
use super::sources::Sources;

/// What a file is lowered with: where to read, and what has been found so far.
struct Lowering<'a> {
    sources: &'a dyn Sources,
    /// Where relative paths start.
    folder: &'a Path,
    diagnostics: &'a mut Diagnostics,
    /// Files whose change means a reload.
    watched: Vec<PathBuf>,
}

/// Where state is kept that sinks may use.
#[derive(Clone, Copy)]
struct StatePlaces<'a> {
    /// The state file, beside which events wait and are kept.
    file: Option<&'a Path>,
    postgres: Option<&'a PostgresServer>,
}

/// What the file defines and its routes may refer to.
struct Definitions<'a> {
    /// Names of providers.
    providers: Vec<&'a str>,
    /// The providers, but for those of which something has been left out.
    settings: &'a [ProviderSettings],
    policies: &'a BTreeMap<String, PolicySettings>,
    /// The credentials that some provider offers.
    offered: Accept,
    /// How long sessions last at most.
    session: &'a SessionSettings,
}

impl Lowering<'_> {
    /// Adds a fault, unless something of the same table has been left out: that has been reported, and is
    /// why.
    fn fault(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.is_incomplete(&diagnostic.span) {
            self.diagnostics.fault(diagnostic);
        }
    }

    /// The value, or `None` and a fault: the rest of the file is read all the same.
    fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|diagnostic| self.fault(diagnostic)).ok()
    }
}

/// The settings that `config`, the file at `path`, means, and its policies by name; `None` where `diagnostics` now holds
/// faults.
pub(super) fn lower(
    config: Located<'_, Config>,
    path: &Path,
    sources: &dyn Sources,
    diagnostics: &mut Diagnostics,
) -> Option<(Settings, BTreeMap<String, PolicySettings>)> {
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let mut lowering = Lowering { sources, folder, diagnostics, watched: vec![path.to_owned()] };
    let meant = lowering.settings(config);
    diagnostics.faults.is_empty().then_some(meant)
}

impl Lowering<'_> {
    fn settings(&mut self, config: Located<'_, Config>) -> (Settings, BTreeMap<String, PolicySettings>) {
        let server = at!(config.server);
        let mut providers = self.providers(at!(config.providers));
        let names = at!(config.providers).names();
        let policies = self.policies(at!(config.policies), &names);
        let offered = self.offered(at!(config.providers));
        let session = self.session(at!(config.session));
        let definitions = Definitions {
            providers: names,
            settings: &providers,
            policies: &policies,
            offered,
            session: &session,
        };
        let routes = self.routes(config, &definitions);
        let console = self.console(at!(config.console), &definitions);
        // Known only now. UserInfo is asked where an ID token lacks a claim that a rule names.
        let (named, levels) = (named_claims(&policies, &routes), levels(&policies, &routes));
        for provider in &mut providers {
            provider.claims.named_by_rules.clone_from(&named);
            provider.client.iter_mut().for_each(|client| client.levels_of_rules.clone_from(&levels));
        }
        let public_url = self.public_url(server, &routes);
        self.posted_responses(at!(config.providers), public_url.as_ref());
        self.bind_site_covers(at!(config.session), session.bind_site.as_deref(), public_url.as_ref());
        let signals = self.signals(at!(config.signals), &providers, public_url.as_ref());
        let listeners = self.listeners(server);
        let state = self.state(at!(server.state));
        let postgres = self.postgres(at!(config.state));
        let places = StatePlaces { file: state.as_deref(), postgres: postgres.as_ref() };
        let sinks = self.keepers(at!(config.audit), places);
        let settings = Settings {
            admin: self.admin(at!(config.admin), &listeners),
            listeners,
            connections: self.connections(server),
            workers: server.value.workers,
            trusted_proxies: self.networks(at!(server.trusted_proxies)),
            sinks,
            state,
            state_keys: self.state_keys(at!(config.state)),
            redis: self.redis(at!(config.state)),
            postgres,
            drain: self.drain(at!(server.drain_timeout)),
            reauthorize_every: self.reauthorize_every(server),
            rotate_assertion_key: self.rotation(at!(server.rotate_assertion_key)),
            session,
            relying_party: RelyingPartySettings { public_url, providers },
            signals,
            own: self.own(server, at!(config.session)),
            routes,
            console,
            branding: self.branding(at!(config.branding)),
            telemetry: self.telemetry(at!(config.telemetry)),
            exports: self.exports(at!(config.telemetry)),
            log: self.log(at!(config.log)),
            pseudonym_key: self.pseudonym_key(at!(config.audit)),
            record_memory: self.record_memory(at!(config.audit)),
            checkpoints: self.checkpoints(at!(config.audit)),
            file: self.watched.first().cloned().unwrap_or_default(),
            watched: self.watched(),
            written: Arc::default(),
        };
        (settings, policies)
    }

    /// The credentials that some provider offers, or could where something of it has been left out.
    fn offered(&self, at: Located<'_, Option<BTreeMap<String, Provider>>>) -> Accept {
        let providers = at.given().map(Located::entries).unwrap_or_default();
        let lost = self.diagnostics.is_incomplete(&at.place.span());
        let incomplete =
            lost || providers.iter().any(|(_, at)| self.diagnostics.is_incomplete(&at.place.span()));
        let signs_in = || providers.iter().any(|(_, at)| at.value.client_id.is_some());
        let takes_tokens = || providers.iter().any(|(_, at)| !at!(at.audiences).all().is_empty());
        let offered = [
            (incomplete || signs_in()).then_some(Accepted::Session),
            (incomplete || takes_tokens()).then_some(Accepted::Bearer),
        ];
        offered.into_iter().flatten().collect()
    }

    fn watched(&mut self) -> Vec<PathBuf> {
        self.watched.sort();
        self.watched.dedup();
        std::mem::take(&mut self.watched)
    }
}

/// The claims that rules name, each once.
fn named_claims(policies: &BTreeMap<String, PolicySettings>, routes: &[RouteSettings]) -> Vec<ClaimPath> {
    let rules = policies_of(policies, routes).flat_map(|policy| policy.allow.iter().chain(&policy.deny));
    let named: BTreeSet<_> = rules.flat_map(|rule| &rule.claims).map(|(path, _)| path.clone()).collect();
    named.into_iter().collect()
}

/// The levels that rules ask people for, each once.
fn levels(policies: &BTreeMap<String, PolicySettings>, routes: &[RouteSettings]) -> Vec<String> {
    let rules = policies_of(policies, routes).flat_map(|policy| &policy.allow);
    let levels: BTreeSet<_> = rules.flat_map(|rule| rule.strength.acr.iter().cloned()).collect();
    levels.into_iter().collect()
}

fn policies_of<'a>(
    policies: &'a BTreeMap<String, PolicySettings>,
    routes: &'a [RouteSettings],
) -> impl Iterator<Item = &'a PolicySettings> {
    policies.values().chain(routes.iter().filter_map(own_rules))
}
