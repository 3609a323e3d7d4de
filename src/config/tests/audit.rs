//! `[audit]` and `[[audit.sinks]]`.

use std::time::Duration;

use super::warnings::nothing_is_said_of;
use super::{each_is_told, longer, settings};
use crate::mapping::Schema;
use crate::segments::StoreSettings;
use crate::sinks::{FarSettings, Kept, LineFormat, Personal, Selection, SinkKind, SyslogAddress};

fn sink(lines: &str) -> String {
    longer(&format!("[[audit.sinks]]\n{lines}"))
}

#[test]
fn a_file_is_kept_with_what_is_said_of_it() {
    let file = |lines: &str| {
        let sink =
            settings(&sink(&format!("kind = \"file\"\npath = \"events.jsonl\"\n{lines}"))).sinks.remove(0);
        let SinkKind::File(file) = sink.kind else { panic!() };
        (sink.name, file, sink.selection)
    };
    let (name, by_default, all) = file("");
    assert_eq!(
        (&*name, by_default.mode, by_default.format, all),
        ("file", 0o600, LineFormat::Json, Selection::ALL)
    );
    assert!(by_default.path.ends_with("events.jsonl") && by_default.chain);
    assert!(!file("chain = false").1.chain);
    assert_eq!((by_default.rotation.size, by_default.rotation.keep), (Some(100 << 20), Some(30)));
    for (word, schema) in [("ocsf", Schema::Ocsf), ("ecs", Schema::Ecs)] {
        let (_, mapped, _) = file(&format!("format = \"json\"\nschema = \"{word}\""));
        assert_eq!(mapped.format, LineFormat::Mapped(schema));
        nothing_is_said_of(&[sink(&format!("kind = \"stdout\"\nschema = \"{word}\""))]);
    }
    let (name, file, some) = file(
        "name = \"requests\"\nmode = \"0640\"\nformat = \"combined\"\nonly = [\"access.*\"]\n\
         rotate = { size = \"1MiB\", every = \"1day\", keep = 3, total = \"10MiB\" }",
    );
    assert_eq!((&*name, file.mode, file.format), ("requests", 0o640, LineFormat::Combined));
    assert!(!file.chain, "there is no JSON to chain");
    assert_eq!(some, Selection::only(["access.*"]).unwrap());
    assert_eq!(file.rotation.every, Some(Duration::from_secs(86_400)));
    assert_eq!(
        (file.rotation.size, file.rotation.keep, file.rotation.total),
        (Some(1 << 20), Some(3), Some(10 << 20))
    );
    nothing_is_said_of(&[sink("kind = \"stdout\"\nformat = \"human\"\nexcept = \"access.granted\"")]);
}

