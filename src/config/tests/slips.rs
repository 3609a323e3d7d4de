//! Slips that many people make, and what helps them.

use std::path::PathBuf;

use super::{GOOD, Machine, changed, faults, longer, warnings};
use crate::config::{Finding, Sources, log_settings};
use crate::telemetry::LogFormat;

fn only(file: &str) -> Finding {
    let report = faults(file);
    let [fault] = &report.faults[..] else { panic!("{report}") };
    fault.clone()
}

fn helped(file: &str, message: &str, help: &str) {
    let fault = only(file);
    assert_eq!(fault.message, message, "{file}");
    assert!(fault.help.as_deref().is_some_and(|text| text.contains(help)), "{fault:?}\n{file}");
}

#[test]
fn ipv6_addresses_without_brackets() {
    let listen = |text: &str| changed("server", &format!("listen = \"{text}\""));
    helped(&listen("::1:8080"), "not an address to listen on", "write \"[::1]:8080\"");
    helped(&listen("::1"), "not an address to listen on", "write \"[::1]:443\"");
    helped(&listen("2001:db8::7:443"), "not an address to listen on", "write \"[2001:db8::7]:443\"");
    helped(&changed("routes", "host = \"2001:db8::7\""), "not a host", "write \"[2001:db8::7]\"");
    let upstream = changed("routes", "upstream = \"http://::1:9000\"");
    helped(&upstream, "not a URL: empty host", "write \"http://[::1]:9000\"");
}

#[test]
fn urls_without_a_scheme() {
    let message = "the scheme of the URL is missing";
    let public_url = |text: &str| changed("server", &format!("public_url = \"{text}\""));
    helped(&public_url("login.corp.example"), message, "write \"https://login.corp.example\"");
    helped(&public_url("login.corp.example:8443"), message, "write \"https://login.corp.example:8443\"");
    helped(&changed("routes", "upstream = \"10.0.0.1:80\""), message, "write \"http://10.0.0.1:80\"");
    helped(&changed("providers.corp", "issuer = \"id.example\""), message, "write \"https://id.example\"");
    let fault = only(&public_url("me:pass@login.corp.example"));
    assert!(
        fault.message == message && fault.help.is_none(),
        "what may be a password is not repeated: {fault:?}"
    );
}

#[test]
fn a_dot_behind_a_host() {
    helped(&changed("routes", "host = \"wiki.corp.example.\""), "not a host", "leave out the dot");
    helped(&changed("routes", "host = \"*.corp.example.\""), "not a host", "leave out the dot");
}

#[test]
fn one_bracket_where_there_should_be_two_hides_no_other_fault() {
    let text = GOOD.replace("[[routes]]", "[routes]").replace("upstream", "upsteam");
    let report = faults(&text);
    let told: Vec<_> = report.faults.iter().map(|fault| (fault.line, fault.message.as_str())).collect();
    assert_eq!(
        told,
        [(15, "`[routes]` is one table, but there may be several"), (18, "unknown key `upsteam`")],
        "{report}"
    );
    assert_eq!(report.faults[0].expected, "expected `[[routes]]`, in two brackets");
    let inline = "routes = { host = \"a.example\", upstream = \"http://127.0.0.1:1\", access = \"public\" }\n[server]\nlisten = \"127.0.0.1:1\"\n";
    assert_eq!(only(inline).message, "`[routes]` is one table, but there may be several");
}

#[test]
fn yaml_is_told_once_and_by_its_name() {
    let fault =
        only("server:\n  listen: 127.0.0.1:8080\n  public_url: https://a.example\nproviders:\n  - name: x\n");
    assert_eq!((fault.line, fault.message.as_str()), (1, "not TOML: a `:` behind a key, as in YAML"));
    let help = fault.help.unwrap();
    assert!(help.contains("`[server]` on a line of its own") && help.contains("4 more lines"), "{help}");
    let one = only("[server]\nlisten: \"127.0.0.1:8080\"\n");
    assert_eq!((one.line, one.expected.as_str()), (2, "expected `=`"));
}

#[test]
fn typographic_quotation_marks() {
    for quoted in ["“127.0.0.1:1”", "‘127.0.0.1:1’", "„127.0.0.1:1“", "«127.0.0.1:1»"] {
        let fault = only(&format!("[server]\nlisten = {quoted}\n"));
        assert_eq!(fault.message, "not TOML: typographic quotation marks", "{quoted}");
        assert_eq!(fault.expected, "expected straight ones: `\"`");
    }
}

#[test]
fn a_key_twice_points_at_the_first() {
    let shown = |file: &str| faults(file).render(false);
    let twice = shown("[server]\nlisten = \"127.0.0.1:1\"\nworkers = 1\nlisten = \"127.0.0.1:2\"\n");
    let expected = "\
error: the same key twice in one table
 --> portcullis.toml:4:1
  |
4 | listen = \"127.0.0.1:2\"
  | ^^^^^^ expected each key once
  |
 ::: portcullis.toml:2:1
  |
2 | listen = \"127.0.0.1:1\"
  | ------ here for the first time
";
    assert!(twice.starts_with(expected), "{twice}");
    let lines = |file: &str| {
        let shown = shown(file);
        let at = |mark: &str| {
            shown.split(mark).nth(1).and_then(|rest| rest.split(':').nth(1)?.parse::<usize>().ok())
        };
        (at("--> "), at("::: "))
    };
    assert_eq!(
        lines("[server]\nlisten = \"a\"\n[admin]\nlisten = \"b\"\n[server]\nworkers = 1\n"),
        (Some(5), Some(1))
    );
    let routes = "[[routes]]\nhost = \"a\"\n[[routes]]\nhost = \"b\"\nhealth = { path = \"/\" }\npath = \"/\"\nhost = \"c\"\n";
    assert_eq!(lines(routes), (Some(7), Some(4)), "the one of the same route");
    assert_eq!(
        lines("[[routes]]\ntimeout = { idle = \"1s\" }\npath = \"/\"\npath = \"/a\"\n"),
        (Some(4), Some(3))
    );
}

