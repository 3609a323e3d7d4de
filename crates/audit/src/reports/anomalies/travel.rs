//! Two places that nobody gets from the one to the other in the time between.

use std::collections::HashMap;

use super::{Finding, Sighting, network, span};
use crate::reports::geo::distance_km;
use crate::segments::Pseudonym;

/// As fast as an aeroplane, in kilometres an hour.
const FASTEST: f64 = 900.0;
const HOUR: f64 = 3_600_000_000.0;

/// Finds journeys that are too fast, by the least distance that there can be between two places: each may be off by its
/// radius.
#[must_use]
pub fn travel(sightings: &[Sighting]) -> Vec<Finding> {
    let mut last: HashMap<Pseudonym, &Sighting> = HashMap::new();
    let mut findings = Vec::new();
    for sighting in sightings.iter().filter(|sighting| at(sighting).is_some()) {
        if let Some(before) = last.insert(sighting.person, sighting) {
            findings.extend(journey(before, sighting));
        }
    }
    findings
}

fn at(sighting: &Sighting) -> Option<((f64, f64), f64)> {
    let place = sighting.place.as_ref()?;
    Some((place.at?, place.radius_km))
}

fn journey(before: &Sighting, after: &Sighting) -> Option<Finding> {
    let ((from, one), (to, other)) = (at(before)?, at(after)?);
    let radii = mutant!(one + other, "travel-without-radius" => 0.0);
    let least = distance_km(from, to) - radii;
    let hours = after.time.saturating_sub(before.time) as f64 / HOUR;
    (least > 0.0 && least > FASTEST * hours).then(|| Finding {
        time: after.time,
        kind: "travel",
        person: Some(after.person),
        sentence: format!(
            "seen in {} and, {} later, in {}: at least {least:.0} km",
            name(before),
            span(after.time.saturating_sub(before.time)),
            name(after)
        ),
        doubt: doubt(before, after),
        evidence: vec![before.event.clone(), after.event.clone()],
    })
}

fn name(sighting: &Sighting) -> String {
    let country = sighting.place.as_ref().and_then(|place| place.country.as_deref());
    format!("{} ({})", country.unwrap_or("an unknown country"), network(sighting.client))
}

/// The same device, or the same session, speaks for one person and another way to the net.
fn doubt(before: &Sighting, after: &Sighting) -> String {
    let same_session = before.session.is_some() && before.session == after.session;
    let same_device = before.device.is_some() && before.device == after.device;
    match (same_device, same_session) {
        (true, _) => "likely harmless: the same device, so a VPN, a carrier or the net of an aeroplane",
        (false, true) => {
            "the same session: a VPN or a carrier, or a cookie that was taken along by somebody else"
        }
        (false, false) => "a VPN, a carrier, or a database of places that is wrong, looks the same",
    }
    .into()
}
