//! The client against real servers that restart, refuse, stall and vanish.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::testing::TestRedis;
use super::*;
use crate::secret::Secret;

fn client(settings: RedisSettings) -> RedisClient {
    RedisClient::start(settings, &Handle::current()).unwrap()
}

fn script() -> Script {
    Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])")
}

async fn add(client: &RedisClient, n: i64) -> Result<i64, RedisError> {
    client.run(script().key(client.key("n")).arg(n)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_runs_also_where_the_server_has_forgotten_it() {
    let redis = TestRedis::start();
    let client = client(redis.settings());
    assert_eq!(add(&client, 1).await.unwrap(), 1);
    redis.cli(&["SCRIPT", "FLUSH"]);
    assert_eq!(add(&client, 2).await.unwrap(), 3);
    assert_eq!(redis.cli(&["GET", "{portcullis}:n"]), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_found_and_what_comes_meanwhile_waits() {
    let mut redis = TestRedis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let client = client(redis.settings());
    add(&client, 1).await.unwrap();
    redis.kill();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { add(&client, 1).await }
    });
    tokio::task::yield_now().await;
    redis.restart();
    assert_eq!(waiting.await.unwrap().unwrap(), 2);
}

/// Whoever comes while it has been away for long does not wait as the first ones did.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_away_costs_nobody_two_seconds_but_the_first() {
    let mut redis = TestRedis::start();
    let client = client(redis.settings());
    add(&client, 1).await.unwrap();
    redis.kill();
    let begin = Instant::now();
    let error = add(&client, 1).await.unwrap_err();
    assert!(matches!(error, RedisError::Away { .. }), "{error}");
    assert!(begin.elapsed() < COMMAND + Duration::from_millis(500));
    assert!(client.health().trouble().is_some());
    // The link has been down for as long as a command may take by now, or nearly.
    while begin.elapsed() < COMMAND + Duration::from_millis(500) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let later = Instant::now();
    add(&client, 1).await.unwrap_err();
    assert!(later.elapsed() < Duration::from_millis(500), "{:?}", later.elapsed());
    redis.restart();
    client.ready(Duration::from_secs(20)).await.unwrap();
    assert!(client.health().trouble().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stalls_is_given_up_in_time() {
    let redis = TestRedis::start();
    let client = client(redis.settings());
    add(&client, 1).await.unwrap();
    redis.cli(&["CLIENT", "PAUSE", "4000", "ALL"]);
    let begin = Instant::now();
    let error = add(&client, 1).await.unwrap_err();
    assert!(matches!(error, RedisError::Late { .. }), "{error}");
    assert!(begin.elapsed() < COMMAND + Duration::from_millis(500));
    client.ready(Duration::from_secs(20)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_what_is_missing_at_once() {
    let user = "user gateway on >secret ~{portcullis}:* +evalsha +script|load +eval";
    let redis = TestRedis::with(&[]);
    redis.cli(&[&["ACL", "SETUSER"], &user.split(' ').skip(1).collect::<Vec<_>>()[..]].concat());
    let with = |password: &str| RedisSettings {
        username: Some("gateway".into()),
        password: Some(Secret::new(password)),
        ..redis.settings()
    };
    let error = add(&client(with("secret")), 1).await.unwrap_err();
    assert!(matches!(&error, RedisError::Refused { cause, .. } if cause.contains("incrby")), "{error}");
    let error = add(&client(with("wrong")), 1).await.unwrap_err();
    assert!(error.to_string().contains("WRONGPASS") || error.to_string().contains("assword"), "{error}");
    assert!(!error.to_string().contains("wrong "), "no secret is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_and_a_key_of_another_type_are_told_apart() {
    let redis = TestRedis::with(&["--maxmemory-policy", "noeviction"]);
    let client = client(redis.settings());
    add(&client, 1).await.unwrap();
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(matches!(add(&client, 1).await.unwrap_err(), RedisError::Full { .. }));
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    redis.cli(&["DEL", "{portcullis}:n"]);
    redis.cli(&["RPUSH", "{portcullis}:n", "x"]);
    assert!(matches!(add(&client, 1).await.unwrap_err(), RedisError::Unreadable { .. }));
}