#[test]
fn what_a_sink_cannot_be_is_told() {
    let file = |lines: &str| sink(&format!("kind = \"file\"\npath = \"e.jsonl\"\n{lines}"));
    each_is_told(&[
        (sink("kind = \"file\""), "a sink of the kind \"file\" without its file", "path"),
        (file("format = \"common\"\nschema = \"ocsf\""), "`schema` of lines that are no JSON", "json"),
        (
            sink("kind = \"stdout\"\nformat = \"human\"\nschema = \"ecs\""),
            "`schema` of lines that are no JSON",
            "json",
        ),
        (file("mode = \"0400\""), "not the mode of a file", "0600"),
        (file("mode = \"0777\""), "not the mode of a file", "0600"),
        (file("name = \"log\""), "`log` is no name for a sink", "neither \"log\" nor \"tail\""),
        (file("name = \"tail\""), "`tail` is no name for a sink", "neither \"log\" nor \"tail\""),
        (file("only = \"access.*\"\nexcept = \"access.*\""), "both `only` and `except`", "one of the two"),
        (file("only = \"acess.*\""), "no event is called \"acess.*\"", "sign-in.*"),
        (file("format = \"common\"\nchain = true"), "only lines of JSON can be chained", "or no chain"),
        (sink("kind = \"stdout\"\nchain = true"), "`chain` of a sink of the kind \"stdout\"", "\"file\""),
        (longer("[audit]\nrotate_key = \"1h\""), "the span of time is too short", "1day"),
        (longer("[audit]\nverify_every = \"5s\""), "the span of time is too short", "1m"),
        (sink("kind = \"stdout\"\npath = \"x\""), "`path` of a sink that is no file", "\"file\""),
        (
            sink("kind = \"stdout\"\nrequired = true"),
            "`required` of standard output, which keeps nothing",
            "a spool",
        ),
        (
            file("required = true\nonly = \"sign-in.*\""),
            "`required`, and it does not take every request",
            "access.*",
        ),
        (
            sink("kind = \"store\"\npath = \"/srv/events\"\npersonal = \"pseudonyms\""),
            "`personal` of a sink of the kind \"store\"",
            "other than",
        ),
        (file("url = \"https://x.example\""), "`url` of a sink of the kind \"file\"", "\"webhook\""),
        (
            file("\n[[audit.sinks]]\nkind = \"file\"\npath = \"other\""),
            "two sinks are called `file`",
            "of its own",
        ),
        (
            file("\n[[audit.sinks]]\nkind = \"file\"\nname = \"b\"\npath = \"e.jsonl\""),
            "two sinks write to one place",
            "one of the two",
        ),
        (longer("[audit]\nmemory = \"1KiB\""), "no room for events, or more than a gateway has", "1MiB"),
    ]);
}

#[test]
fn checkpoints_stand_beside_the_state_file_or_the_record_or_where_it_is_said() {
    let file = |text: &str| settings(text).checkpoint_file().map(|file| file.to_string_lossy().into_owned());
    let chained = sink("kind = \"file\"\npath = \"events.jsonl\"");
    assert!(file(&chained).unwrap().ends_with("-checkpoints"));
    let said = longer("[audit]\ncheckpoint_file = \"signed\"\nrotate_key = \"30d\"");
    assert!(file(&said).unwrap().ends_with("signed"));
    assert_eq!(settings(&said).checkpoints.rotate_key, Duration::from_secs(30 * 86_400));
    let often = longer("[audit]\nverify_every = \"1h\"");
    assert_eq!(settings(&often).checkpoints.verify_every, Duration::from_secs(3600));
    assert_eq!(settings(&chained).checkpoints.verify_every, Duration::from_secs(86_400));
    assert_eq!(settings(&chained).checkpoints.rotate_key, Duration::from_secs(90 * 86_400));
    let files = |text: &str| settings(text).chained().filter(|kept| matches!(kept, Kept::Files(_))).count();
    assert_eq!(files(&chained), 1);
    assert_eq!(files(&sink("kind = \"file\"\npath = \"e\"\nchain = false")), 0);
}

const SECRET: &str = "a secret that nobody can guess so easily";

/// A webhook with its secret in the environment.
fn webhook(url: &str, lines: &str) -> String {
    sink(&format!("kind = \"webhook\"\nurl = \"{url}\"\nsecret = {{ env = \"HOOK\" }}\n{lines}"))
}

#[test]
fn a_sink_gets_what_is_personal_unless_it_is_said_otherwise() {
    let personal = |lines: &str| settings(&sink(&format!("kind = \"stdout\"\n{lines}"))).sinks[0].personal;
    assert_eq!(personal(""), Personal::Clear);
    assert_eq!(personal("personal = \"clear\""), Personal::Clear);
    assert_eq!(personal("personal = \"pseudonyms\""), Personal::Pseudonyms);
    assert_eq!(personal("schema = \"ecs\"\npersonal = \"left-out\""), Personal::LeftOut);
    let keyed = |name: &str| longer(&format!("[audit]\npseudonym_key = {{ env = \"{name}\" }}"));
    let key = machine(&keyed("HOOK")).settings().pseudonym_key.unwrap();
    assert_eq!((key.expose(), settings(&longer("[audit]\nstore = false")).pseudonym_key), (SECRET, None));
    let short = machine(&keyed("SHORT")).load().err().unwrap();
    assert_eq!(short.faults[0].message, "a key of fewer than 32 characters");
}

