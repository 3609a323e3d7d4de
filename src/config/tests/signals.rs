//! `[signals.NAME]`: who tells of people and sessions between sign-ins.

use super::{Machine, each_is_told, longer};
use crate::identity::ClaimPath;
use crate::session::Demand;
use crate::signals::{Authorization, Delivery, EventType, SignalsSettings};

const TABLE: &str = "[signals.corp]\ntransmitter = \"https://signals.corp.example\"\nprovider = \"corp\"\ntoken = { env = \"SECRET\" }\n";

fn signals(more: &str) -> SignalsSettings {
    let mut settings = Machine::furnished(&longer(&format!("{TABLE}{more}"))).settings();
    assert_eq!(settings.signals.len(), 1);
    settings.signals.remove(0)
}

#[test]
fn a_short_table_asks_for_all_events_by_push_about_its_provider() {
    let signals = signals("");
    assert_eq!((signals.name.as_str(), signals.delivery), ("corp", Delivery::Push));
    assert_eq!((signals.provider.as_str(), signals.issuer.as_str()), ("corp", "https://id.corp.example"));
    assert_eq!(signals.events, EventType::all().collect::<Vec<_>>());
    assert!(signals.actions.is_empty() && signals.audience.is_none() && signals.device.is_none());
    assert!(matches!(signals.authorization, Authorization::Token(_)));
    assert!(!format!("{signals:?}").contains("s3cret"));
}

#[test]
fn what_is_written_is_what_is_meant() {
    let meant = signals(
        "delivery = \"poll\"\nevents = [\"session-revoked\", \"account-disabled\"]\naudience = \"us\"\n\
         device_claim = \"device_id\"\ntenant_claim = \"tid\"\nactions = { \"risk-level-change\" = \"end\", \
         \"session-revoked\" = \"refresh\", \"account-disabled\" = \"step-up\" }\n",
    );
    assert_eq!((meant.delivery, meant.audience.as_deref()), (Delivery::Poll, Some("us")));
    assert_eq!(meant.events, [EventType::SessionRevoked, EventType::AccountDisabled]);
    assert_eq!((meant.device, meant.tenant), (ClaimPath::parse("device_id"), ClaimPath::parse("tid")));
    let actions = [
        (EventType::SessionRevoked, Demand::Renewal),
        (EventType::RiskLevelChange, Demand::End),
        (EventType::AccountDisabled, Demand::StepUp),
    ];
    assert_eq!(meant.actions, actions.into());
    let client = "client_id = \"us\"\nclient_secret = { env = \"SECRET\" }\ntoken_endpoint = \"https://id.corp.example/token\"\n";
    let file = longer(&format!("{TABLE}{client}").replace("token = { env = \"SECRET\" }\n", ""));
    let authorization = Machine::furnished(&file).settings().signals.remove(0).authorization;
    let Authorization::Client { id, scopes, .. } = authorization else { panic!("{authorization:?}") };
    assert_eq!((id.as_str(), scopes), ("us", vec!["ssf.manage".to_owned(), "ssf.read".to_owned()]));
}

#[test]
fn what_makes_no_stream_is_told() {
    let with = |from: &str, to: &str| longer(&TABLE.replace(from, to));
    let more = |line: &str| longer(&format!("{TABLE}{line}\n"));
    each_is_told(&[
        (with("signals.corp]", "signals.\"a b\"]"), "`a b` is no name for a transmitter", "letters, digits"),
        (
            with("provider = \"corp\"", "provider = \"crop\""),
            "no provider is called `crop`",
            "did you mean \"corp\"?",
        ),
        (with("https://signals", "http://signals"), "the transmitter is clear text", "https://"),
        (with("token = { env = \"SECRET\" }\n", ""), "no way to show who we are", "expected `token`"),
        (more("client_id = \"us\""), "both `token` and `client_id`", "expected `token`, or"),
        (
            with("token = { env = \"SECRET\" }", "client_id = \"us\""),
            "a client without secret or token endpoint",
            "`client_secret` and `token_endpoint`",
        ),
        (more("events = \"session-revokd\""), "no event is called `session-revokd`", "\"session-revoked\"?"),
        (
            more("actions = { \"session-presented\" = \"end\" }"),
            "`session-presented` is no event that can ask for anything",
            "session-revoked",
        ),
        (more("device_claim = \"a..b\""), "not the path of a claim", "a path such as"),
    ]);
}
