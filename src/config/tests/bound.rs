//! Bound sessions: what their keys mean, and what browsers would not bind.

use super::warnings::{each_is_warned_of, nothing_is_said_of};
use super::{GOOD, Machine, changed, longer};
use crate::session::Bind;

fn session(lines: &str) -> String {
    longer(&format!("[session]\n{lines}\n"))
}

fn hosts(count: usize) -> String {
    let route = |n| {
        format!(
            "[[routes]]\nhost = \"app-{n}.corp.example\"\nupstream = \"http://10.0.0.9:{n}\"\npolicy = \"staff\"\n"
        )
    };
    (1..=count).map(route).collect()
}

#[test]
fn sessions_are_bound_where_browsers_can_unless_the_file_says_otherwise() {
    for (file, bind) in [
        (GOOD.to_owned(), Bind::Auto),
        (session("bind = \"auto\""), Bind::Auto),
        (session("bind = \"required\""), Bind::Required),
        (session("bind = \"off\""), Bind::Off),
    ] {
        assert_eq!(Machine::furnished(&file).settings().session.bind, bind, "{file}");
    }
    let site = session("bind_site = \"CORP.example\"");
    assert_eq!(Machine::furnished(&site).settings().session.bind_site.as_deref(), Some("corp.example"));
}

#[test]
fn a_site_that_browsers_find_no_document_of_is_warned_of() {
    let unserved = "the domain of `bind_site` is not served here";
    let document = "https://corp.example/.well-known/device-bound-sessions";
    each_is_warned_of(&[(session("bind_site = \"corp.example\""), unserved, document)]);
    let apex = "[[routes]]\nhost = \"corp.example\"\nredirect = { host = \"www.corp.example\" }\naccess = \"public\"\n";
    nothing_is_said_of(&[
        session("bind_site = \"corp.example\"") + apex,
        session("bind_site = \"login.corp.example\""),
        session("bind_site = \"corp.example\"").replace("https://login.corp.example", "https://corp.example"),
    ]);
}

#[test]
fn more_hosts_than_a_browser_binds_are_warned_of_where_all_must_be_bound() {
    let message = "more than 5 hosts of corp.example ask for bound sessions";
    let required = session("bind = \"required\"");
    each_is_warned_of(&[(required.clone() + &hosts(5), message, "further ones are refused")]);
    nothing_is_said_of(&[required + &hosts(4), session("bind = \"auto\"") + &hosts(9)]);
}

#[test]
fn a_rule_may_ask_for_a_bound_session_alone() {
    let file = changed("policies.staff", "allow = [{ bound = true }]");
    let settings = Machine::furnished(&file).settings();
    let crate::policy::AccessSettings::Policies(policies) = &settings.routes[0].access else { panic!() };
    assert_eq!(policies[0].allow[0].bound, Some(true));
}
