//! A store that does not let a gateway in, or lets it do too little, is not away: somebody has to set it right, and is told
//! what.

use portcullis_authentication::storage::redis::testing::TestRedis;

use super::checked::{allow, checked, folder, rights, said};
use super::{STATE_KEY, Site};
use crate::support::{Browser, program, until, until_async};

const WRONG: &str =
    "refuses the login: user or password is wrong; see `username` and `password` of `[state] redis`";
const MISSING: &str = "refuses the login: it asks for a password; see `password` of `[state] redis`";
const BAD: &str = "the session store does not do its work";

fn with_password(redis: &TestRedis, more: &str) -> String {
    let port = redis.port();
    format!("{{ url = \"redis://127.0.0.1:{port}\", password = {{ file = \"password\" }}{more} }}")
}

/// What `check --online` and the start of a gateway say of these settings.
fn refused(settings: &str, why: &str) {
    let (good, told) = checked(settings);
    assert!(!good && told.contains(why), "{told}");
    let folder = folder(settings, STATE_KEY);
    let output = program(folder.path(), &["run", "--config", "portcullis.toml"]);
    let log = said(&output);
    assert_eq!(output.status.code(), Some(65), "it is no use to try again: {log}");
    assert_eq!(log.matches(why).count(), 1, "once: {log}");
    for told in [told, log] {
        assert!(told.contains("Redis at 127.0.0.1:"), "which: {told}");
        assert!(!told.contains("is away") && !told.contains("throw-away"), "{told}");
    }
}

#[test]
fn a_wrong_login_is_told_by_its_settings_and_is_no_outage() {
    let redis = TestRedis::with(&["--requirepass", "another"]);
    refused(&format!("\"redis://127.0.0.1:{}\"", redis.port()), MISSING);
    refused(&with_password(&redis, ""), WRONG);
    refused(&with_password(&redis, ", username = \"nobody\""), WRONG);
    let open = TestRedis::start();
    refused(&with_password(&open, ", username = \"portcullis\""), WRONG);
    let off: Vec<String> =
        rights().into_iter().map(|word| if word == "on" { "off".into() } else { word }).collect();
    allow(&open, &off);
    refused(&with_password(&open, ", username = \"portcullis\""), WRONG);
}

#[test]
fn a_wrong_login_to_sentinels_or_a_cluster_is_told_as_well() {
    let master = TestRedis::start();
    let sentinel = TestRedis::sentinel(&master);
    let settings = format!(
        "{{ sentinels = [\"redis://127.0.0.1:{}\"], username = \"nobody\", password = {{ file = \"password\" }} }}",
        sentinel.port()
    );
    refused_by(&settings, "user or password is wrong");
    let nodes = TestRedis::cluster();
    let settings = format!(
        "{{ cluster = [\"redis://127.0.0.1:{}\"], username = \"nobody\", password = {{ file = \"password\" }} }}",
        nodes[1].port()
    );
    refused_by(&settings, "user or password is wrong");
}

fn refused_by(settings: &str, why: &str) {
    let (good, told) = checked(settings);
    assert!(!good && told.contains(why) && !told.contains("is away"), "{told}");
}

#[test]
fn a_missing_right_is_told_at_the_start_with_the_setting_that_names_its_user() {
    let redis = TestRedis::start();
    let less: Vec<_> = rights().into_iter().filter(|right| right != "+evalsha").collect();
    allow(&redis, &less);
    let folder = folder(&with_password(&redis, ", username = \"portcullis\""), STATE_KEY);
    let output = program(folder.path(), &["run", "--config", "portcullis.toml"]);
    let log = said(&output);
    assert_eq!(output.status.code(), Some(65), "{log}");
    assert_eq!(log.matches("refuses this to the user of `[state] redis`").count(), 1, "{log}");
    assert!(log.contains("evalsha") && log.contains("docs/scaling.md") && !log.contains("is away"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_refused_later_is_told_once_and_by_readiness_and_heals() {
    let redis = TestRedis::start();
    allow(&redis, &rights());
    let settings = format!(
        "{{ url = \"redis://127.0.0.1:{}\", username = \"portcullis\", password = {{ env = \"CLIENT_SECRET\" }} }}",
        redis.port()
    );
    let password = format!(">{}", crate::support::CLIENT_SECRET);
    redis.cli(&["ACL", "SETUSER", "portcullis", &password]);
    let site = Site::open(1, &settings).await;
    let gateway = &site.gateways[0];
    let (browser, _) = site.signed_in().await;
    redis.cli(&["ACL", "SETUSER", "portcullis", "resetpass", ">rotated"]);
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    let ready = || async { Browser::new().get(&gateway.admin_url("/readyz")).await.body };
    until_async("a sign-in to be refused", || async {
        Browser::new().visit(&site.url("/")).await.status == 503
    })
    .await;
    until_async("readiness to tell", || async { ready().await.contains(WRONG) }).await;
    for _ in 0..20 {
        assert_eq!(Browser::new().visit(&site.url("/")).await.status, 503);
    }
    let lines = || gateway.log().lines().filter(|line| line.contains(BAD) && line.contains(WRONG)).count();
    until("the log", || lines() > 0);
    assert_eq!(lines(), 1, "{}", gateway.log());
    assert!(!gateway.log().contains("rotated") && !gateway.log().contains(crate::support::CLIENT_SECRET));
    redis.cli(&["ACL", "SETUSER", "portcullis", &password]);
    until_async("a sign-in", || async { Browser::new().visit(&site.url("/")).await.status == 200 }).await;
    assert_eq!(browser.get(&site.url("/")).await.status, 200);
    until_async("readiness", || async { !ready().await.contains("refuses") }).await;
}

/// Commands that need the right come between others that are done: each would be a line, and the next one another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_is_taken_away_later_is_told_once() {
    let redis = TestRedis::start();
    allow(&redis, &rights());
    let password = format!(">{}", crate::support::CLIENT_SECRET);
    redis.cli(&["ACL", "SETUSER", "portcullis", &password]);
    let settings = format!(
        "{{ url = \"redis://127.0.0.1:{}\", username = \"portcullis\", password = {{ env = \"CLIENT_SECRET\" }} }}",
        redis.port()
    );
    let site = Site::open(1, &settings).await;
    let gateway = &site.gateways[0];
    site.signed_in().await;
    // Sessions are made by it, and found without.
    redis.cli(&["ACL", "SETUSER", "portcullis", "-zadd"]);
    for _ in 0..5 {
        assert_eq!(Browser::new().visit(&site.url("/")).await.status, 503);
    }
    let lines = || gateway.log().lines().filter(|line| line.contains(BAD)).count();
    until("the log", || lines() > 0);
    let log = gateway.log();
    assert_eq!(lines(), 1, "{log}");
    assert!(log.contains("refuses this to the user of `[state] redis`"), "{log}");
    redis.cli(&["ACL", "SETUSER", "portcullis", "+zadd"]);
    assert_eq!(Browser::new().visit(&site.url("/")).await.status, 200);
}
