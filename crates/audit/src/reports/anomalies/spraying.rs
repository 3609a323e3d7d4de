//! Many accounts that fail in one way: passwords that are tried one after another. One network, or one reason from many.

use std::collections::{BTreeSet, HashMap};

use super::{EVIDENCE, Finding, Sighting, Strike, network, span};
use crate::segments::Pseudonym;

/// So many accounts are many.
const ACCOUNTS: usize = 5;
/// Within so long.
const WINDOW: u64 = 3_600_000_000;

/// What accounts that fail have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Common {
    Network(String),
    Reason(String),
}

#[derive(Default)]
struct Spray {
    first: u64,
    last: u64,
    accounts: BTreeSet<Pseudonym>,
    networks: BTreeSet<String>,
    events: Vec<String>,
}

/// Finds what is sprayed; who came in afterwards from there makes it worse.
#[must_use]
pub fn spraying(strikes: &[Strike], sightings: &[Sighting]) -> Vec<Finding> {
    let mut going: HashMap<Common, Spray> = HashMap::new();
    let mut over = Vec::new();
    for strike in strikes {
        for common in common(strike) {
            let spray = going.entry(common.clone()).or_default();
            if !spray.accounts.is_empty() && strike.time > spray.first.saturating_add(WINDOW) {
                over.push((common, std::mem::take(spray)));
            }
            spray.add(strike);
        }
    }
    over.extend(going);
    over.sort_by(|(one, a), (other, b)| a.first.cmp(&b.first).then_with(|| one.cmp(other)));
    over.iter().filter_map(|(common, spray)| spray.finding(common, sightings)).collect()
}

/// Of whom nobody knows who it was, one cannot be told from another.
fn common(strike: &Strike) -> Vec<Common> {
    if strike.person.is_none() {
        return Vec::new();
    }
    let network = strike.client.map(|client| Common::Network(network(client)));
    let reason = strike.reason.clone().map(Common::Reason);
    network.into_iter().chain(reason).collect()
}

impl Spray {
    fn add(&mut self, strike: &Strike) {
        if self.accounts.is_empty() {
            self.first = strike.time;
        }
        self.last = self.last.max(strike.until);
        self.accounts.extend(strike.person);
        self.networks.extend(strike.client.map(network));
        if self.events.len() < EVIDENCE {
            self.events.push(strike.event.clone());
        }
    }

    fn finding(&self, common: &Common, sightings: &[Sighting]) -> Option<Finding> {
        let (where_from, doubt) = match common {
            Common::Network(network) => {
                (format!("from {network}"), "one network can be an office behind one address, or a carrier's")
            }
            // One network is a finding already.
            Common::Reason(_) if self.networks.len() < 2 => return None,
            Common::Reason(reason) => (
                format!("for one reason ({reason}) from {} networks", self.networks.len()),
                "a rule that is wrong, or a provider that fails, refuses many people as well",
            ),
        };
        let came = self.came_in(sightings);
        let then = if came == 0 {
            String::new()
        } else {
            format!("; {came} of these accounts signed in from there afterwards")
        };
        let (accounts, within) = (self.accounts.len(), span(self.last.saturating_sub(self.first)));
        (accounts >= ACCOUNTS).then(|| Finding {
            time: self.first,
            kind: "spraying",
            person: None,
            sentence: format!("{accounts} accounts were refused {where_from} within {within}{then}"),
            doubt: doubt.into(),
            evidence: self.events.clone(),
        })
    }

    /// How many of its accounts were let in from its networks within a window behind it.
    fn came_in(&self, sightings: &[Sighting]) -> usize {
        let after = self.first..=self.last.saturating_add(WINDOW);
        let came = sightings.iter().filter(|sighting| {
            after.contains(&sighting.time)
                && self.accounts.contains(&sighting.person)
                && self.networks.contains(&network(sighting.client))
        });
        came.map(|sighting| sighting.person).collect::<BTreeSet<_>>().len()
    }
}
