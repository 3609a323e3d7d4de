//! What is wrong with a file whatever it means: syntax, keys, kinds of values.

use std::path::Path;

use super::{Machine, changed, each_is_told, faults, longer};
use crate::config::{Report, load};

#[test]
fn a_file_that_cannot_be_read_is_told_as_such() {
    let told = |machine: Machine, path: &str| load(Path::new(path), &machine).unwrap_err().render(false);
    let missing = told(Machine::default(), "gone.toml");
    assert!(missing.contains("the configuration cannot be read: entity not found"), "{missing}");
    assert!(
        missing.contains("--> gone.toml\n") && missing.contains("name the file: portcullis check FILE"),
        "{missing}"
    );
    let latin = told(Machine::default().file("a", b"[server]\n# caf\xe9\n"), "a");
    assert!(latin.contains("line 2 is not UTF-8"), "{latin}");
    let large = told(Machine::default().file("a", "#".repeat(16 * 1024 * 1024 + 1)), "a");
    assert!(large.contains("larger than 16 MiB"), "{large}");
}

#[test]
fn a_byte_order_mark_does_no_harm() {
    Machine::furnished(&format!("\u{feff}{}", super::GOOD)).settings();
}

#[test]
fn syntax_errors_are_told_once_a_line_and_the_rest_is_read_on() {
    let report = faults("[server]\nlisten = \"0.0.0.0:443\nworkers = = 2\n[[routes]]\nhosst = \"a\"\n");
    let told: Vec<_> = report.faults.iter().map(|fault| (fault.line, fault.message.as_str())).collect();
    assert_eq!(told[0], (2, "not TOML: invalid basic string"));
    assert_eq!(told[1].0, 3);
    assert_eq!(told[2], (5, "unknown key `hosst`"));
}

#[test]
fn unknown_keys_are_faults_and_the_nearest_right_word_is_named() {
    each_is_told(&[
        (changed("server", "worker = 2"), "unknown key `worker`", "did you mean `workers`?"),
        (
            changed("server", "max-connections = 2"),
            "unknown key `max-connections`",
            "did you mean `max_connections`?",
        ),
        (changed("providers.corp", "scope = \"openid\""), "unknown key `scope`", "did you mean `scopes`?"),
        (changed("policies.staff", "permit = []"), "unknown key `permit`", "not a key of this table"),
        (
            changed("routes", "timeout = { conect = \"1s\" }"),
            "unknown key `conect`",
            "did you mean `connect`?",
        ),
        (longer("[sesion]\nmax_age = \"1h\""), "unknown key `sesion`", "did you mean `session`?"),
        (longer("[whatever]\na = 1"), "unknown key `whatever`", "not a key of this table"),
        (
            changed("policies.staff", "allow = [{ group = \"a\" }]"),
            "unknown key `group`",
            "did you mean `groups`?",
        ),
    ]);
}

#[test]
fn what_a_later_version_brings_is_told_as_such() {
    each_is_told(&[
        (longer("[[tests]]\nget = \"https://x\""), "`tests` is not supported yet", ""),
        (
            changed("server", "tls = { acme = { email = \"a@b.example\" } }"),
            "`acme` is not supported yet",
            "",
        ),
        (changed("session", "store = \"redis://a\""), "`store` is not supported yet", ""),
        (changed("policies.staff", "allow = [{ when = \"true\" }]"), "`when` is not supported yet", ""),
        (
            changed("routes", "accept = [\"bearer\", \"api-key\"]"),
            "`api-key` is not supported yet",
            "expected \"session\", \"bearer\" or \"basic\"",
        ),
        (
            changed("routes", "accept = \"client-certificate\""),
            "`client-certificate` is not supported yet",
            "",
        ),
    ]);
}

