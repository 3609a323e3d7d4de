//! Faults of `[[routes]]`.

use super::{changed, each_is_told, longer};

fn route(line: &str) -> String {
    changed("routes", line)
}

/// A route of its own behind the good file.
fn another(lines: &str) -> String {
    longer(&format!("[[routes]]\nhost = \"b.corp.example\"\n{lines}"))
}

#[test]
fn what_a_route_claims() {
    each_is_told(&[
        (route("host = \"https://wiki.corp.example\""), "not a host", "\"wiki.corp.example\""),
        (route("host = \"wiki.*.example\""), "not a host", ""),
        (route("host = \"wiki.corp.example/x\""), "not a host", ""),
        (route("path = \"wiki\""), "not a path", "expected a decoded path"),
        (route("path = \"/wiki/*\""), "not a path", "it holds all that is below it"),
        (route("path = \"/a%20b\""), "not a path", "expected a decoded path"),
        (
            route("path = \"/.portcullis/x\""),
            "what is below `/.portcullis` belongs to the gateway",
            "another path",
        ),
        (route("methods = []"), "a route without methods", "at least one method"),
        (route("methods = \"get\""), "not a method", "in capitals"),
        (route("name = \"\""), "no name for a route", "up to 128 characters"),
        (route("name = \"portcullis\""), "no name for a route", "the gateway's own"),
    ]);
}

#[test]
fn what_of_a_path_is_told_nowhere() {
    let bad = ["invite/{}", "/invite", "/other/{}", "/wiki/a{}", "/wiki/%61/{}", "/wiki/../{}", ""];
    for bad in bad {
        let message = format!("`{bad}` hides nothing of a path of this route");
        each_is_told(&[(
            another(&format!(
                "path = \"/wiki\"\nupstream = \"http://b\"\naccess = \"public\"\nreason = \"x\"\nmask_path = \"{bad}\""
            )),
            &message,
            "/invite/{}",
        )]);
    }
    let route = another(
        "path = \"/wiki\"\nupstream = \"http://b\"\naccess = \"public\"\nreason = \"x\"\nmask_path = [\"/wiki/invite/{}\", \"/wiki/{}/x\"]",
    );
    assert!(!super::settings(&route).routes.last().unwrap().path_masks.is_empty());
}

#[test]
fn what_challenges_call_a_route() {
    let long = "x".repeat(129);
    let realm = |value: &str| route(&format!("realm = {value}"));
    let expected = "expected 1 to 128 characters of ASCII, without quotes and backslashes";
    for bad in ["\"\"", "'a \"b\"'", "'a\\b'", "\"a\\tb\"", "\"Büro\"", &format!("\"{long}\"")] {
        each_is_told(&[(realm(bad), "not a realm", expected)]);
    }
    for good in ["x", "Corp packages (builds), v1", &long[1..]] {
        assert!(super::warnings(&realm(&format!("\"{good}\""))).is_clean(), "{good}");
    }
}

#[test]
fn two_routes_never_claim_the_same_requests() {
    let twin = |host: &str, path: &str, more: &str| {
        longer(&format!(
            "[[routes]]\nhost = \"{host}\"\npath = \"{path}\"\nupstream = \"http://b\"\naccess = \"signed-in\"\n{more}"
        ))
    };
    let message = "two routes claim the same requests";
    each_is_told(&[
        (twin("wiki.corp.example", "/wiki", ""), message, "another host, path or methods"),
        (twin("WIKI.corp.example", "/wiki/", ""), message, ""),
        (
            twin("wiki.corp.example", "/x", "name = \"wiki.corp.example/wiki\""),
            "two routes are called `wiki.corp.example/wiki`",
            "a name of its own",
        ),
    ]);
    let report = super::warnings(&twin("wiki.corp.example", "/wiki", "methods = \"GET\""));
    assert!(report.is_clean());
}

#[test]
fn a_route_says_who_may_use_it() {
    let nobody = "the route does not say who may use it";
    each_is_told(&[
        (route("policy"), nobody, "expected `access = \"signed-in\"`, a `policy` or `allow` rules"),
        (route("policy = \"stuff\""), "no policy is called `stuff`", "did you mean \"staff\"?"),
        (route("policy = \"admins\""), "no policy is called `admins`", "expected \"staff\""),
        (route("policy = []"), "a list without policies", "the name of a policy"),
        (route("policy = [\"staff\", \"staff\"]"), "the policy `staff` is named twice", "each policy once"),
        (route("access = \"public\""), "`policy` on a public route", "either `access = \"public\"` or rules"),
        (
            route("access = \"signed-in\""),
            "`access = \"signed-in\"` lets in whom `policy` would not",
            "one of the two",
        ),
        (
            another("upstream = \"http://b\"\naccess = \"public\"\ndeny = { groups = \"a\" }"),
            "`deny` on a public route",
            "either `access = \"public\"` or rules",
        ),
        (
            another("upstream = \"http://b\"\ndeny = { groups = \"a\" }"),
            "`deny` rules alone let nobody in",
            "`access = \"signed-in\"` beside them",
        ),
        (
            longer(
                "[policies.block]\ndeny = { networks = \"192.0.2.0/24\" }\n\n[[routes]]\nhost = \"b.corp.example\"\nupstream = \"http://b\"\npolicy = \"block\"",
            ),
            "`deny` rules alone let nobody in",
            "rules that allow",
        ),
    ]);
}

