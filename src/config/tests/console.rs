//! `[console]`, and routes that serve it.

use super::warnings::nothing_is_said_of;
use super::{each_is_told, longer, settings};
use crate::authn::{Accept, Accepted};
use crate::endpoints::Application;
use crate::gate::{RouteAction, SentFrom};
use crate::policy::AccessSettings;

/// A console behind the good file.
fn console(host: &str, lines: &str, table: &str) -> String {
    let host = if host.is_empty() { String::new() } else { format!("host = \"{host}\"\n") };
    longer(&format!("[[routes]]\n{host}serve = \"console\"\n{lines}\n{table}"))
}

const HOST: &str = "console.corp.example";

#[test]
fn invariant_1_a_console_is_for_whom_a_rule_names() {
    let whom = "a console for everybody who signs in, or for anybody";
    for lines in ["access = \"signed-in\"", "access = \"public\""] {
        each_is_told(&[(console(HOST, lines, ""), whom, "policy = \"admins\"")]);
    }
    each_is_told(&[(console(HOST, "", ""), "the route does not say who may use it", "expected")]);
    let route = settings(&console(HOST, "policy = \"staff\"", "")).routes.remove(1);
    assert_eq!(route.action, RouteAction::Serve(Application::Console));
    assert!(matches!(route.access, AccessSettings::Policies(_)));
    nothing_is_said_of(&[console(HOST, "policy = \"staff\"", "[console]\noperator = \"staff\"")]);
}

#[test]
fn invariant_18_a_console_is_used_in_a_browser_and_by_its_own_pages_alone() {
    let route = settings(&console(HOST, "policy = \"staff\"", "")).routes.remove(1);
    assert_eq!(route.accept, Accept::from_iter([Accepted::Session]));
    assert_eq!((route.origins.sent_from, route.origins.readers.len()), (SentFrom::SameHost, 0));
    let alone = "the console shares its host with the route wiki.corp.example/wiki";
    for host in ["wiki.corp.example", "wiki.corp.example:8443", "WIKI.corp.example"] {
        let app = "[[routes]]\nhost = \"wiki.corp.example\"\npath = \"/app\"\nupstream = \"http://10.0.0.5\"\naccess = \"public\"";
        each_is_told(&[(console(host, "policy = \"staff\"", app), alone, "of its own")]);
    }
    let beside =
        |host: &str| format!("[[routes]]\n{host}upstream = \"http://10.0.0.5\"\naccess = \"public\"\n");
    let port = "console.corp.example:8443";
    for (host, name) in [("", "*/"), ("host = \"*.corp.example\"\n", "*.corp.example/")] {
        let alone = format!("the console shares its host with the route {name}");
        each_is_told(&[(console(port, "policy = \"staff\"", &beside(host)), &alone, "of its own")]);
        // Where it names no port, all of the host is its own.
        assert_eq!(settings(&console(HOST, "policy = \"staff\"", &beside(host))).routes.len(), 3);
    }
    for host in ["", "*.corp.example"] {
        let many = "a console that stands on more than one host";
        each_is_told(&[(console(host, "policy = \"staff\"", ""), many, "of its own")]);
    }
    each_is_told(&[
        (
            console(HOST, "policy = \"staff\"\naccept = \"session\"", ""),
            "`accept` on a route that serves the console",
            "in a browser",
        ),
        (
            console(HOST, "policy = \"staff\"\ncors = { origins = \"https://a.example\" }", ""),
            "`cors` on a route that serves the console",
            "no page of another origin",
        ),
    ]);
}

#[test]
fn roles_are_policies() {
    let table = "[console]\nauditor = [\"staff\"]\noperator = \"staff\"";
    let console_of = |table: &str| settings(&console(HOST, "policy = \"staff\"", table)).console;
    let known = console_of(table);
    assert!(known.viewer.is_none() && known.auditor == known.operator && known.operator.is_some());
    let rules = "policy = \"staff\"";
    each_is_told(&[
        (console(HOST, rules, "[console]\noperator = \"stuff\""), "no policy is called `stuff`", "staff"),
        (console(HOST, rules, "[console]\nauditor = []"), "a list without policies", "the name of a policy"),
        (
            console(HOST, rules, "[console]\nadmin = \"staff\""),
            "unknown key `admin`",
            "not a key of this table",
        ),
    ]);
}