fn machine(text: &str) -> super::Machine {
    super::Machine::furnished(text).variable("HOOK", SECRET).variable("SHORT", "too short")
}

fn spooled(text: &str) -> crate::sinks::SpooledSettings {
    let SinkKind::Spooled(spooled) = machine(text).settings().sinks.remove(0).kind else { panic!() };
    spooled
}

#[test]
fn a_far_end_has_a_spool_beside_the_state_file_and_a_secret() {
    let hook = spooled(&webhook("https://siem.corp.example/events", ""));
    assert!(hook.spool.folder.ends_with("portcullis-state.db-spool/webhook"), "{hook:?}");
    assert_eq!((hook.spool.size, hook.keeps), (64 << 20, false));
    let FarSettings::Webhook(far) = hook.far else { panic!() };
    assert_eq!(far.url, "https://siem.corp.example/events");
    assert_eq!(far.secrets.iter().map(|secret| secret.expose()).collect::<Vec<_>>(), [SECRET]);
    let other = spooled(&webhook(
        "http://127.0.0.1:1/x",
        "name = \"siem\"\nrequired = true\nspool = { size = \"1GiB\", path = \"/var/spool/siem\" }",
    ));
    assert!(other.keeps && other.spool.size == 1 << 30 && other.spool.folder.ends_with("/var/spool/siem"));
}

#[test]
fn a_receiver_of_syslog_is_at_a_host_or_a_socket() {
    let address = |url: &str| {
        let FarSettings::Syslog(far) = spooled(&sink(&format!("kind = \"syslog\"\nurl = \"{url}\""))).far
        else {
            panic!()
        };
        far.address
    };
    assert_eq!(address("tls://Logs.corp.example"), SyslogAddress::Tls("logs.corp.example".into(), 6514));
    assert_eq!(address("tls://logs.corp.example:6515"), SyslogAddress::Tls("logs.corp.example".into(), 6515));
    assert_eq!(address("tcp://127.0.0.1"), SyslogAddress::Tcp("127.0.0.1".into(), 601));
    assert_eq!(address("unix:/dev/log"), SyslogAddress::Unix("/dev/log".into()));
}

#[test]
fn what_a_far_end_cannot_be_is_told() {
    let cases = [
        (webhook("http://siem.corp.example/", ""), "events would go over the network in clear text"),
        (webhook("http://127.0.0.1/", "tls = {}"), "`tls` for a connection in clear text"),
        (webhook("https://x.example/", "format = \"human\""), "`format` of a sink of the kind \"webhook\""),
        (
            webhook("https://x.example/", "spool = { size = \"1KiB\" }"),
            "no room for events, or more than a disk has",
        ),
        (
            sink("kind = \"webhook\"\nsecret = { env = \"HOOK\" }"),
            "a sink of the kind \"webhook\" without its `url`",
        ),
        (
            sink("kind = \"webhook\"\nurl = \"https://x.example\""),
            "a webhook without the secret that signs what it sends",
        ),
        (
            sink("kind = \"webhook\"\nurl = \"https://x.example\"\nsecret = { env = \"SHORT\" }"),
            "a secret of fewer than 32 characters",
        ),
        (
            sink("kind = \"syslog\"\nurl = \"tls://x.example/path\""),
            "the address of a receiver of syslog is a host and a port",
        ),
        (
            sink("kind = \"syslog\"\nurl = \"tcp://x.example:601\""),
            "events would go over the network in clear text",
        ),
        (
            sink("kind = \"syslog\"\nurl = \"tls://x.example\"\nsecret = { env = \"HOOK\" }"),
            "`secret` of a sink of the kind \"syslog\"",
        ),
        (
            webhook("https://x.example/", "name = \"a\"\nspool = { path = \"s\" }")
                + "\n[[audit.sinks]]\nkind = \"file\"\npath = \"s/events.jsonl\"",
            "two sinks write to one place",
        ),
    ];
    for (text, message) in cases {
        let report = machine(&text).load().err().unwrap_or_else(|| panic!("it loads: {text}"));
        let told: Vec<_> = report.faults.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(told, [message], "{text}");
    }
    let insecure = webhook("http://siem.corp.example/", "insecure = true");
    assert!(matches!(spooled(&insecure).far, FarSettings::Webhook(far) if far.url.starts_with("http://")));
}