#[test]
fn a_route_accepts_what_some_provider_offers() {
    let without = |key: &str, line: &str| {
        route(line).lines().filter(|text| !text.starts_with(key)).collect::<Vec<_>>().join("\n")
    };
    let neither = super::GOOD.replace("[providers.corp]\n", "");
    let neither: Vec<_> = neither
        .lines()
        .filter(|line| !["issuer", "client", "audiences"].iter().any(|key| line.starts_with(key)))
        .collect();
    each_is_told(&[
        (
            without("audiences", "accept = \"bearer\""),
            "no provider has `audiences`",
            "a provider with `audiences`",
        ),
        (
            route("accept = \"bearer\"")
                .replace("audiences = [\"https://api.corp.example\"]", "audiences = []"),
            "no provider has `audiences`",
            "",
        ),
        (
            without("client_", "accept = \"session\""),
            "no provider has `client_id`",
            "a provider with `client_id`",
        ),
        (
            route("accept = []"),
            "a route that accepts no credential lets nobody in",
            "\"session\", \"bearer\" or \"basic\"",
        ),
        (
            another("upstream = \"http://b\"\naccess = \"public\"\naccept = \"session\""),
            "`accept` on a public route",
            "",
        ),
        (
            neither.join("\n").replace(", provider = \"corp\"", ""),
            "nobody can get in: this file has no provider to sign in with",
            "[providers.NAME]",
        ),
    ]);
}

#[test]
fn where_a_route_leads() {
    let redirect = |redirect: &str| another(&format!("access = \"public\"\nredirect = {{ {redirect} }}"));
    each_is_told(&[
        (route("upstream"), "the route leads nowhere", "`redirect` or `serve`"),
        (route("redirect = { host = \"b.example\" }"), "both `upstream` and `redirect`", "one of the two"),
        (redirect(""), "the redirect leads to where it began", "`scheme`, `host` or `path`"),
        (
            redirect("host = \"a b\""),
            "not a host: the host is no name: expected labels of letters, digits, \"-\" and \"_\" without a trailing dot",
            "www.corp.example",
        ),
        (redirect("path = \"new\""), "not a path", "percent-encoded"),
        (redirect("path = \"/a?b\""), "not a path", "without dot segments and query"),
        (
            redirect("host = \"b.example\", status = 304"),
            "not the status of a redirect",
            "301, 302, 303, 307 or 308",
        ),
        (redirect("host = \"b.example\", status = 200"), "the number is out of range", "from 301 to 308"),
    ]);
}

#[test]
fn upstreams() {
    each_is_told(&[
        (route("upstream = []"), "an upstream without servers", "at least one server"),
        (route("upstream = \"10.0.0.5:8080\""), "the scheme of the URL is missing", "http://10.0.0.5:8080"),
        (route("upstream = \"ftp://10.0.0.5\""), "not a URL of a scheme that works here", ""),
        (
            route("upstream = \"http://10.0.0.5/app\""),
            "the upstream has a path",
            "scheme, host and port alone",
        ),
        (route("upstream = \"http://10.0.0.5:0\""), "the upstream has no host or port", ""),
        (route("upstream = [\"http://a\", \"http://a:80/\"]"), "the same server twice", "each server once"),
        (route("upstream = \"unix:app.sock\""), "not the path of a socket", "unix:/run/app.sock"),
        (route("upstream = \"unix:///run/app.sock\""), "not the path of a socket", "unix:/run/app.sock"),
        (
            route("upstream = \"h2c://10.0.0.5\"\nupstream_protocol = \"http1\""),
            "`h2c://` is HTTP/2, but `upstream_protocol` is \"http1\"",
            "no `upstream_protocol`",
        ),
        (route("upstream_tls = {}"), "`upstream_tls`, but no server of the upstream speaks TLS", "https://"),
        (
            route("upstream = \"https://a\"\nupstream_tls = { cert = { file = \"tls.crt\" } }"),
            "a certificate and its key come together",
            "both `cert` and `key`",
        ),
        (
            route("upstream = \"https://a\"\nupstream_tls = { server_name = \"a b\" }"),
            "not a name that a certificate could hold",
            "app.internal",
        ),
        (route("health = { path = \"healthz\" }"), "not a path", "/healthz"),
        (route("timeout = { connect = \"1h\" }"), "the span of time is too long", "from 10ms to 5m"),
        (route("max_body = 0"), "not a size", "\"10MiB\""),
        (route("max_body = \"10 MiBs\""), "not a size", ""),
    ]);
}

