//! One session on two continents.

use std::collections::{HashMap, HashSet};

use super::{Finding, Sighting};

/// Finds sessions that are used from more than one continent: one finding a session.
#[must_use]
pub fn two_places(sightings: &[Sighting]) -> Vec<Finding> {
    let mut first: HashMap<u64, (&Sighting, &str)> = HashMap::new();
    let (mut told, mut findings) = (HashSet::new(), Vec::new());
    for sighting in sightings {
        let continent = sighting.place.as_ref().and_then(|place| place.continent.as_deref());
        let Some((session, continent)) = sighting.session.zip(continent) else { continue };
        let (before, known) = *first.entry(session).or_insert((sighting, continent));
        if known != continent && told.insert(session) {
            findings.push(Finding {
                time: sighting.time,
                kind: "two-continents",
                person: Some(sighting.person),
                sentence: format!("session {session:016x} was used in {known} and in {continent}"),
                doubt: "a VPN that is switched on, or a journey with the same browser".into(),
                evidence: vec![before.event.clone(), sighting.event.clone()],
            });
        }
    }
    findings
}