/// A configuration with a state file.
fn stateful(lines: &str) -> String {
    longer(lines).replacen("[server]\n", "[server]\nstate = \"/var/lib/portcullis/state\"\n", 1)
}

/// One whose state ends with the process.
fn without_state(lines: &str) -> String {
    longer(lines).replacen("[server]\n", "[server]\nstate = \"memory\"\n", 1)
}

#[test]
fn events_are_kept_beside_the_state_file_unless_something_else_is_said() {
    let stores = |text: &str| {
        let sinks = settings(text).sinks;
        let stores = sinks.into_iter().filter_map(|sink| match sink.kind {
            SinkKind::Store(store) => Some((sink.name.to_string(), store)),
            SinkKind::File(_) | SinkKind::Output(_) | SinkKind::Spooled(_) => None,
        });
        stores.collect::<Vec<_>>()
    };
    let (keep, size) = (Duration::from_secs(365 * 86_400), 10 << 30);
    let beside = StoreSettings { path: "/var/lib/portcullis/state-audit".into(), keep, size };
    assert_eq!(stores(&stateful("")), [("store".to_owned(), beside.clone())]);
    assert_eq!(stores(&stateful("[audit]\nstore = true")), [("store".to_owned(), beside)]);
    assert_eq!(stores(&stateful("[audit]\nstore = false")), []);
    assert_eq!(stores(&without_state("")), [], "without a state file");
    let said = "[[audit.sinks]]\nkind = \"store\"\nname = \"a\"\npath = \"/srv/events\"\nkeep = \"30days\"\nsize = \"1GiB\"";
    let elsewhere =
        StoreSettings { path: "/srv/events".into(), keep: Duration::from_secs(30 * 86_400), size: 1 << 30 };
    assert_eq!(stores(&stateful(said)), [("a".to_owned(), elsewhere)]);
}

#[test]
fn what_a_store_cannot_be_is_told() {
    let store = |lines: &str| sink(&format!("kind = \"store\"\npath = \"/srv/events\"\n{lines}"));
    let file = "[[audit.sinks]]\nkind = \"file\"\npath = \"/srv/events/e.jsonl\"";
    each_is_told(&[
        (sink("kind = \"store\""), "a sink of the kind \"store\" without its folder", "path"),
        (store("keep = \"1h\""), "the span of time is too short", "2days"),
        (store("size = \"100MiB\""), "less than two segments of events, of 256 MiB each", "512MiB"),
        (store("rotate = { keep = 3 }"), "`rotate` of a sink that is no file", "\"file\""),
        (sink("kind = \"stdout\"\nkeep = \"3days\""), "`keep` of a sink of the kind \"stdout\"", "\"store\""),
        (store(file), "two sinks write to one place", "one of the two"),
        (
            without_state("[audit]\nstore = true"),
            "a store of events, and no state file that it lies beside",
            "[server] state",
        ),
        (
            longer("[audit]\nstore = false\n[[audit.sinks]]\nkind = \"store\"\npath = \"/srv/events\""),
            "no store of events, and a sink of the kind \"store\"",
            "one of the two",
        ),
        (
            store("[[audit.sinks]]\nkind = \"store\"\nname = \"b\"\npath = \"/srv/events\""),
            "two sinks write to one place",
            "one of the two",
        ),
    ]);
}
