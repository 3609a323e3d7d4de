//! Networks, devices and countries that somebody has not come from before, and credentials that turn up in a new network.

use std::collections::{HashMap, HashSet};

use super::{Finding, How, Sighting, network};
use crate::segments::Pseudonym;

/// Of whom so little is known that one thing is often new: only several at once are told.
const HARDLY_KNOWN: u64 = 5;

#[derive(Default)]
struct Before {
    times: u64,
    networks: HashSet<String>,
    devices: HashSet<String>,
    countries: HashSet<String>,
}

/// Finds who came by what is new of them. The first time that somebody is seen nothing is new: everything is.
#[must_use]
pub fn first_seen(sightings: &[Sighting]) -> Vec<Finding> {
    let mut people: HashMap<Pseudonym, Before> = HashMap::new();
    let mut findings = Vec::new();
    for sighting in sightings.iter().filter(|sighting| sighting.how != How::Request) {
        let before = people.entry(sighting.person).or_default();
        let new = before.take(sighting);
        let is_told = match new.len() {
            0 => false,
            1 => before.times >= HARDLY_KNOWN,
            _ => before.times > 0,
        };
        if is_told {
            findings.push(finding(sighting, before.times, &new));
        }
        before.times += 1;
    }
    findings
}

impl Before {
    /// What is new, in words.
    fn take(&mut self, sighting: &Sighting) -> Vec<String> {
        let network = network(sighting.client);
        let country = sighting.place.as_ref().and_then(|place| place.country.clone());
        let told = [
            (Some(network), &mut self.networks, "network"),
            (sighting.device.clone(), &mut self.devices, "device"),
            (country, &mut self.countries, "country"),
        ];
        let new = told.into_iter().filter_map(|(value, known, what)| {
            let value = value?;
            known.insert(value.clone()).then(|| format!("{what} {value}"))
        });
        new.collect()
    }
}

fn finding(sighting: &Sighting, times: u64, new: &[String]) -> Finding {
    let (kind, what) = match sighting.how {
        How::Credential => ("credential-new-place", "a credential was used for the first time"),
        How::SignIn | How::Request => ("new-place", "a sign-in"),
    };
    let seen = if times == 1 { "once".into() } else { format!("{times} times") };
    let doubt = if new.len() == 1 {
        "one thing that is new is common: a phone on the way, another line, a browser that was updated"
    } else {
        "a new device at a new place can be a journey, or a first day at another office"
    };
    Finding {
        time: sighting.time,
        kind,
        person: Some(sighting.person),
        sentence: format!("{what} by what is new of this person: {}; seen {seen} before", new.join(", ")),
        doubt: doubt.into(),
        evidence: vec![sighting.event.clone()],
    }
}
