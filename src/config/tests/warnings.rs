//! What loads and is hardly meant.

use super::{GOOD, Machine, changed, longer, warnings};

/// A file, the message of its only warning, and what its label says.
type Case<'a> = (String, &'a str, &'a str);

pub(super) fn each_is_warned_of(cases: &[Case<'_>]) {
    for (file, message, label) in cases {
        let report = warnings(file);
        let told: Vec<_> =
            report.warnings.iter().map(|w| (w.message.as_str(), w.expected.as_str())).collect();
        assert!(
            matches!(told[..], [(m, e)] if m == *message && e.contains(label)),
            "{message}\n{report}\n{file}"
        );
    }
}

pub(super) fn nothing_is_said_of(files: &[String]) {
    for file in files {
        let report = warnings(file);
        assert_eq!(report.render(false), "", "{file}");
    }
}

fn staff(rules: &str) -> String {
    changed("policies.staff", rules)
}

pub(super) fn route(line: &str) -> String {
    changed("routes", line)
}

fn another(host: &str, lines: &str) -> String {
    longer(&format!("[[routes]]\nhost = \"{host}\"\n{lines}"))
}

#[test]
fn a_good_file_is_not_doubted() {
    nothing_is_said_of(&[GOOD.to_owned()]);
}

#[test]
fn rules_that_change_nothing() {
    let earlier = "the rule changes nothing: an earlier one holds whenever it does";
    let later = "the rule changes nothing: a later one holds whenever it does";
    let two = |one: &str, two: &str| staff(&format!("allow = [{{ {one} }}, {{ {two} }}]"));
    each_is_warned_of(&[
        (two("groups = \"a\"", "groups = \"a\""), "the same rule twice", "never decides"),
        (two("groups = [\"a\", \"b\"]", "groups = \"b\""), earlier, "never decides"),
        (two("groups = \"b\"", "groups = [\"a\", \"b\"]"), later, ""),
        (two("groups = \"a\"", "groups = \"a\", methods = \"GET\""), earlier, ""),
        (two("paths = \"/wiki/a\"", "paths = \"/wiki/a/b\""), earlier, ""),
        (two("networks = \"10.0.0.0/8\"", "networks = \"10.1.0.0/16\""), earlier, ""),
        (two("emails = \"A@b.example\"", "emails = \"a@B.example\""), "the same rule twice", ""),
        (two("scopes = \"a\"", "scopes = [\"a\", \"b\"]"), earlier, ""),
        (two("claims = { d = [] }", "claims = { d = \"x\" }"), earlier, ""),
        (
            staff("allow = { groups = \"a\" }\ndeny = [{ users = [\"x\", \"y\"] }, { user = \"x\" }]"),
            earlier,
            "",
        ),
        (route("allow = [{ groups = \"a\" }, { groups = \"a\", users = \"b\" }]"), earlier, ""),
    ]);
    nothing_is_said_of(&[
        two("groups = \"a\"", "groups = \"b\""),
        two("groups = \"a\", methods = \"GET\"", "groups = \"a\", paths = \"/wiki/a\""),
        two("paths = \"/wiki/a\"", "paths = \"/wiki/ab\""),
        two("scopes = [\"a\", \"b\"]", "scopes = [\"a\", \"c\"]"),
        two("claims = { d = [] }", "claims = { d = false }"),
        two("claims = { d = \"x\" }", "claims = { e = \"x\" }"),
        two("emails = \"a@b.example\"", "email_domains = \"b.example\""),
    ]);
}

#[test]
fn allow_rules_that_deny_always_beats() {
    let message = "the rule lets nobody in: a `deny` rule holds whenever it does";
    each_is_warned_of(&[
        (
            staff("allow = { groups = \"a\", users = \"b\" }\ndeny = { users = \"b\" }"),
            message,
            "always beaten",
        ),
        (route("allow = { networks = \"10.0.0.1\" }\ndeny = { networks = \"10.0.0.0/8\" }"), message, ""),
    ]);
    let both = staff("allow = { users = \"b\" }\ndeny = { users = \"b\", networks = \"192.0.2.0/24\" }");
    nothing_is_said_of(&[both.replace("audiences = ", "# audiences = ")]);
}

#[test]
fn policies_that_nobody_uses() {
    each_is_warned_of(&[(
        longer("[policies.admins]\nallow = { groups = \"ops\" }"),
        "no route uses the policy `admins`",
        "it protects nothing",
    )]);
}

#[test]
fn conditions_that_no_request_of_the_route_meets() {
    let below = "[[routes]]\nhost = \"wiki.corp.example\"\npath = \"/wiki/admin\"\nupstream = \"http://10.0.0.5:8080\"\npolicy = \"staff\"\n";
    each_is_warned_of(&[
        (
            route("deny = { paths = \"/other\" }"),
            "`/other` is outside of the route's path",
            "keeps nobody out",
        ),
        (
            route("deny = { paths = \"/wikis\" }"),
            "`/wikis` is outside of the route's path",
            "keeps nobody out",
        ),
        (
            staff("allow = { groups = \"a\", paths = [\"/wiki/x\", \"/y\"] }"),
            "`/y` is outside of the route's path",
            "lets nobody in",
        ),
        (
            route("deny = { groups = \"guests\", paths = \"/wiki/admin/users\" }") + "\n" + below,
            "the rule never sees `/wiki/admin/users`: requests below it go to another route",
            "keeps nobody out",
        ),
        (
            route("methods = [\"GET\", \"HEAD\"]\nallow = { groups = \"a\", methods = [\"GET\", \"PUT\"] }"),
            "the route does not take `PUT`",
            "lets nobody in",
        ),
        (
            route("accept = \"session\"\nallow = { scopes = \"a\" }"),
            "only access tokens have scopes, and none is accepted",
            "lets nobody in",
        ),
        (
            route("accept = \"bearer\"\nallow = { provider = \"partner\" }")
                + "\n[providers.partner]\nissuer = \"https://partner.example\"\nclient_id = \"a\"\n",
            "nobody can come from this provider",
            "lets nobody in",
        ),
    ]);
    nothing_is_said_of(&[
        route("deny = { paths = [\"/wiki\", \"/wiki/x\", \"/\"], networks = \"10.0.0.0/8\" }"),
        staff("allow = { groups = \"a\", paths = \"/wiki/admin\" }") + "\n" + below,
        route("methods = \"GET\"\nallow = { groups = \"a\", methods = \"GET\" }"),
        route("deny = { paths = \"/wiki/admin\", networks = \"10.0.0.0/8\" }")
            + "\n"
            + &below.replace("path =", "methods = \"PUT\"\npath ="),
    ]);
}

#[test]
fn doors_that_stand_open() {
    let inside = "needs no sign-in, although it lies in a protected path";
    let public = "access = \"public\"";
    let app = "upstream = \"http://10.0.0.5:8080\"";
    let other = "upstream = \"http://10.0.0.6:8080\"";
    each_is_warned_of(&[
        (
            another("wiki.corp.example", &format!("path = \"/wiki/a/b\"\n{other}\n{public}")),
            &format!("what is below `/wiki/a/b` {inside}"),
            "without signing in",
        ),
        (
            another(
                "wiki.corp.example",
                &format!("path = \"/wiki\"\nmethods = [\"GET\", \"HEAD\"]\n{app}\n{public}"),
            ),
            "`/wiki` needs no sign-in for GET and HEAD, although the path is protected",
            "",
        ),
        (
            another("wiki.corp.example", &format!("{app}\n{public}")),
            "`/wiki` is protected, but the app is open to everybody all around it",
            "",
        ),
        (
            another("www.corp.example", &format!("{app}\n{public}")),
            "the app is protected on another route, and open to everybody on this one",
            "",
        ),
    ]);
    nothing_is_said_of(&[
        another("wiki.corp.example", &format!("{other}\n{public}")),
        another("www.corp.example", &format!("{other}\n{public}")),
        another(
            "wiki.corp.example",
            &format!("path = \"/wiki/a\"\n{app}\n{public}\nreason = \"for everybody\""),
        ),
        another(
            "wiki.corp.example",
            &format!("path = \"/wiki/a\"\nredirect = {{ path = \"/b\" }}\n{public}"),
        ),
    ]);
}

#[test]
fn identity_that_is_never_written() {
    each_is_warned_of(&[(
        another(
            "www.corp.example",
            "upstream = \"http://b\"\naccess = \"public\"\nidentity = { headers = \"remote\" }",
        ),
        "the app is told nothing here: on a public route nobody is known",
        "never written",
    )]);
}

#[test]
fn redirects_in_a_circle() {
    let circle = "the redirect leads in a circle";
    let redirect = |host: &str, lines: &str| another(host, &format!("access = \"public\"\n{lines}"));
    each_is_warned_of(&[
        (redirect("a.example", "redirect = { scheme = \"https\" }"), circle, "takes the request again"),
        (redirect("a.example", "redirect = { host = \"a.example\" }"), circle, ""),
        (redirect("a.example", "path = \"/old\"\nredirect = { path = \"/old/new\" }"), circle, ""),
        (redirect("a.example:443", "redirect = { scheme = \"https\" }"), circle, ""),
    ]);
    nothing_is_said_of(&[
        redirect("a.example:80", "redirect = { scheme = \"https\" }"),
        redirect("a.example", "redirect = { host = \"b.example\" }"),
        redirect("a.example", "path = \"/old\"\nredirect = { path = \"/new\" }"),
        redirect(
            "a.example",
            "redirect = { path = \"/app\" }\n[[routes]]\nhost = \"a.example\"\npath = \"/app\"\nupstream = \"http://b\"\naccess = \"signed-in\"",
        ),
    ]);
}

#[test]
fn hosts_that_lose_what_a_wildcard_gave_them() {
    let wide = "upstream = \"http://b\"\naccess = \"signed-in\"";
    each_is_warned_of(&[(
        another("*.corp.example", wide),
        "most paths of `wiki.corp.example` are answered with 404",
        "has only these",
    )]);
    nothing_is_said_of(&[another("*.corp.example", wide).replace("path = \"/wiki\"\n", "")]);
}

#[test]
fn methods_that_are_never_forwarded() {
    each_is_warned_of(&[(route("methods = [\"GET\", \"TRACE\"]"), "`TRACE` is never forwarded", "405")]);
}

#[test]
fn passwords_in_clear_text() {
    let file = |listen: &str| {
        GOOD.replace("listen = \"127.0.0.1:8443\"", listen)
            .replace("public_url = \"https://login.corp.example\"\n", "state = \"memory\"\n")
            .replace("client_id = \"portcullis\"\nclient_secret = { env = \"SECRET\" }\n", "")
            .replace("path = \"/wiki\"", "accept = [\"bearer\", \"basic\"]")
    };
    let clear = |listen: &str| file(listen).replace("tls = { cert = \"tls.crt\", key = \"tls.key\" }\n", "");
    let message = "access tokens come as passwords, in clear text";
    each_is_warned_of(&[
        (clear("listen = \"127.0.0.1:8080\""), message, "whoever can listen"),
        (file("listen = [\"127.0.0.1:8443\", { address = \"127.0.0.1:80\", tls = false }]"), message, ""),
    ]);
    nothing_is_said_of(&[
        file("listen = \"127.0.0.1:8443\""),
        file("listen = [\"127.0.0.1:8443\", { address = \"127.0.0.1:80\", tls = false, to_https = true }]"),
        clear("listen = \"127.0.0.1:8080\"\ntrusted_proxies = [\"10.0.0.0/8\"]"),
        clear("listen = \"127.0.0.1:8080\"")
            .replace("accept = [\"bearer\", \"basic\"]", "accept = \"bearer\""),
    ]);
}

#[test]
fn a_balance_of_one() {
    each_is_warned_of(&[(
        route("balance = \"least-requests\""),
        "`balance` with a single server chooses nothing",
        "",
    )]);
}

#[test]
fn a_file_without_routes() {
    each_is_warned_of(&[(
        "[server]\nlisten = \"127.0.0.1:1\"\n".to_owned(),
        "no route: every request is answered with 404",
        "nothing to protect",
    )]);
}

#[test]
fn the_server() {
    each_is_warned_of(&[
        (
            changed("server", "trusted_proxies = [\"10.0.0.0/8\", \"0.0.0.0/0\"]"),
            "everybody is trusted to say where a request comes from",
            "`X-Forwarded-For`",
        ),
        (
            changed("server", "trusted_proxies = \"::/0\""),
            "everybody is trusted to say where a request comes from",
            "",
        ),
        (
            changed("server", "listen = { address = \"127.0.0.1:2\", proxy_protocol = \"v2\" }"),
            "whoever connects is believed what its PROXY protocol header says",
            "anybody can claim any address",
        ),
        (
            changed(
                "server",
                "listen = { address = \"127.0.0.1:2\", proxy_protocol = { version = \"v1\" } }",
            ),
            "whoever connects is believed what its PROXY protocol header says",
            "",
        ),
        (
            changed("server", "public_url = \"http://localhost:8443\""),
            "session cookies go in clear text, without `Secure` and `__Host-`",
            "on this machine",
        ),
        (
            changed("server", "tls"),
            "`public_url` is https, but nothing here speaks TLS",
            "every request seems to come in clear text",
        ),
    ]);
    nothing_is_said_of(&[
        changed("server", "listen = { address = \"127.0.0.1:2\", proxy_protocol = { from = \"10.0.0.1\" } }"),
        changed("server", "tls").replace("[server]", "[server]\ntrusted_proxies = \"10.0.0.0/8\""),
    ]);
}

#[test]
fn secrets_that_everybody_can_read() {
    let mut machine =
        Machine::furnished(&changed("providers.corp", "client_secret = { file = \"s\" }")).file("s", "x\n");
    machine.open = vec!["s".into(), "tls.key".into(), "tls.crt".into()];
    let (_, report) = machine.load().unwrap();
    let told: Vec<_> =
        report.warnings.iter().map(|w| (w.line, w.message.as_str(), w.help.as_deref())).collect();
    let message = "everybody on this machine can read the secret";
    assert_eq!(told, [(4, message, Some("chmod o-r tls.key")), (7, message, Some("chmod o-r s"))]);
}

#[test]
fn tolerated_spellings_that_another_route_or_rule_would_decide() {
    let message = |path: &str| format!("spellings that some apps read as `{path}` or below are refused");
    let label = "where every reading comes to the same";
    let admin = another(
        "wiki.corp.example",
        "path = \"/wiki/admin\"\nupstream = \"http://10.0.0.6\"\npolicy = \"staff\"",
    );
    let tolerate = |file: &str| {
        file.replace("policy = \"staff\"\n", "policy = \"staff\"\ntolerate = \"encoded-slash\"\n")
    };
    let ruled = route("policy = \"staff\"\ntolerate = \"semicolon\"\ndeny = { paths = \"/wiki/t/secret\" }");
    each_is_warned_of(&[
        (tolerate(&admin), &message("/wiki/admin"), label),
        (ruled, &message("/wiki/t/secret"), label),
    ]);
    nothing_is_said_of(&[
        admin,
        tolerate(GOOD),
        route("policy = \"staff\"\ntolerate = \"semicolon\"\ndeny = { paths = \"/wiki\" }"),
    ]);
}

#[test]
fn an_admin_token_that_a_network_hears() {
    let admin =
        |address: &str| changed("admin", &format!("listen = \"{address}\"\ntoken = {{ env = \"TOKEN\" }}"));
    each_is_warned_of(&[(
        admin("0.0.0.0:9090"),
        "the token of the management API goes in clear text",
        "nobody else hears",
    )]);
    nothing_is_said_of(&[admin("127.0.0.1:9090"), admin("[::1]:9090")]);
    nothing_is_said_of(&[changed("admin", "listen = \"0.0.0.0:9090\"\nsocket = \"/run/admin.sock\"")]);
}
