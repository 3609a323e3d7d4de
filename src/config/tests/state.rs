//! `[state]`: what seals what is kept at rest.

use super::{GOOD, Machine, each_is_told, faults, longer};

/// 43 characters, as `openssl rand -base64 32 | tr -d =` prints them.
const KEY: &str = "mX4r0p1u8cJmY0d1WqT3cQ1f0eT7kq9y5vJ2b6hQn0o";
const OTHER: &str = "3q2w5e8r1t4y7u0i9o6p3a2s5d8f1g4h7j0k9l6z3x8";

fn machine(lines: &str) -> Machine {
    Machine::furnished(&longer(&format!("[state]\n{lines}")))
        .variable("STATE_KEY", KEY)
        .file("state.key", format!("{OTHER}\n"))
        .variable("SHORT", &KEY[1..])
}

#[test]
fn the_first_key_seals_and_a_line_break_does_not_count() {
    let keys = |lines: &str| machine(lines).settings().state_keys;
    let told = |lines: &str| keys(lines).iter().map(|key| key.expose().to_owned()).collect::<Vec<_>>();
    assert_eq!(told("key = { env = \"STATE_KEY\" }"), [KEY]);
    assert_eq!(told("key = [{ file = \"state.key\" }, { env = \"STATE_KEY\" }]"), [OTHER, KEY]);
    assert!(told("").is_empty());
    assert!(Machine::furnished(GOOD).settings().state_keys.is_empty());
}

#[test]
fn a_key_that_could_be_guessed_is_none() {
    let fault = |lines: &str| {
        let report = machine(lines).load().unwrap_err();
        let told: Vec<_> = report.faults.iter().map(|fault| fault.message.clone()).collect();
        assert!(!report.render(false).contains(&KEY[1..]), "{report}");
        told
    };
    assert_eq!(fault("key = { env = \"SHORT\" }"), ["a key of fewer than 43 characters"]);
    assert_eq!(fault("key = [{ env = \"STATE_KEY\" }, { env = \"STATE_KEY\" }]"), ["the same key twice"]);
    assert_eq!(fault("key = []"), ["no key"]);
    each_is_told(&[(
        longer("[state]\nkey = { env = \"NOT_SET\" }"),
        "the environment variable `NOT_SET` is not set",
        "a variable that is set",
    )]);
}

/// The key itself where its place belongs: nobody sees it in the report.
#[test]
fn invariant_15_a_key_written_into_the_file_is_not_shown() {
    let report = faults(&longer(&format!("[state]\nkey = {{ env = \"{KEY}-\" }}")));
    assert!(!report.render(false).contains(KEY), "{report}");
}
