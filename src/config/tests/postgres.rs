//! `[state] postgres`, and the sinks that keep events there.

use std::time::Duration;

use super::{Machine, longer};
use crate::sinks::{FarSettings, PostgresHost, PostgresServer, SinkKind};

const SECRET: &str = "postgres://owner:hunter%202@db.internal/portcullis";

fn machine(postgres: &str, sinks: &str) -> Machine {
    Machine::furnished(&longer(&format!("[state]\npostgres = {postgres}\n{sinks}")))
        .variable("POSTGRES_URL", SECRET)
        .variable("PASSWORD", "hunter2")
        .variable("OTHER", "mysql://owner:hunter2@db.internal/x")
}

const SINK: &str = "[[audit.sinks]]\nkind = \"postgres\"\nspool = { path = \"/var/spool/portcullis\" }\n";

/// What the sink of a file is told.
fn server(postgres: &str) -> PostgresServer {
    let settings = machine(postgres, SINK).settings();
    assert_eq!(settings.in_postgres().count(), 1);
    let SinkKind::Spooled(spooled) = &settings.sinks[0].kind else { panic!() };
    let FarSettings::Postgres(far) = &spooled.far else { panic!() };
    assert_eq!(
        (far.keep, settings.postgres.as_ref()),
        (Duration::from_secs(365 * 86_400), Some(&far.server))
    );
    far.server.clone()
}

fn tcp(host: &str, port: u16) -> PostgresHost {
    PostgresHost::Tcp(host.to_owned(), port)
}

#[test]
fn a_url_says_where_it_is_and_who_asks() {
    let plain = server("\"postgres://portcullis@DB.internal/events\"");
    assert_eq!((plain.hosts, plain.user.as_str()), (vec![tcp("db.internal", 5432)], "portcullis"));
    assert_eq!((plain.database.as_str(), plain.password), ("events", None));
    let secret = server("{ env = \"POSTGRES_URL\" }");
    assert_eq!(secret.password.unwrap().expose(), "hunter 2");
    let apart = server(
        "{ url = \"postgresql://a%40b@[2001:db8::1]:5433/e%2Fv\", password = { env = \"PASSWORD\" } }",
    );
    assert_eq!((apart.hosts, apart.user.as_str()), (vec![tcp("2001:db8::1", 5433)], "a@b"));
    assert_eq!((apart.database.as_str(), apart.password.unwrap().expose()), ("e/v", "hunter2"));
    let several = server("\"postgres://u@one.internal,two.internal:5433/d\"");
    assert_eq!(several.hosts, [tcp("one.internal", 5432), tcp("two.internal", 5433)]);
    let socket = server("\"postgres://u@/d?host=/run/postgresql\"");
    assert_eq!(socket.hosts, [PostgresHost::Unix("/run/postgresql".into(), 5432)]);
}

/// Nobody has to ask for it, and everybody can see who did not want it.
#[test]
fn invariant_15_what_leaves_this_machine_is_encrypted_unless_it_is_said_otherwise() {
    let is_tls = |url: &str| server(&format!("\"postgres://u@{url}\"")).tls.is_some();
    assert!(is_tls("db.internal/d") && is_tls("10.0.0.7/d") && is_tls("127.0.0.1,db.internal/d"));
    assert!(!is_tls("127.0.0.1/d") && !is_tls("localhost/d") && !is_tls("/d?host=/run/postgresql"));
    assert!(is_tls("127.0.0.1/d?sslmode=verify-full") && !is_tls("db.internal/d?sslmode=disable"));
    let warned = |url: &str| {
        let (_, report) = machine(&format!("\"postgres://u@{url}\""), SINK).load().unwrap();
        report.warnings.iter().any(|it| it.message.contains("PostgreSQL is spoken to in clear text"))
    };
    assert!(warned("db.internal/d?sslmode=disable") && !warned("127.0.0.1/d") && !warned("db.internal/d"));
}

#[test]
fn what_is_no_way_to_a_database_is_told_and_no_password_is_shown() {
    for (written, message) in [
        ("\"db.internal/events\"", "not a URL of PostgreSQL"),
        ("\"https://u@db.internal/events\"", "not a URL of PostgreSQL"),
        ("{ env = \"OTHER\" }", "not a URL of PostgreSQL"),
        ("\"postgres://u:hunter2@db.internal/d\"", "a password in a file that others read"),
        ("{ url = \"postgres://u:hunter2@db.internal/d\" }", "a password in a file that others read"),
        ("\"postgres://db.internal/d\"", "a URL without a user, or without a database"),
        ("\"postgres://u@db.internal\"", "a URL without a user, or without a database"),
        ("\"postgres://u@/d\"", "a URL without a host, or with one that is none"),
        ("\"postgres://u@db.internal:port/d\"", "a URL without a host, or with one that is none"),
        ("\"postgres://u%FF@db.internal/d\"", "a URL with letters that are none"),
        ("\"postgres://u%00@db.internal/d\"", "a URL with letters that are none"),
        ("\"postgres://u@h/d?sslmode=require\"", "an `sslmode` by which nobody knows who answers"),
        ("\"postgres://u@h/d?host=elsewhere\"", "`host` behind the `?` that is no folder"),
        ("\"postgres://u@h/d?host=/run\"", "a host, and a socket as well"),
        ("\"postgres://u@h/d?sslrootcert=x\"", "the URL says `sslrootcert`, which nobody reads"),
        ("{}", "the URL of PostgreSQL stands in one place"),
        (
            "{ url = \"postgres://u@h/d\", env = \"POSTGRES_URL\" }",
            "the URL of PostgreSQL stands in one place",
        ),
        (
            "{ env = \"POSTGRES_URL\", password = { env = \"PASSWORD\" } }",
            "`password`, and the URL has one as well",
        ),
    ] {
        let report = machine(written, SINK).load().unwrap_err();
        assert!(!report.render(false).contains("hunter"), "{report}");
        let told = report.faults.iter().map(|fault| fault.message.as_str());
        let told: Vec<_> = told.filter(|told| !told.contains("and no PostgreSQL")).collect();
        assert_eq!(told, [message], "{written}");
    }
}

#[test]
fn a_sink_needs_a_database_of_its_own_and_a_database_somebody_who_uses_it() {
    let told = |text: &str| {
        let report = Machine::furnished(text).load().unwrap_err();
        report.faults.iter().map(|fault| fault.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(&longer(SINK)), ["a sink of the kind \"postgres\", and no PostgreSQL"]);
    let second =
        "\n[[audit.sinks]]\nkind = \"postgres\"\nname = \"b\"\nspool = { path = \"/var/spool/b\" }\n";
    let url = "[state]\npostgres = \"postgres://u@localhost/d\"\n";
    assert_eq!(told(&longer(&format!("{url}{SINK}{second}"))), ["two sinks write to one place"]);
    let with = |line: &str| told(&longer(&format!("{url}{SINK}{line}")));
    assert_eq!(with("url = \"https://x.example\""), ["`url` of a sink of the kind \"postgres\""]);
    assert_eq!(with("schema = \"ecs\""), ["`schema` of a sink of the kind \"postgres\""]);
    assert_eq!(with("keep = \"1day\""), ["the span of time is too short"]);
    let (_, report) = machine("\"postgres://u@localhost/d\"", "").load().unwrap();
    let warnings: Vec<_> = report.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(warnings.contains(&"`postgres`, and nothing is kept there"), "{warnings:?}");
}