#[test]
fn paths_and_hosts_towards_the_app() {
    each_is_told(&[
        (
            route("strip_path = true\nreplace_path = \"/x\""),
            "both `strip_path` and `replace_path`",
            "one of the two",
        ),
        (
            another("upstream = \"http://b\"\naccess = \"public\"\nstrip_path = true"),
            "`strip_path` without a `path` to take off",
            "on this route",
        ),
        (route("replace_path = \"app\""), "not a path", "percent-encoded"),
        (route("replace_path = \"/a/../b\""), "not a path", "without dot segments"),
        (route("host_header = \"a b\""), "not a host", "\"keep\", \"upstream\""),
    ]);
}

#[test]
fn headers() {
    each_is_told(&[
        (
            route("response_headers = { set = { \"a b\" = \"x\" } }"),
            "`a b` is not the name of a header",
            "X-Frame-Options",
        ),
        (
            route("response_headers = { set = { X-A = \"x\\ny\" } }"),
            "not the value of a header: `X-A`",
            "without line breaks",
        ),
        (
            route("response_headers = { set = { X-A = \"1\" }, remove = \"x-a\" }"),
            "several rules for the header `x-a`",
            "one rule",
        ),
        (
            route("response_headers = { set = { Transfer_Encoding = \"x\" } }"),
            "an app could take the header `Transfer_Encoding` for `transfer-encoding`",
            "folds to framing",
        ),
        (
            route("response_headers = { set = { Transfer-Encoding = \"x\" } }"),
            "the header `Transfer-Encoding` is the gateway's to write",
            "",
        ),
        (
            route("request_headers = { set = { Host = \"x\" } }"),
            "the header `Host` is the gateway's to write",
            "",
        ),
        (
            route("request_headers = { set = { X-Forwarded-For = \"x\" } }"),
            "the header `X-Forwarded-For` is the gateway's to write",
            "",
        ),
        (
            route("request_headers = { default = { remote_user = \"x\" } }"),
            "the header `remote_user` is the gateway's to write",
            "",
        ),
        (route("hsts = \"forever\""), "not a value of `Strict-Transport-Security`", "max-age=31536000"),
        (
            route("hsts = true\nresponse_headers = { set = { Strict-Transport-Security = \"max-age=1\" } }"),
            "`hsts` beside a rule for `Strict-Transport-Security`",
            "one of the two",
        ),
    ]);
}

/// A header that one route's app trusts is nobody's to write on any route (invariant 9).
#[test]
fn invariant_9_an_identity_header_of_one_route_is_reserved_on_all() {
    let file = route("identity = { headers = { X-User = \"user\" } }")
        + "\n[[routes]]\nhost = \"b.corp.example\"\nupstream = \"http://b\"\naccess = \"signed-in\"\n\
           request_headers = { set = { x_user = \"root\" } }\n";
    each_is_told(&[(file, "the header `x_user` is the gateway's to write", "nothing about who asks")]);
}

#[test]
fn identity() {
    let own = |line: &str| route(&format!("identity = {{ headers = {{ {line} }} }}"));
    each_is_told(&[
        (
            route("identity = { headers = \"x-auth\" }"),
            "unknown word `x-auth`",
            "\"x-auth-request\", \"x-forwarded\" or \"remote\"",
        ),
        (own("X-User = \"usr\""), "unknown word `usr`", "\"claim:PATH\""),
        (own("X-User = \"claim:a..b\""), "unknown word `claim:a..b`", ""),
        (own("X-User = \"user\", x-user = \"email\""), "the header `x-user` twice", "each header once"),
        (
            own("X-Forwarded-For = \"user\""),
            "the header `X-Forwarded-For` means something else already",
            "\"X-User\"",
        ),
        (
            own("Portcullis-Assertion = \"user\""),
            "the header `Portcullis-Assertion` means something else already",
            "",
        ),
        (own("Authorization = \"user\""), "the header `Authorization` means something else already", ""),
        (own("Content-Length = \"user\""), "the header `Content-Length` is the gateway's to write", ""),
        (own("\"a b\" = \"user\""), "`a b` is not the name of a header", ""),
    ]);
}

#[test]
fn limits() {
    let limit = |line: &str| route(&format!("limits = {{ {line} }}"));
    each_is_told(&[
        (limit("per = \"address\", rate = \"fast\""), "not a rate", "\"100/min\""),
        (limit("per = \"address\", rate = \"0/s\""), "not a rate", "at least 1"),
        (limit("per = \"address\", rate = \"1/s\", burst = 0"), "the number is out of range", "from 1 to"),
        (limit("per = \"header\", rate = \"1/s\""), "`per = \"header\"` without `header`", "X-Api-Client"),
        (
            limit("per = \"address\", rate = \"1/s\", header = \"X-A\""),
            "`header` without `per = \"header\"`",
            "",
        ),
        (limit("per = \"header\", rate = \"1/s\", header = \"a b\""), "not the name of a header", ""),
        (
            another(
                "upstream = \"http://b\"\naccess = \"public\"\nlimits = { per = \"principal\", rate = \"1/s\" }",
            ),
            "a public route knows nobody whom it could count",
            "\"address\", \"route\" or \"header\"",
        ),
    ]);
}
