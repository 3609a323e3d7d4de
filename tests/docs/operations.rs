//! `docs/operations.md` against a gateway that runs.

use std::collections::BTreeSet;
use std::fs;

use portcullis_authentication::storage::redis::testing::TestRedis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Document;
use crate::replicas::STATE_KEY;
use crate::support::{
    App, Browser, Gateway, Provider, Transmitter, events, free_port, program, until, until_async,
};

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"

[[routes]]
name = "once"
path = "/once"
upstream = "{app}"
access = "public"
limits = [{ per = "route", rate = "1/day" }]
"#;

/// A sink whose far end is nobody.
const AWAY: &str = "[[audit.sinks]]\nkind = \"syslog\"\nurl = \"tcp://127.0.0.1:9\"\n\n";

fn operations() -> Document {
    Document::read("docs/operations.md")
}

/// Names in the first column of the table that `heading` introduces.
fn first_column<'a>(document: &'a Document, heading: &str) -> BTreeSet<&'a str> {
    let section = document.text.split(heading).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).collect()
}

/// A gateway in whose life everything has happened once that is counted.
async fn busy() -> (Gateway, Provider, App, TestRedis) {
    let app = App::start().await;
    let (port, transmitter) = (free_port(), Transmitter::start().await);
    let provider = Provider::start(&format!("http://127.0.0.1:{port}"));
    let redis = TestRedis::start();
    let state = format!(
        "[state]\nkey = {{ file = \"state.key\" }}\nredis = \"redis://127.0.0.1:{}\"\n\n",
        redis.port()
    );
    let telemetry = format!("[telemetry]\nsample = 1\notlp = \"{}\"\n\n", app.url());
    let gateway = Gateway::with_files(
        port,
        &format!(
            "{state}{telemetry}{AWAY}{}{}{}{}",
            provider.configuration(),
            transmitter.configuration(""),
            ROUTES.replace("{app}", &app.url()),
            stream().await
        ),
        &[("state.key", STATE_KEY)],
    );
    until_async("a signal", || async { gateway.log().contains("signal.received") }).await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    let bearer = [("authorization", "Bearer a.b.c")];
    assert_eq!(Browser::new().send(http::Method::GET, &gateway.url("/"), &bearer, "").await.status, 401);
    assert_eq!(browser.get(&gateway.url("/once")).await.status, 200);
    // What is no count is not believed: the gateway counts for itself.
    let spoil = "for _, row in ipairs(redis.call('KEYS', '*:rate:*')) do redis.call('SET', row, 'x') end";
    redis.cli(&["EVAL", spoil, "0"]);
    assert_eq!(browser.get(&gateway.url("/once")).await.status, 429);
    assert!(program(gateway.directory.path(), &["sessions", "list"]).status.success());
    let told = gateway.url("/.portcullis/back-channel-logout");
    assert_eq!(Browser::new().submit(&told, "logout_token=a.b.c").await.status, 400);
    let refresh = gateway.url("/.portcullis/bound-session/refresh");
    assert_eq!(Browser::new().send(http::Method::POST, &refresh, &[], "").await.status, 200);
    assert_eq!(browser.submit(&gateway.url("/.portcullis/sign-out"), "").await.status, 200);
    until("the tokens to be taken back", || gateway.log().contains("tokens.revoked"));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(b"GET /events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.unwrap();
    assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
    gateway.signal("HUP");
    until("the reload", || gateway.log().contains("configuration.changed"));
    until_async("the stream to be judged anew, and a second of the spool to be measured", || async {
        let scrape = Browser::new().get(&gateway.admin_url("/metrics")).await.body;
        ["portcullis_reauthorizations_total", "portcullis_spool_lasts_seconds"]
            .iter()
            .all(|name| scrape.contains(name))
    })
    .await;
    (gateway, provider, app, redis)
}

/// A route whose answers go on.
async fn stream() -> String {
    let app = events().await;
    format!(
        "\n[[routes]]\nname = \"events\"\npath = \"/events\"\nupstream = \"{app}\"\naccess = \"public\"\n"
    )
}

#[tokio::test]
async fn the_table_of_metrics_is_what_a_scrape_tells() {
    let (gateway, _provider, _app, _redis) = busy().await;
    let scrape = Browser::new().get(&gateway.admin_url("/metrics")).await.body;
    let types = scrape.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let name = |line: &str| line.split(' ').next().unwrap().to_owned();
    let told: BTreeSet<String> = types.map(name).collect();
    let operations = operations();
    let written = first_column(&operations, "\n## Metrics");
    assert_eq!(written, told.iter().map(String::as_str).collect(), "{scrape}");
    for (name, label) in crate::observability::rules::chosen() {
        assert!(has_label(&scrape, &name, &label), "config/observability asks for {name} by {label:?}");
    }
}

/// Whether a value of this name has this label, or those of any reader.
fn has_label(scrape: &str, name: &str, label: &str) -> bool {
    let own = ["", "job", "instance"].contains(&label);
    let mut samples = scrape.lines().filter_map(|line| line.strip_prefix(name));
    samples.any(|rest| rest.starts_with(['{', ' ']) && (own || rest.contains(&format!("{label}=\""))))
}

#[tokio::test]
async fn the_commands_for_health_answer() {
    let (gateway, _provider, _app, _redis) = busy().await;
    let operations = operations();
    let lines = operations.blocks_of("sh").into_iter().flat_map(str::lines);
    let mut asked = 0;
    for url in lines.filter_map(|line| line.strip_prefix("curl http://127.0.0.1:9090")) {
        assert_eq!(Browser::new().get(&gateway.admin_url(url)).await.status, 200, "{url}");
        asked += 1;
    }
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn the_example_of_a_log_line_has_the_keys_of_a_real_one() {
    let (gateway, _provider, _app, _redis) = busy().await;
    let keys = |line: &str| -> BTreeSet<String> {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line.as_object().unwrap().keys().cloned().collect()
    };
    until("the line", || gateway.log().contains(r#""outcome":"allowed""#));
    let log = gateway.log();
    let real = log.lines().find(|line| line.contains(r#""outcome":"allowed""#)).unwrap();
    assert_eq!(keys(operations().blocks_of("json")[0]), keys(real));
}

/// What the table promises to stand in the log.
fn promised(what: &str) {
    let operations = operations();
    let night = operations.text.split("\n## At night").nth(1).unwrap();
    assert!(night.contains(what), "the table of the night does not tell of: {what}");
}

#[tokio::test]
async fn at_night_the_log_says_what_the_table_promises() {
    let port = free_port();
    let away = format!("http://127.0.0.1:{}", free_port());
    let provider = format!("[providers.corp]\nissuer = \"{away}\"\nclient_id = \"portcullis\"\n");
    let gateway = Gateway::on(port, "", &format!("{provider}{}", ROUTES.replace("{app}", &away)));
    let browser = Browser::new();
    let page = browser.get(&gateway.url("/")).await;
    assert!(page.status == 503 && page.body.contains("Sign-in is unavailable"));
    let page = browser.get(&gateway.url("/once")).await;
    assert!(page.status == 502 && page.body.contains("The app is down"));
    assert_eq!(browser.get(&gateway.url("/once")).await.status, 429);
    let configuration = gateway.configuration();
    let good = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, format!("{good}\nnonsense = 1\n")).unwrap();
    gateway.signal("HUP");
    for words in [
        "the provider's metadata could not be fetched",
        "the provider's keys could not be refreshed",
        "the app cannot be reached",
        "over the route's limit",
        "the configuration has faults; the old one goes on",
    ] {
        promised(words);
        until(words, || gateway.log().contains(words));
    }
}

#[test]
fn a_state_file_that_is_none_is_told_of_and_left_alone() {
    promised("is not a database");
    let configuration = "[server]\nlisten = \"127.0.0.1:0\"\nstate = \"state.db\"\n";
    let folder = super::folder(configuration);
    let file = folder.path().join("state.db");
    fs::write(&file, "nonsense").unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let output = super::portcullis(folder.path(), configuration, &["run"]);
    assert_eq!(output.status.code(), Some(65));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not a database"), "{output:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "nonsense");
}

#[test]
fn the_keys_that_wait_for_a_start_are_all_named_and_no_other() {
    let program = fs::read_to_string("src/runtime/reload.rs").unwrap();
    let function = program.split("fn unchangeable").nth(1).unwrap().split("\n}").next().unwrap();
    let keys: BTreeSet<&str> =
        function.split("(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let operations = operations();
    let sentence =
        operations.text.split("wait for the next start").nth(1).unwrap().split("\n\n").next().unwrap();
    assert_eq!(keys, sentence.split('`').skip(1).step_by(2).collect());
}

#[test]
fn the_units_name_what_the_program_knows() {
    let service = fs::read_to_string("packaging/portcullis.service").unwrap();
    for line in [
        "Type=notify-reload",
        "DynamicUser=yes",
        "RestartPreventExitStatus=64 65",
        "StateDirectory=portcullis",
    ] {
        assert!(service.contains(line), "{line}");
    }
    assert!(service.contains("ExecStart=/usr/bin/portcullis run --config "));
    let output = super::portcullis(".".as_ref(), "", &["run", "--config", "/nowhere/portcullis.toml"]);
    assert_eq!(output.status.code(), Some(64), "the exit code that systemd shall not try again after");
}
