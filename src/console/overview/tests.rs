use std::time::Duration;

use super::*;
use crate::console::Role;
use crate::history::{Counters, Minute};
use crate::telemetry::Outcome;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_030);

#[test]
fn one_key_signs_at_a_time() {
    let key = |from| ("k".to_owned(), Timestamp::from_seconds(from));
    let words = |now| {
        let rows = keys(&[key(10), key(20), key(30)], Timestamp::from_seconds(now));
        rows.iter().map(|row| row.word).collect::<Vec<_>>()
    };
    assert_eq!(words(20), ["still published", "signs", "next"]);
    assert_eq!(words(5), ["signs", "next", "next"]);
    assert!(keys(&[], Timestamp::default()).is_empty());
}

fn html(role: Role, overview: &ProcessOverview) -> String {
    shown(&Shell::sample(role, Section::Overview), overview, NOW).html
}

/// An hour of a gateway that began 50 minutes ago.
fn hour() -> Vec<Minute> {
    let minute = |ago: u64| {
        let begins = Timestamp::from_seconds((NOW.seconds() / 60 - ago) * 60);
        let wave = 40 + (ago * 7 + ago * ago) % 60 + if ago.is_multiple_of(13) { 70 } else { 0 };
        let mut counted =
            Counters { sign_ins: (wave / 12, u64::from(ago.is_multiple_of(9)) * 3), ..Counters::default() };
        for (outcome, count) in [
            (Outcome::Allowed, wave * 8),
            (Outcome::Public, wave),
            (Outcome::Own, wave / 4),
            (Outcome::Unauthenticated, wave / 3),
            (Outcome::Forbidden, u64::from(ago.is_multiple_of(5)) * 9),
            (Outcome::UpstreamError, if (20..24).contains(&ago) { wave * 2 } else { 0 }),
            (Outcome::Aborted, wave / 20),
        ] {
            counted.outcomes[outcome as usize] = count;
        }
        let all = counted.requests();
        let slow = if (20..24).contains(&ago) { 11 } else { 8 };
        counted.latencies[2] = all / 2 + 1;
        counted.latencies[4 + usize::from(ago.is_multiple_of(3))] = all / 3;
        counted.latencies[6] = all / 8;
        counted.latencies[slow] = all - all / 2 - 1 - all / 3 - all / 8;
        Minute { begins, counted: (ago < 50).then_some(counted) }
    };
    (0..60).rev().map(minute).collect()
}

fn busy() -> ProcessOverview {
    ProcessOverview {
        up: Duration::from_secs(3_000),
        minutes: hour(),
        assertion_keys: vec![("kid-of-a-key".into(), Timestamp::from_seconds(1_799_000_000))],
        sinks: vec![
            SinkShown {
                name: "log".into(),
                written: 120_441,
                lost: 0,
                behind: Duration::ZERO,
                waiting: None,
                trouble: None,
                last_error: None,
                file: None,
            },
            SinkShown {
                name: "siem".into(),
                written: 9_871,
                lost: 12,
                behind: Duration::from_secs(75),
                waiting: Some((31, 1000)),
                trouble: None,
                last_error: None,
                file: Some("/var/log/portcullis/record.json".into()),
            },
        ],
        ..ProcessOverview::default()
    }
}

#[test]
fn nothing_none_and_not_known_look_different() {
    let busy = html(Role::Viewer, &busy());
    assert_eq!(
        busy.matches("class=\"slot unknown\"").count(),
        2 * 10,
        "minutes before the start, in two charts"
    );
    assert!(busy.contains("10 minutes of it are not known") && busy.contains("not known</td>"), "{busy}");
    assert!(
        busy.contains("has lost some") && busy.contains("1 min; its room on disk is 3.1 % full"),
        "{busy}"
    );
    let quiet = Minute { begins: NOW, counted: Some(Counters::default()) };
    let quiet =
        html(Role::Viewer, &ProcessOverview { minutes: vec![quiet; 60], ..ProcessOverview::default() });
    assert!(quiet.contains("No request in the last hour.") && !quiet.contains("slot unknown"), "{quiet}");
    assert!(!quiet.contains("not known"), "{quiet}");
}

#[test]
fn acts_are_offered_to_operators_alone() {
    for (role, offered) in [(Role::Viewer, false), (Role::Auditor, false), (Role::Operator, true)] {
        let page = html(role, &busy());
        assert_eq!(page.contains("/at/act/drain"), offered, "{role}");
        assert_eq!(page.contains("/at/act/rotate"), offered, "{role}");
    }
}

#[test]
fn what_is_wrong_stands_first() {
    let mut overview = busy();
    overview.troubles = vec![("state".into(), "the disk is full".into())];
    overview.state = vec!["the disk is full".into()];
    overview.draining = true;
    let page = html(Role::Viewer, &overview);
    let place = |word: &str| page.find(word).unwrap_or_else(|| panic!("{word}: {page}"));
    assert!(place("is draining") < place("1 part cannot do its work"));
    assert!(place("1 part cannot do its work") < place("The last hour"));
    assert!(page.contains("in trouble") && !page.contains("Everything can do its work"));
}
