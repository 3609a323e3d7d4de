//! What a report looks like, to the letter.

use super::{changed, faults, longer, shows, warnings};

#[test]
fn a_misspelt_key() {
    let report = faults(&changed("providers.corp", "scope = [\"openid\", \"groups\"]"));
    shows(
        &report,
        r#"
error: unknown key `scope`
 --> portcullis.toml:7:1
  |
7 | scope = ["openid", "groups"]
  | ^^^^^ did you mean `scopes`?

portcullis.toml: 1 fault
"#,
    );
}

#[test]
fn a_key_that_nothing_resembles() {
    let report = faults(&changed("log", "colour = true"));
    shows(
        &report,
        r#"
error: unknown key `colour`
  --> portcullis.toml:22:1
   |
22 | colour = ****
   | ^^^^^^ not a key of this table
   |
   = help: known keys are access, format, level

portcullis.toml: 1 fault
"#,
    );
}

#[test]
fn a_secret_in_the_file() {
    let report = faults(&changed("providers.corp", "client_secret = \"hunter2hunter2\""));
    shows(
        &report,
        r#"
error: a secret is written in the configuration
 --> portcullis.toml:7:17
  |
7 | client_secret = ****************
  |                 ^^^^^^^^^^^^^^^^ expected `{ env = "NAME" }` or `{ file = "PATH" }`
  |
  = help: take the secret out of this file, and renew it if others could read it

portcullis.toml: 1 fault
"#,
    );
}

#[test]
fn a_route_that_says_nothing() {
    shows(
        &faults(&changed("routes", "policy")),
        r#"
error: the route does not say who may use it
  --> portcullis.toml:15:1
   |
15 | [[routes]]
   | ^^^^^^^^^^ expected `access = "signed-in"`, a `policy` or `allow` rules
   |
   = help: `access = "public"` opens it to everybody, without signing in

portcullis.toml: 1 fault
"#,
    );
}

#[test]
fn two_routes_in_one_place() {
    let twin = "[[routes]]\nhost = \"wiki.corp.example\"\npath = \"/wiki\"\nupstream = \"http://b\"\npolicy = \"staff\"";
    shows(
        &faults(&longer(twin)),
        r#"
error: two routes claim the same requests
  --> portcullis.toml:23:8
   |
23 | path = "/wiki"
   |        ^^^^^^^ expected another host, path or methods
   |
  ::: portcullis.toml:17:8
   |
17 | path = "/wiki"
   |        ------- claimed here

portcullis.toml: 1 fault
"#,
    );
}

#[test]
fn an_upstream_without_scheme() {
    shows(
        &faults(&changed("routes", "upstream = \"10.0.0.5:8080\"")),
        r#"
error: the scheme of the URL is missing
  --> portcullis.toml:16:12
   |
16 | upstream = "10.0.0.5:8080"
   |            ^^^^^^^^^^^^^^^ expected a URL such as "http://10.0.0.5:8080"
   |
   = help: write "http://10.0.0.5:8080"

portcullis.toml: 1 fault
"#,
    );
}

#[test]
fn an_open_door() {
    let open = "[[routes]]\nhost = \"wiki.corp.example\"\npath = \"/wiki/drafts\"\nupstream = \"http://10.0.0.5:8080\"\naccess = \"public\"";
    shows(
        &warnings(&longer(open)),
        r#"
warning: what is below `/wiki/drafts` needs no sign-in, although it lies in a protected path
  --> portcullis.toml:25:10
   |
25 | access = "public"
   |          ^^^^^^^^ anybody, without signing in
   |
  ::: portcullis.toml:17:8
   |
17 | path = "/wiki"
   |        ------- protected
   |
   = help: where that is meant, say why on the route: `reason = "…"`

portcullis.toml: 1 warning
"#,
    );
    assert!(warnings(&longer(&format!("{open}\nreason = \"drafts are for everybody\""))).warnings.is_empty());
}

#[test]
fn a_rule_that_never_lets_anybody_in() {
    let rules =
        "allow = [{ groups = [\"staff\"], users = [\"alice\"] }]\ndeny = { groups = [\"staff\", \"ops\"] }";
    shows(
        &warnings(&changed("policies.staff", rules)),
        r#"
warning: the rule lets nobody in: a `deny` rule holds whenever it does
  --> portcullis.toml:13:10
   |
13 | allow = [{ groups = ["staff"], users = ["alice"] }]
   |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ always beaten
   |
  ::: portcullis.toml:14:8
   |
14 | deny = { groups = ["staff", "ops"] }
   |        ----------------------------- `deny` beats `allow`
   |
   = help: narrow the `deny` rule, or leave this one out

portcullis.toml: 1 warning
"#,
    );
}
