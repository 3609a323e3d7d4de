//! Secrets are in no report and in no `Debug` (invariant 15).

use serde_json::json;

use super::{GOOD, Machine, changed, faults, settings};

#[test]
fn invariant_15_no_debug_of_settings_shows_a_secret() {
    let file = changed(
        "routes",
        "request_headers = { set = { Authorization = \"Basic hunter2\" }, default = { X-Key = \"hunter2\" } }",
    );
    let file = file.replace("[policies.staff]", "[providers.b]\nissuer = \"https://b.example\"\nclient_id = \"a\"\nprivate_key = { file = \"other.key\" }\n\n[policies.staff]");
    let shown = format!("{:?}", settings(&file));
    assert!(shown.contains("Secret(…)") && shown.contains("Sensitive"), "{shown}");
    assert!(
        !shown.contains("s3cret") && !shown.contains("hunter2") && !shown.contains("PRIVATE KEY"),
        "{shown}"
    );
}

/// Each place where somebody could write a secret, though none belongs there.
#[test]
fn invariant_15_no_report_shows_a_secret_that_was_written_in_the_file() {
    for (table, line) in [
        ("providers.corp", "client_secret = \"hunter2\""),
        ("providers.corp", "client_secret = [\"hunter2\"]"),
        ("providers.corp", "client_secret = { env = \"SECRET\", value = \"hunter2\" }"),
        ("providers.corp", "client_secret = { env = \"hunter2-hunter2\" }"),
        ("providers.corp", "client_secret = { text = \"hunter2\" }"),
        ("providers.corp", "private_key = \"\"\"\n-----BEGIN PRIVATE KEY-----\nhunter2\n\"\"\""),
        ("providers.corp", "secret = \"hunter2\""),
        ("providers.corp", "client_secrets = \"hunter2\""),
        ("providers.corp", "client-secret = \"hunter2\""),
        ("providers.corp", "password = { value = \"hunter2\" }"),
        ("providers.corp", "issuer = \"https://user:hunter2@id.corp.example\""),
        ("server", "public_url = \"https://hunter2@login.corp.example\""),
        ("routes", "upstream = \"http://user:hunter2@10.0.0.5:8080/x\""),
        ("routes", "request_headers = { set = { X-Forwarded-For = \"hunter2\" } }"),
        ("routes", "request_headers = { set = { \"a b\" = \"hunter2\" } }"),
        ("routes", "request_headers = { set = { A = \"hunter2\\n\" } }"),
        ("routes", "request_headers = { add = { A = \"hunter2\" } }"),
        ("routes", "request_headers = { set = \"hunter2\" }"),
        ("providers.corp", "client_secret = \"hunter2"),
        ("providers.corp", "client_secret = hunter2"),
        ("providers.corp", "client_secret \"hunter2\""),
        ("providers.corp", "client_secret = { env = \"hunter2\""),
        ("providers.corp", "client_secret = \"\"\"\nhunter2\n"),
        ("providers.corp", "clientsecret: hunter2 = 5"),
        ("routes", "request_headers = { set = { Authorization = \"hunter2\" }"),
    ] {
        let report = faults(&changed(table, line));
        let shown = format!("{}{}{report:?}", report.render(false), report.render(true));
        assert!(!shown.contains("hunter2"), "{line}\n{shown}");
    }
}

/// A line break within a string leaves a line that begins with the end of one and swallows the next key.
#[test]
fn invariant_15_a_line_broken_off_within_a_string_shows_no_secret() {
    for set in [
        "{ A = '\n', B = \"\"\"hunter2\"\"\" }",
        "{ A = \"\n\", B = '''hunter2''' }",
        "{ A = 'x\n' }\nset = { B = \"hunter2\", C = ' }",
        "[\n\"hunter2\",\n]\npath = '",
    ] {
        let report = faults(&changed("routes", &format!("request_headers = {{ default = {set} }}")));
        let shown = format!("{}{}{report:?}", report.render(false), report.render(true));
        assert!(!shown.contains("hunter2"), "{set}\n{shown}");
    }
}

#[test]
fn invariant_15_what_variables_and_files_hold_is_in_no_report() {
    for (key, value) in
        [("client_secret", "hunter2 \n \n"), ("private_key", "-----BEGIN PRIVATE KEY-----\nhunter2\n")]
    {
        let file =
            GOOD.replace("client_secret = { env = \"SECRET\" }", &format!("{key} = {{ env = \"SECRET\" }}"));
        let machine =
            Machine::furnished(&file.replace("client_id", "client_ident")).variable("SECRET", value);
        let report = machine.load().unwrap_err();
        assert!(!report.render(false).contains("hunter2"), "{report}");
    }
}

#[test]
fn invariant_15_what_is_shown_of_a_file_says_what_was_written_but_for_secrets() {
    let file = changed(
        "routes",
        "request_headers = { remove = [\"X-A\"], set = { Authorization = \"Basic hunter2\" }, default = { X-Key = \"hunter2\" } }",
    );
    let file = format!(
        "{file}\n[[routes]]\nhost = \"b.example\"\nupstream = [\"http://10.0.0.5\"]\nallow = [{{ claims = {{ level = [1, \"a\", true] }} }}]\ntimeout = {{ idle = \"1m\" }}\nresponse_headers = {{ set = {{ X-B = \"hunter2\" }} }}\n"
    );
    let shown = settings(&file).written;
    let at = |pointer: &str| shown.pointer(pointer).unwrap_or_else(|| panic!("{pointer}: {shown:#}")).clone();
    for (pointer, value) in [
        ("/server/listen", json!("127.0.0.1:8443")),
        ("/server/tls/cert", json!("tls.crt")),
        ("/providers/corp/client_secret", json!({ "env": "SECRET" })),
        ("/providers/corp/audiences", json!(["https://api.corp.example"])),
        ("/policies/staff/allow/0", json!({ "groups": ["staff"], "provider": "corp" })),
        ("/routes/0/request_headers/remove", json!(["X-A"])),
        ("/routes/0/request_headers/set/Authorization", json!("(hidden)")),
        ("/routes/0/request_headers/default/X-Key", json!("(hidden)")),
        ("/routes/1/response_headers/set", json!({ "X-B": "(hidden)" })),
        ("/routes/1/upstream", json!(["http://10.0.0.5"])),
        ("/routes/1/allow/0/claims/level", json!([1, "a", true])),
        ("/routes/1/timeout/idle", json!("1m")),
    ] {
        assert_eq!(at(pointer), value, "{pointer}");
    }
    assert!(!shown.to_string().contains("hunter2") && !shown.to_string().contains("s3cret"), "{shown:#}");
}
