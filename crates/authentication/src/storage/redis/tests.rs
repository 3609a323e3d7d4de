//! The client against real servers that restart, refuse, stall and vanish.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::testing::{TestRedis, settings};
use super::*;
use crate::secret::Secret;
use crate::storage::{ServerKeys, StorageError};

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
    assert!(matches!(&error, RedisError::Refused { .. }), "{error}");
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

/// The first gateway makes a key, and all others use it; who has another `[state] key` has none of it.
#[tokio::test(flavor = "multi_thread")]
async fn gateways_share_keys_that_the_first_one_makes() {
    let redis = TestRedis::start();
    let keys = |secrets: &[[u8; 32]]| ServerKeys::shared(client(redis.settings()), secrets).unwrap();
    let (one, two) = ([1; 32], [2; 32]);
    let (first, second) = (keys(&[one]), keys(&[one]));
    let (made, found) = tokio::join!(first.load_or_create("cards"), second.load_or_create("cards"));
    let key = made.unwrap();
    assert_eq!(key, found.unwrap());
    assert_ne!(key, first.load_or_create("flow-cookies").await.unwrap(), "one key serves one purpose");
    let stranger = keys(&[two]).load_or_create("cards").await.unwrap_err();
    assert!(matches!(stranger, StorageError::SealedShared { .. }) && stranger.is_final(), "{stranger}");
    let rotated = keys(&[two, one]).load_or_create("cards").await.unwrap();
    assert_eq!(key, rotated, "an older key opens it");
    assert_eq!(
        key,
        keys(&[two]).load_or_create("cards").await.unwrap(),
        "and the newer one has sealed it anew"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_7_a_shared_key_is_never_in_the_clear() {
    let redis = TestRedis::start();
    let keys = ServerKeys::shared(client(redis.settings()), &[[1; 32]]).unwrap();
    let key = keys.load_or_create("cards").await.unwrap();
    let kept: Vec<u8> =
        client(redis.settings()).command(cmd("GET").arg("{portcullis}:key:cards")).await.unwrap();
    assert!(!kept.windows(key.len()).any(|part| part == &key[..]));
    // Somebody who can write there gives the gateway a key of his own.
    redis.cli(&["SET", "{portcullis}:key:assertion", &"x".repeat(64)]);
    let forged = keys.load_or_create("assertion").await.unwrap_err();
    assert!(matches!(forged, StorageError::SealedShared { .. }), "{forged}");
    assert!(ServerKeys::shared::<[u8; 32]>(client(redis.settings()), &[]).is_err());
}

/// TLS with an authority of one's own; a server of another authority is refused.
#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_server_must_be_the_one_that_is_meant() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let (certificate, key) = authority.certificate();
    let [certificate, key] = [("tls.crt", certificate), ("tls.key", key)].map(|(name, pem)| {
        let file = folder.path().join(name);
        std::fs::write(&file, pem).unwrap();
        file.to_str().unwrap().to_owned()
    });
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let words = port.to_string();
    let _redis = TestRedis::with(&[
        "--tls-port",
        &words,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-auth-clients",
        "no",
    ]);
    let to = |host: &str, ca: &str| RedisSettings {
        transport: Transport::Tls(Some(ca.as_bytes().to_vec())),
        ..settings(RedisServers::Single(RedisAddress { host: host.into(), port }))
    };
    let patience = Duration::from_secs(20);
    let good = client(to("localhost", &authority.pem));
    good.ready(patience).await.unwrap();
    assert_eq!(add(&good, 1).await.unwrap(), 1);
    for (host, ca) in [("localhost", &Authority::new().pem), ("127.0.0.1", &authority.pem)] {
        let stranger = client(to(host, ca));
        // On a busy machine a handshake may be too slow to be refused.
        let mut error = stranger.ready(Duration::ZERO).await.unwrap_err();
        for _ in 0..10 {
            if matches!(&error, RedisError::Away { cause, .. } if cause.contains("certificate")) {
                break;
            }
            error = stranger.ready(Duration::from_secs(2)).await.unwrap_err();
        }
        assert!(error.to_string().contains("certificate"), "{host}: {error}");
    }
}

/// A certificate authority of a test's.
struct Authority {
    pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = rcgen::CertificateParams::default();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { pem, issuer: rcgen::Issuer::new(parameters, key) }
    }

    /// Of `localhost`, and its key.
    fn certificate(&self) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (parameters.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// Of two gateways that put another key in the place of the same one, one does.
#[tokio::test(flavor = "multi_thread")]
async fn a_shared_key_is_replaced_by_whoever_has_seen_it_last() {
    let redis = TestRedis::start();
    let keys = |secrets: &[[u8; 32]]| ServerKeys::shared(client(redis.settings()), secrets).unwrap();
    let (first, second) = (keys(&[[1; 32]]), keys(&[[1; 32]]));
    let text = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    assert!(first.load("turns").await.unwrap().is_none());
    assert!(first.replace("turns", None, text("a")).await.unwrap());
    assert!(!second.replace("turns", None, text("b")).await.unwrap(), "there is one meanwhile");
    assert_eq!(second.load("turns").await.unwrap(), Some(text("a")));
    assert!(second.replace("turns", Some(text("a")), text("b")).await.unwrap());
    assert!(!first.replace("turns", Some(text("a")), text("c")).await.unwrap(), "late");
    assert_eq!(first.load("turns").await.unwrap(), Some(text("b")));
    let both = keys(&[[2; 32], [1; 32]]);
    assert!(both.replace("turns", Some(text("b")), text("d")).await.unwrap(), "an older key opens it");
    assert!(first.load("turns").await.is_err(), "and the newer one has sealed it");
}