#[test]
fn values_of_another_kind_are_told_with_what_fits() {
    each_is_told(&[
        (changed("server", "workers = \"two\""), "a string does not fit here", "expected a whole number"),
        (changed("server", "workers = 2.5"), "a number does not fit here", "expected a whole number"),
        (
            changed("server", "listen = true"),
            "`true` or `false` does not fit here",
            "such as \"0.0.0.0:443\"",
        ),
        (changed("routes", "path = [\"/a\"]"), "an array does not fit here", "expected a string"),
        (changed("session", "idle_timeout = 5"), "a whole number does not fit here", "such as \"15m\""),
        (changed("session", "idle_timeout = 07:32:00"), "a date does not fit here", "such as \"15m\""),
        (changed("routes", "health = \"/healthz\""), "a string does not fit here", "expected a table"),
        (changed("routes", "concurrency = 0"), "the number is out of range", "from 1 to 1000000"),
        (changed("server", "workers = 99999999999999999999"), "the number is out of range", "from 1 to 1024"),
        (changed("log", "format = \"jsonn\""), "unknown word `jsonn`", "\"auto\", \"json\" or \"human\""),
    ]);
}

#[test]
fn a_missing_key_is_told_with_an_example() {
    each_is_told(&[
        (
            changed("server", "listen"),
            "`listen` is missing",
            "expected `listen = \"0.0.0.0:443\"` or the like",
        ),
        (
            changed("providers.corp", "issuer"),
            "`issuer` is missing",
            "expected `issuer = \"https://id.corp.example\"`",
        ),
        (changed("routes", "limits = { rate = \"1/s\" }"), "`per` is missing", "expected the key `per`"),
        (changed("routes", "health = {}"), "`path` is missing", "expected `path = \"/healthz\"`"),
        (
            "[admin]\nlisten = \"127.0.0.1:1\"\n".to_owned(),
            "`server` is missing",
            "expected the key `server`",
        ),
    ]);
}

/// One look at the file is enough: what is misspelt does not hide what is wrong elsewhere, nor does it make
/// anything else seem wrong.
#[test]
fn every_fault_of_a_file_is_in_one_report() {
    let file = longer(
        "[[routes]]\nhost = \"a b\"\nupsteam = \"http://x\"\naccess = \"publc\"\n\n\
         [[routes]]\nhost = \"c.corp.example\"\nupstream = \"10.0.0.1:80\"\npolicy = \"stuff\"\nallow = { user = 5 }\n",
    );
    let report = faults(&file.replace("idle", "").replace("client_id", "client_idd"));
    let told: Vec<_> = report.faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "unknown key `client_idd`",
            "not a host",
            "unknown key `upsteam`",
            "unknown word `publc`",
            "the scheme of the URL is missing",
            "no policy is called `stuff`",
            "a whole number does not fit here",
        ],
        "{report}"
    );
}

#[test]
fn a_misspelt_table_is_all_that_is_told_of_what_speaks_of_it() {
    for table in ["providers.corp", "policies.staff"] {
        let file = super::GOOD.replace(&format!("[{table}]"), &format!("[{}]", table.replacen("i", "", 1)));
        let report = faults(&file);
        assert_eq!(report.faults.len(), 1, "{report}");
    }
}

#[test]
fn a_report_is_bounded_and_says_so() {
    let many: String = (0..700).map(|n| format!("x{n}y = 1\n")).collect();
    let report = faults(&format!("[server]\nlisten = \"127.0.0.1:1\"\n{many}"));
    let shown = report.render(false);
    assert!(shown.matches("error:").count() == 50, "{}", shown.len());
    assert!(
        shown.ends_with("portcullis.toml: 500 faults (650 more not shown)\n"),
        "{}",
        &shown[shown.len() - 80..]
    );
}

#[test]
fn colour_is_only_there_when_it_is_wanted() {
    let report = faults("[server]\n");
    assert!(!report.render(false).contains('\u{1b}') && report.render(true).contains('\u{1b}'));
    assert_eq!(format!("{report}"), report.render(false));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let report = faults("[server]\nlisten = \"127.0.0.1:1\"\n\"\\u001b[2J\\u202e\" = 1\n");
    let Report { faults, .. } = &report;
    assert_eq!(faults[0].message, "unknown key `\u{fffd}[2J\u{fffd}`");
}
