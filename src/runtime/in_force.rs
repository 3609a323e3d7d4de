//! What the configuration in force says to reports: which apps, providers and rules there are, and who may go where.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::gate::{GateSettings, ImaginedPerson, May, Reach as Rules, deciding_rules};
use crate::oidc::ProviderSettings;
use crate::reports::{Access, Geo, Known, Reach, Verdict};
use crate::segments::Who;

/// What a configuration says to reports.
#[derive(Debug)]
pub struct InForce {
    routes: Vec<String>,
    deciding: Vec<String>,
    rules: Rules,
    providers: Vec<ProviderSettings>,
    now: Timestamp,
}

impl InForce {
    /// Of these settings, judged at `now`.
    #[must_use]
    pub fn new(gate: &GateSettings, now: Timestamp) -> Self {
        Self {
            routes: gate.routes.iter().map(|route| route.name.as_str().to_owned()).collect(),
            deciding: deciding_rules(gate),
            rules: Rules::new(gate),
            providers: gate.relying_party.providers.clone(),
            now,
        }
    }

    /// What reports are told of it, and where addresses are.
    #[must_use]
    pub fn known<'a>(&'a self, geo: Option<&'a Geo>) -> Known<'a> {
        let providers = self.providers.iter().map(|provider| provider.name.as_str().to_owned());
        Known {
            routes: Some(self.routes.clone()),
            providers: Some(providers.collect()),
            rules: Some(self.deciding.clone()),
            geo,
            reach: Some(self),
        }
    }
}

/// Judges by the rules of the configuration whoever the record knows, as far as it knows them.
impl Reach for InForce {
    /// Whoever's provider is no longer there can sign in nowhere.
    fn reach(&self, who: &Who) -> Vec<Access> {
        let person = ImaginedPerson {
            user: Some(who.user.clone()),
            acr: (!who.acr.is_empty()).then(|| who.acr.clone()),
            provider: Some(who.provider.clone()),
            // A record holds neither groups nor claims: they are not none.
            logged: true,
            ..ImaginedPerson::default()
        };
        let Ok(Some(principal)) = person.principal(&self.providers, self.now) else { return Vec::new() };
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let found = self.rules.of(&Arc::new(principal), nowhere, self.now);
        found
            .into_iter()
            .map(|reachable| Access {
                route: reachable.route.as_str().to_owned(),
                verdict: match reachable.may {
                    May::Yes => Verdict::Yes,
                    May::AfterStepUp => Verdict::AfterStepUp,
                    May::Unknown => Verdict::Unknown,
                },
                by: reachable.by,
                print: reachable.print,
            })
            .collect()
    }
}