#[test]
fn several_values_without_quotes_in_one_inline_table_are_all_told() {
    let report =
        faults("[[routes]]\nhost = \"a.example\"\ntimeout = { connect = 2s, response = 30s, idle = 5m }\n");
    let columns: Vec<_> = report.faults.iter().map(|fault| (fault.line, fault.column)).collect();
    assert_eq!(columns, [(3, 23), (3, 38), (3, 50)], "{report}");
}

#[test]
fn a_key_of_another_certificate_is_told_in_words() {
    let other = rcgen::generate_simple_self_signed(vec!["corp.example".into()]).unwrap();
    let machine = Machine::furnished(GOOD).file("tls.key", other.signing_key.serialize_pem());
    let report = machine.load().unwrap_err();
    assert_eq!(report.faults[0].message, "the key belongs to another certificate", "{report}");
    assert_eq!(report.faults[0].line, 4);
}

#[test]
fn several_values_in_one_text() {
    let doubted = |file: &str| {
        let report = warnings(file);
        let joined = report.warnings.iter().find(|warning| warning.message.contains("a comma in it"));
        joined.map(|warning| warning.expected.clone())
    };
    let rule = |rule: &str| changed("policies.staff", &format!("allow = [{{ {rule} }}]"));
    let several = Some("for several write `[\"staff\", \"ops\"]`".to_owned());
    assert_eq!(doubted(&rule("groups = \"staff, ops\"")), several);
    assert_eq!(doubted(&rule("groups = \"staff,ops\"")), several);
    assert!(doubted(&rule("users = \"alice, bob\"")).is_some());
    assert!(doubted(&changed("routes", "deny = [{ groups = \"staff, ops\" }]")).is_some());
    assert!(doubted(&changed("providers.corp", "scopes = \"openid,groups\"")).is_some());
    assert_eq!(doubted(&rule("groups = \"CN=staff,OU=groups\"")), None, "a distinguished name");
    assert_eq!(doubted(&rule("groups = [\"Engineering, Berlin\"]")), None, "meant as it is written");
}

#[test]
fn a_folder_for_the_state_that_is_not_there() {
    let mut machine = Machine::furnished(&changed("server", "state = \"/srv/portcullis/state.db\""));
    assert_eq!(machine.load().unwrap().1.render(false), "");
    machine.missing = vec![PathBuf::from("/srv/portcullis")];
    let (_, report) = machine.load().unwrap();
    let [warning] = &report.warnings[..] else { panic!("{report}") };
    assert_eq!(warning.message, "there is no folder `/srv/portcullis`");
}

/// A machine without any of the secrets that a file speaks of.
#[derive(Debug)]
struct Bare(Machine);

impl Sources for Bare {
    fn env(&self, _: &str) -> Option<String> {
        None
    }
    fn read(&self, path: &std::path::Path, limit: u64) -> std::io::Result<Vec<u8>> {
        self.0.read(path, limit)
    }
    fn world_readable(&self, _: &std::path::Path) -> bool {
        false
    }
    fn is_folder(&self, _: &std::path::Path) -> bool {
        true
    }
    fn has_secrets(&self) -> bool {
        false
    }
}

#[test]
fn a_file_is_checked_without_its_secrets_and_everything_else_is_still_told() {
    let load = |text: &str| super::load(std::path::Path::new(super::FILE), &Bare(Machine::with(text)));
    let full = longer(
        "[providers.partner]\nissuer = \"https://partner.example\"\nclient_id = \"x\"\nprivate_key = { file = \"gone.pem\" }\nca = { file = \"gone.crt\" }",
    );
    assert!(load(&full).is_ok(), "{:?}", load(&full).err());
    let client = longer(
        "[[routes]]\nname = \"mtls\"\nhost = \"mtls.example\"\nupstream = \"https://10.0.0.9\"\naccess = \"public\"\nupstream_tls = { cert = { file = \"gone.crt\" }, key = { file = \"gone.pem\" } }",
    );
    assert!(load(&client).is_ok(), "{:?}", load(&client).err());
    let report = load(&changed("routes", "host = \"a b\"")).unwrap_err();
    assert_eq!(report.faults.len(), 1, "{report}");
    let named = load(&changed("providers.corp", "client_secret = { env = \"no name\" }")).unwrap_err();
    assert_eq!(named.faults[0].message, "not the name of an environment variable");
}

#[test]
fn a_file_that_does_not_load_is_still_asked_for_the_format_of_lines() {
    let format = |text: &str| log_settings(std::path::Path::new(super::FILE), &Machine::with(text)).format;
    assert_eq!(format("[log]\nformat = \"json\"\n[server]\nlisten = oops\n"), LogFormat::Json);
    assert_eq!(format("x = = 1\n[log]\nformat = \"human\"\n"), LogFormat::Human);
    assert_eq!(format("[log]\nformat = \"xml\"\n"), LogFormat::Auto);
    assert_eq!(format("log = 1\n"), LogFormat::Auto);
}
