//! Bound sessions that browsers will not bind.

use std::collections::{BTreeMap, BTreeSet};

use super::Lints;
use crate::authn::Accepted;
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::at;
use crate::route::HostPattern;
use crate::session::{Bind, MOST_HOSTS, is_of_site};

impl Lints<'_> {
    pub(super) fn about_bound_sessions(&self) -> Vec<Diagnostic> {
        self.unserved_site().into_iter().chain(self.too_many_hosts()).collect()
    }

    /// Browsers ask the domain itself whether its sessions may be bound on the sign-in host.
    fn unserved_site(&self) -> Option<Diagnostic> {
        let (config, site) = (self.config, self.settings.session.bind_site.as_deref()?);
        let public = self.settings.relying_party.public_url.as_ref()?.host_str()?;
        let is_site = |host: &HostPattern| matches!(host, HostPattern::Exact(host, _) if host == site);
        if public == site || self.hosts.keys().any(|host| is_site(host)) {
            return None;
        }
        let session = at!(config.session).given()?;
        let document = format!("https://{site}/.well-known/device-bound-sessions");
        Some(
            Diagnostic::new(at!(session.bind_site).place, "the domain of `bind_site` is not served here")
                .expected(format!(
                    "browsers ask for {document}; until it comes from here each host is bound by itself"
                ))
                .help(format!(
                    "give a route `host = {}`, whatever it does, and let the domain lead here",
                    quoted(site)
                )),
        )
    }

    /// A browser gives all bound sessions of a site six signatures in nine minutes.
    fn too_many_hosts(&self) -> Option<Diagnostic> {
        let (config, session) = (self.config, &self.settings.session);
        if session.bind != Bind::Required {
            return None;
        }
        let covered = |host: &str| session.bind_site.as_deref().is_some_and(|site| is_of_site(host, site));
        let mut sites: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for linted in self.routes.iter().filter(|linted| linted.meant.accept.has(Accepted::Session)) {
            if let HostPattern::Exact(host, _) = linted.host()
                && !covered(host)
            {
                sites.entry(crate::session::site_of(host)).or_default().insert(host);
            }
        }
        let (site, _) = sites.into_iter().find(|(_, hosts)| hosts.len() > MOST_HOSTS as usize)?;
        let at = at!(config.session).given()?;
        Some(
            Diagnostic::new(
                at!(at.bind).place,
                format!("more than {MOST_HOSTS} hosts of {site} ask for bound sessions"),
            )
            .expected(format!("browsers bind {MOST_HOSTS} of them at once; further ones are refused"))
            .help(format!("`bind_site = {}` covers all of them by one binding", quoted(site))),
        )
    }
}
