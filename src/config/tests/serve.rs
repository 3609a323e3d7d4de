//! `serve`: routes that the gateway itself answers.

use http::Method;

use super::warnings::nothing_is_said_of;
use super::{changed, each_is_told, longer, settings};
use crate::endpoints::Application;
use crate::gate::RouteAction;

/// A route of its own behind the good file.
fn another(lines: &str) -> String {
    longer(&format!("[[routes]]\nhost = \"start.corp.example\"\n{lines}"))
}

fn serving(lines: &str) -> String {
    another(&format!("serve = \"portal\"\n{lines}"))
}

#[test]
fn the_home_page_stands_on_a_route_like_an_app_and_answers_get_and_head() {
    let route = settings(&serving("access = \"signed-in\"")).routes.remove(1);
    assert_eq!(route.action, RouteAction::Serve(Application::Portal));
    assert_eq!(route.pattern.methods, [Method::GET, Method::HEAD]);
    assert_eq!(route.name.as_str(), "start.corp.example/", "called as any other");
    let one = settings(&serving("policy = \"staff\"\nmethods = \"GET\"")).routes.remove(1);
    assert_eq!(one.pattern.methods, [Method::GET]);
    nothing_is_said_of(&[
        serving("access = \"signed-in\""),
        serving("access = \"public\""),
        serving("policy = \"staff\"\npath = \"/me\"\nlimits = { per = \"principal\", rate = \"1/s\" }"),
    ]);
}

#[test]
fn a_route_does_one_thing() {
    let open = "access = \"public\"\n";
    let redirect = "redirect = { host = \"c.example\" }\n";
    each_is_told(&[
        (changed("routes", "serve = \"portal\""), "both `upstream` and `serve`", "expected one of the two"),
        (serving(&format!("{open}{redirect}")), "both `redirect` and `serve`", "expected one of the two"),
        (another(open), "the route leads nowhere", "`redirect` or `serve`"),
    ]);
    let all =
        super::faults(&another(&format!("{open}{redirect}upstream = \"http://b\"\nserve = \"portal\"")));
    let told: Vec<_> = all.faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(told, ["both `upstream` and `redirect`", "both `upstream` and `serve`"]);
}

#[test]
fn what_is_served_has_a_word_and_somebody_to_see_it() {
    each_is_told(&[
        (another("access = \"signed-in\"\nserve = \"callback\""), "unknown word `callback`", "\"portal\""),
        (serving(""), "the route does not say who may use it", "expected `access = \"signed-in\"`"),
    ]);
}

#[test]
fn what_the_page_cannot_answer_is_a_fault() {
    let methods = |methods: &str| serving(&format!("access = \"signed-in\"\nmethods = {methods}"));
    each_is_told(&[
        (methods("[\"GET\", \"POST\"]"), "`POST` on a route that serves", "expected \"GET\" or \"HEAD\""),
        (methods("\"get\""), "not a method", "in capitals"),
        (
            serving("access = \"signed-in\"\ntolerate = \"encoded-slash\""),
            "`tolerate` on a route that serves",
            "expected it on a route with `upstream`",
        ),
    ]);
}

#[test]
fn what_only_an_upstream_can_have_is_a_fault_on_a_route_without() {
    for key in [
        "upstream_tls = {}",
        "upstream_protocol = \"http2\"",
        "balance = \"round-robin\"",
        "keep_idle = 1",
        "health = { path = \"/\" }",
        "ejection = {}",
        "timeout = {}",
        "max_body = 1",
        "streams = \"use\"",
        "max_response_fields = 200",
        "min_body_rate = 1",
        "strip_path = true",
        "replace_path = \"/\"",
        "rewrite_location = true",
        "host_header = \"keep\"",
        "identity = {}",
        "request_headers = {}",
        "response_headers = {}",
        "hsts = true",
        "title = \"x\"",
        "description = \"x\"",
        "icon = \"x.svg\"",
        "group = \"x\"",
        "hidden = true",
    ] {
        let name = key.split(' ').next().unwrap();
        for (action, does) in
            [("redirect = { host = \"c.example\" }", "redirects"), ("serve = \"portal\"", "serves")]
        {
            let message = format!("`{name}` on a route that {does}");
            let file = another(&format!("access = \"public\"\n{action}\n{key}"));
            each_is_told(&[(file, &message, "expected it on a route with `upstream`")]);
        }
    }
}
