//! Findings of what is written down here, and what is no finding.

use std::net::Ipv4Addr;

use super::*;

const MINUTE: u64 = 60_000_000;

fn person(number: u8) -> Pseudonym {
    Pseudonym::for_tests([number; 16])
}

fn at(network: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, network, 7).into()
}

fn sighting(time: u64, whose: u8, network: u8) -> Sighting {
    Sighting {
        time: time * MINUTE,
        event: format!("s-{time}"),
        how: How::SignIn,
        person: person(whose),
        client: at(network),
        device: Some("Firefox on Linux".into()),
        session: Some(u64::from(whose)),
        place: None,
    }
}

fn strike(time: u64, whose: Option<u8>, network: u8) -> Strike {
    let micros = time * MINUTE;
    Strike {
        time: micros,
        until: micros,
        event: format!("r-{time}"),
        times: 1,
        client: Some(at(network)),
        person: whose.map(person),
        reason: Some("groups".into()),
    }
}

fn placed(sighting: Sighting, at: (f64, f64), radius_km: f64, continent: &str) -> Sighting {
    let place = Place { country: None, continent: Some(continent.into()), at: Some(at), radius_km };
    Sighting { place: Some(place), ..sighting }
}

const BERLIN: (f64, f64) = (52.52, 13.40);
const TOKYO: (f64, f64) = (35.68, 139.69);

#[test]
fn the_first_time_nothing_is_new_and_then_what_is() {
    let mut tablet = sighting(3, 1, 2);
    tablet.device = Some("Safari on iPad".into());
    let seen = [sighting(0, 1, 1), sighting(1, 1, 1), sighting(2, 2, 9), tablet, sighting(4, 1, 2)];
    let findings = first_seen(&seen);
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((finding.time, finding.evidence.as_slice()), (3 * MINUTE, &["s-3".to_owned()][..]));
    assert!(finding.sentence.contains("network 192.0.2.0/24, device Safari on iPad; seen 2 times before"));
    let token = Sighting { how: How::Credential, ..sighting(9, 2, 3) };
    let often: Vec<_> = (0..5).map(|minute| sighting(minute, 2, 1)).chain([token.clone()]).collect();
    assert_eq!(first_seen(&often)[0].kind, "credential-new-place");
    assert_eq!(first_seen(&[sighting(0, 2, 1), token]), [], "one thing that is new of somebody hardly known");
}

#[test]
fn a_burst_is_one_finding_however_long_it_is() {
    let strikes: Vec<_> = (0..500).map(|minute| strike(minute, None, 1)).collect();
    let findings = bursts(&strikes);
    let [finding] = &findings[..] else { panic!("{}", findings.len()) };
    assert!(
        finding.sentence.starts_with("500 refusals from 192.0.1.0/24 within 8 hours"),
        "{}",
        finding.sentence
    );
    assert_eq!(finding.evidence.len(), EVIDENCE);
    // With a pause they are two; fewer than a burst are none.
    let two = (0..30).chain(100..130).map(|minute| strike(minute, None, 1));
    assert_eq!(bursts(&two.collect::<Vec<_>>()).len(), 2);
    assert_eq!(bursts(&strikes[..19]), []);
    let folded = Strike { times: 20, ..strike(0, None, 1) };
    assert_eq!(bursts(&[folded]).len(), 1, "an interval counts as many");
}

#[test]
fn spraying_is_many_accounts_and_not_one_often() {
    let sprayed: Vec<_> = (0..6).map(|number| strike(u64::from(number), Some(number), 1)).collect();
    let findings = spraying(&sprayed, &[]);
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert!(
        finding.sentence.starts_with("6 accounts were refused from 192.0.1.0/24"),
        "{}",
        finding.sentence
    );
    let came = spraying(&sprayed, &[sighting(7, 3, 1), sighting(7, 4, 8)]);
    assert!(came[0].sentence.ends_with("1 of these accounts signed in from there afterwards"));
    let often: Vec<_> = (0..60).map(|minute| strike(minute, Some(1), 1)).collect();
    assert_eq!(spraying(&often, &[]), []);
    let spread: Vec<_> = (0..6).map(|number| strike(u64::from(number), Some(number), number)).collect();
    assert!(spraying(&spread, &[])[0].sentence.contains("for one reason (groups) from 6 networks"));
    let slow: Vec<_> = (0..6).map(|number| strike(u64::from(number) * 61, Some(number), 1)).collect();
    assert_eq!(spraying(&slow, &[]), []);
}

#[test]
fn a_journey_is_too_fast_only_by_what_is_certain() {
    let journey = |minutes, radius| {
        let first = placed(sighting(0, 1, 1), BERLIN, radius, "EU");
        travel(&[first, placed(sighting(minutes, 1, 2), TOKYO, radius, "AS")])
    };
    let found = journey(60, 100.0);
    assert!(
        found[0].sentence.contains("at least 87") && found[0].doubt.starts_with("likely harmless"),
        "{found:?}"
    );
    assert_eq!(journey(11 * 60, 100.0), [], "an aeroplane flies that");
    // Some 8,900 km: where either may be 4,000 km off, 900 are certain, and two hours are enough for them.
    assert_eq!(journey(120, 4_000.0), []);
    assert_eq!(journey(0, 5_000.0), [], "they may be in one place");
    let other = Sighting { device: Some("Edge on Windows".into()), session: Some(9), ..sighting(1, 1, 2) };
    let found = travel(&[placed(sighting(0, 1, 1), BERLIN, 10.0, "EU"), placed(other, TOKYO, 10.0, "AS")]);
    assert!(!found[0].doubt.contains("likely harmless"), "another device is not harmless");
    let another = travel(&[
        placed(sighting(0, 1, 1), BERLIN, 10.0, "EU"),
        placed(sighting(1, 2, 2), TOKYO, 10.0, "AS"),
    ]);
    assert_eq!(another, [], "two people are in two places");
}

#[test]
fn a_session_on_two_continents_is_told_once() {
    let hop = |time, continent| placed(sighting(time, 1, 1), BERLIN, 10.0, continent);
    let findings = two_places(&[hop(0, "EU"), hop(1, "AS"), hop(2, "EU"), hop(3, "AS"), sighting(4, 1, 1)]);
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(finding.evidence, ["s-0", "s-1"]);
    assert_eq!(two_places(&[hop(0, "EU"), hop(1, "EU")]), []);
}
