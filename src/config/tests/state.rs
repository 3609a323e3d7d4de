//! `[state]`: what seals what is kept at rest.

use std::time::Duration;

use super::{GOOD, Machine, each_is_told, faults, longer};
use crate::storage::redis::{RedisAddress, RedisServers, RedisSettings, Transport};

/// 43 characters, as `openssl rand -base64 32 | tr -d =` prints them.
const KEY: &str = "mX4r0p1u8cJmY0d1WqT3cQ1f0eT7kq9y5vJ2b6hQn0o";
const OTHER: &str = "3q2w5e8r1t4y7u0i9o6p3a2s5d8f1g4h7j0k9l6z3x8";

fn machine(lines: &str) -> Machine {
    Machine::furnished(&longer(&format!("[state]\n{lines}")))
        .variable("STATE_KEY", KEY)
        .file("state.key", format!("{OTHER}\n"))
        .variable("SHORT", &KEY[1..])
}

#[test]
fn the_first_key_seals_and_a_line_break_does_not_count() {
    let keys = |lines: &str| machine(lines).settings().state_keys;
    let told = |lines: &str| keys(lines).iter().map(|key| key.expose().to_owned()).collect::<Vec<_>>();
    assert_eq!(told("key = { env = \"STATE_KEY\" }"), [KEY]);
    assert_eq!(told("key = [{ file = \"state.key\" }, { env = \"STATE_KEY\" }]"), [OTHER, KEY]);
    assert!(told("").is_empty());
    assert!(Machine::furnished(GOOD).settings().state_keys.is_empty());
}

#[test]
fn a_key_that_could_be_guessed_is_none() {
    let fault = |lines: &str| {
        let report = machine(lines).load().unwrap_err();
        let told: Vec<_> = report.faults.iter().map(|fault| fault.message.clone()).collect();
        assert!(!report.render(false).contains(&KEY[1..]), "{report}");
        told
    };
    assert_eq!(fault("key = { env = \"SHORT\" }"), ["a key of fewer than 43 characters"]);
    assert_eq!(fault("key = [{ env = \"STATE_KEY\" }, { env = \"STATE_KEY\" }]"), ["the same key twice"]);
    assert_eq!(fault("key = []"), ["no key"]);
    each_is_told(&[(
        longer("[state]\nkey = { env = \"NOT_SET\" }"),
        "the environment variable `NOT_SET` is not set",
        "a variable that is set",
    )]);
}

/// The key itself where its place belongs: nobody sees it in the report.
#[test]
fn invariant_15_a_key_written_into_the_file_is_not_shown() {
    let report = faults(&longer(&format!("[state]\nkey = {{ env = \"{KEY}-\" }}")));
    assert!(!report.render(false).contains(KEY), "{report}");
}

fn redis(lines: &str) -> RedisSettings {
    let settings = machine(&format!("key = {{ env = \"STATE_KEY\" }}\n{lines}")).settings();
    settings.redis.unwrap()
}

fn address(host: &str, port: u16) -> RedisAddress {
    RedisAddress { host: host.into(), port }
}

#[test]
fn redis_is_one_server_sentinels_or_a_cluster() {
    let one = redis("redis = \"rediss://valkey.internal/3\"");
    assert_eq!(one.servers, RedisServers::Single(address("valkey.internal", 6379)));
    assert_eq!(
        (one.transport, one.database, one.namespace.as_str()),
        (Transport::Tls(None), 3, "portcullis")
    );
    assert_eq!((one.username, one.password, one.stale), (None, None, Duration::from_secs(300)));

    let table = redis(
        "redis = { url = \"redis://[::1]:7000\", username = \"gateway\", password = { env = \"STATE_KEY\" }, \
         namespace = \"blue\", stale = \"10s\" }",
    );
    assert_eq!(table.servers, RedisServers::Single(address("::1", 7000)));
    assert_eq!((table.username.as_deref(), table.password.unwrap().expose()), (Some("gateway"), KEY));
    assert_eq!((table.transport, table.stale), (Transport::Clear, Duration::from_secs(10)));
    assert_eq!(table.namespace, "blue");

    let watched = redis("redis = { sentinels = [\"redis://127.0.0.1\", \"redis://127.0.0.2:5000\"] }");
    let addresses = vec![address("127.0.0.1", 26379), address("127.0.0.2", 5000)];
    let master = "mymaster".to_owned();
    assert_eq!(
        watched.servers,
        RedisServers::Sentinels { addresses, master, username: None, password: None }
    );

    let cluster = redis("redis = { cluster = \"rediss://node.internal:7001\" }");
    assert_eq!(cluster.servers, RedisServers::Cluster(vec![address("node.internal", 7001)]));
}

#[test]
fn a_redis_that_gateways_cannot_share_does_not_load() {
    let told = |redis: &str| {
        let report =
            machine(&format!("key = {{ env = \"STATE_KEY\" }}\nredis = {redis}")).load().unwrap_err();
        assert!(!report.render(false).contains("hunter2"), "{report}");
        report.faults.iter().map(|fault| fault.message.clone()).collect::<Vec<_>>()
    };
    for (written, message) in [
        ("\"rediss://portcullis:hunter2@valkey.internal\"", "a user name or password in a URL"),
        ("\"hunter2@valkey.internal\"", "a user name or password in a URL"),
        ("\"https://valkey.internal\"", "not a URL of a scheme that works here"),
        ("\"valkey.internal:6379\"", "the scheme of the URL is missing"),
        ("\"rediss://valkey.internal/mine\"", "not the number of a database"),
        ("{}", "Redis is in one place"),
        ("{ url = \"redis://a\", cluster = [\"redis://b\"] }", "Redis is in one place"),
        ("{ cluster = [] }", "no server"),
        ("{ cluster = [\"redis://a/1\"] }", "a Cluster has no databases but the first"),
        (
            "{ sentinels = [\"redis://a\", \"rediss://b\"] }",
            "TLS for some servers and clear text for others, b:26379 among them",
        ),
        ("{ url = \"redis://a\", master = \"m\" }", "`master` without `sentinels`"),
        ("{ url = \"redis://a\", namespace = \"{x}\" }", "not a namespace"),
        ("{ url = \"redis://a\", stale = \"1s\" }", "the span of time is too short"),
        ("{ url = \"redis://a\", stale = \"2h\" }", "the span of time is too long"),
    ] {
        assert_eq!(told(written), [message], "{written}");
    }
    each_is_told(&[(
        longer("[state]\nredis = \"rediss://valkey.internal\""),
        "`redis` without `key`",
        "a `key` that seals what others could read there",
    )]);
}

#[test]
fn clear_text_to_another_machine_is_told() {
    let warned = |url: &str| {
        let lines = format!("key = {{ env = \"STATE_KEY\" }}\nredis = \"{url}\"");
        let (_, report) = machine(&lines).load().unwrap();
        report.warnings.iter().any(|warning| warning.message.contains("Redis is spoken to in clear text"))
    };
    assert!(warned("redis://valkey.internal") && warned("redis://10.0.0.7"));
    assert!(
        !warned("rediss://valkey.internal") && !warned("redis://127.0.0.1") && !warned("redis://localhost")
    );
}
