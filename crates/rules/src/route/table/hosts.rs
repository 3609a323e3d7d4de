//! Which host pattern owns a host.

use std::collections::{BTreeMap, HashMap};

use super::paths::Paths;
use crate::route::HostPattern;

/// The paths of every host pattern.
#[derive(Clone, Debug, Default)]
pub(super) struct HostTable {
    exact: HashMap<Box<str>, Ports>,
    /// By what stands behind `*.`: all of a host behind its first dot.
    wildcard: HashMap<Box<str>, Ports>,
    any: Option<Paths>,
}

/// The paths of one host: on certain ports, and on all others.
#[derive(Clone, Debug, Default)]
struct Ports {
    /// Few, and looked up at every request.
    certain: BTreeMap<u16, Paths>,
    others: Option<Paths>,
}

impl HostTable {
    /// The paths of a pattern, to add to.
    pub(super) fn paths(&mut self, pattern: &HostPattern) -> &mut Paths {
        match pattern {
            HostPattern::Any => self.any.get_or_insert_default(),
            HostPattern::Exact(host, port) => entry(&mut self.exact, host).paths(*port),
            HostPattern::Wildcard(suffix, port) => entry(&mut self.wildcard, suffix).paths(*port),
        }
    }

    /// The paths of the most specific pattern that holds a host: with port before without, exact before
    /// wildcard before any.
    pub(super) fn owner(&self, host: &str, port: u16) -> Option<&Paths> {
        self.named(host, port).or(self.any.as_ref())
    }

    /// The same, of patterns that say something of the host.
    fn named(&self, host: &str, port: u16) -> Option<&Paths> {
        let exact = || self.exact.get(host)?.on(port);
        let wildcard = || self.wildcard.get(host.split_once('.')?.1)?.on(port);
        exact().or_else(wildcard)
    }

    /// Whether a pattern names `host` with `port`, or without any where `port` is the `unwritten` one.
    pub(super) fn vouch(&self, host: &str, port: u16, unwritten: u16) -> bool {
        let exact = self.exact.get(host);
        let wildcard = host.split_once('.').and_then(|(_, suffix)| self.wildcard.get(suffix));
        [exact, wildcard].into_iter().flatten().any(|ports| ports.vouch(port, unwritten))
    }
}

fn entry<'a>(hosts: &'a mut HashMap<Box<str>, Ports>, host: &str) -> &'a mut Ports {
    hosts.entry(host.to_ascii_lowercase().into()).or_default()
}

impl Ports {
    fn paths(&mut self, port: Option<u16>) -> &mut Paths {
        match port {
            Some(port) => self.certain.entry(port).or_default(),
            None => self.others.get_or_insert_default(),
        }
    }

    fn on(&self, port: u16) -> Option<&Paths> {
        self.certain.get(&port).or(self.others.as_ref())
    }

    fn vouch(&self, port: u16, unwritten: u16) -> bool {
        self.certain.contains_key(&port) || (self.others.is_some() && port == unwritten)
    }
}
