//! How somebody must have signed in: faults and warnings.

use super::warnings::{each_is_warned_of, nothing_is_said_of};
use super::{changed, each_is_told, longer};

fn route(line: &str) -> String {
    changed("routes", line)
}

#[test]
fn how_somebody_must_have_signed_in() {
    let rule = |condition: &str| route(&format!("allow = {{ groups = \"a\", {condition} }}"));
    let word = "not a level or method of a sign-in";
    let eleven: Vec<_> = (0..11).map(|level| format!("\"l{level}\"")).collect();
    each_is_told(&[
        (rule("acr = \"two words\""), word, "one word of at most 100 characters"),
        (rule("acr = \"a\\\"b\""), word, ""),
        (rule(&format!("amr = \"{}\"", "x".repeat(101))), word, ""),
        (rule("amr = \"\""), word, ""),
        (rule("acr = []"), "an empty list sets no condition", "at least one entry"),
        (rule(&format!("acr = [{}]", eleven.join(", "))), "too many", "at most 10"),
        (rule("max_auth_age = \"59s\""), "the span of time is too short", "from 1m"),
        (rule("max_auth_age = \"0s\""), "the span of time is too short", ""),
        (rule("max_auth_age = \"soon\""), "not a span of time", ""),
    ]);
    for alone in ["acr = \"mfa\"", "amr = \"otp\"", "max_auth_age = \"1m\""] {
        assert!(super::warnings(&route(&format!("allow = {{ {alone} }}"))).is_clean(), "{alone}");
    }
}

#[test]
fn how_old_a_route_lets_sessions_be() {
    let session = |session: &str| route(&format!("session = {{ {session} }}"));
    let bearer = route("accept = \"bearer\"\nsession = { max_age = \"1h\" }");
    let public = longer(
        "[[routes]]\nhost = \"b.corp.example\"\nupstream = \"http://b\"\naccess = \"public\"\nsession = { max_age = \"1h\" }",
    );
    let none = "`session` on a route that looks at no sessions";
    each_is_told(&[
        (session("max_age = \"59s\""), "the span of time is too short", "from 1m"),
        (session("max_age = \"30days\""), "the span of time is too long", ""),
        (session("idle_timeout = \"59s\""), "the span of time is too short", "from 1m"),
        (session("idle_timeout = \"30days\""), "the span of time is too long", ""),
        (bearer, none, "where `accept` has \"session\""),
        (public, none, ""),
    ]);
    let seconds = |words: &str| {
        let route = &super::settings(&session(words)).routes[0];
        [route.session_max_age, route.session_idle_timeout].map(|span| span.map(|span| span.as_secs()))
    };
    assert_eq!(seconds("max_age = \"1h\""), [Some(3600), None]);
    assert_eq!(seconds("idle_timeout = \"15m\""), [None, Some(900)]);
}

#[test]
fn what_counts_as_one_network() {
    let network = |words: &str| {
        let settings = super::settings(&longer(&format!("[session]\n{words}")));
        assert_eq!(settings.routes[0].session_network, settings.session.network, "every route of sessions");
        settings.session.network.map(|it| (it.ipv4, it.ipv6))
    };
    assert_eq!(network(""), None);
    assert_eq!(network("network_change = \"ignore\""), None);
    assert_eq!(network("network_change = \"step-up\""), Some((24, 48)));
    assert_eq!(network("network_change = \"step-up\"\nnetwork_prefix = { ipv6 = 64 }"), Some((24, 64)));
}

#[test]
fn strength_narrows_a_rule() {
    let earlier = "the rule changes nothing: an earlier one holds whenever it does";
    let later = "the rule changes nothing: a later one holds whenever it does";
    let two = |one: &str, two: &str| {
        changed(
            "policies.staff",
            &format!("allow = [{{ groups = \"a\", {one} }}, {{ groups = \"a\", {two} }}]"),
        )
    };
    each_is_warned_of(&[
        (two("acr = [\"mfa\", \"hwk\"]", "acr = \"hwk\""), earlier, ""),
        (two("amr = \"otp\"", "amr = [\"pwd\", \"otp\"]"), earlier, ""),
        (two("max_auth_age = \"1h\"", "max_auth_age = \"5m\""), earlier, ""),
        (two("max_auth_age = \"5m\"", "max_auth_age = \"1h\""), later, ""),
        (
            changed("policies.staff", "allow = { groups = \"a\" }\ndeny = { max_auth_age = \"1h\" }"),
            "in `deny`, `max_auth_age` keeps out whoever signed in no longer ago",
            "in a rule of `allow`",
        ),
    ]);
    nothing_is_said_of(&[
        two("acr = \"mfa\"", "acr = \"hwk\""),
        two("amr = \"pwd\"", "amr = \"otp\""),
        two("max_auth_age = \"5m\"", "acr = \"mfa\""),
    ]);
}
