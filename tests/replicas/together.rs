//! Three gateways behind a balancer act as one.

use portcullis_authentication::storage::redis::testing::TestRedis;

use super::Site;
use crate::support::{begun, ends, event, program, until, until_async};

fn at(redis: &TestRedis) -> String {
    format!("\"redis://127.0.0.1:{}\"", redis.port())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_8_three_gateways_act_as_one() {
    let redis = TestRedis::start();
    let site = Site::open(3, &at(&redis)).await;
    // Begun at one, finished at the next, used at the third: the balancer goes round.
    let (browser, key) = site.signed_in().await;
    let (_, other) = site.signed_in().await;
    assert_eq!(site.statuses(&key).await, [200; 3]);
    let streams = site.streams(&key).await;
    let stays = site.streams(&other).await;
    site.lead_to(2);
    assert_eq!(browser.submit(&site.url("/.portcullis/sign-out"), "").await.status, 200);
    for stream in streams {
        ends(stream).await;
    }
    assert_eq!(site.statuses(&key).await, [302; 3], "the next request is refused at all");
    assert_eq!(site.statuses(&other).await, [200; 3], "and nobody else's");
    for stream in &stays {
        let read = stream.try_read(&mut [0; 16]);
        assert!(read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    }
    for gateway in &site.gateways {
        until("the reason of the cut", || gateway.log().contains("cut off: the session was signed out"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_8_what_an_operator_ends_at_one_gateway_is_over_at_all() {
    let redis = TestRedis::start();
    let site = Site::open(2, &at(&redis)).await;
    let (_, key) = site.signed_in().await;
    let streams = site.streams(&key).await;
    let end = program(site.gateways[0].directory.path(), &["sessions", "end", "--user", "alice"]);
    assert!(end.status.success(), "{}", String::from_utf8_lossy(&end.stderr));
    for stream in streams {
        ends(stream).await;
    }
    assert_eq!(site.statuses(&key).await, [302; 2]);
    until("the reason of the cut", || {
        site.gateways[1].log().contains("the session was ended by an administrator")
    });
}

/// A new process takes over from one of them: its streams live on, and still hear what the others end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_8_a_take_over_goes_on_with_the_same_store() {
    let redis = TestRedis::start();
    let mut site = Site::open(2, &at(&redis)).await;
    let (browser, key) = site.signed_in().await;
    let before = begun(site.gateways[0].port, &key).await;
    let _old = site.gateways[0].take_over();
    event(&site.gateways[0], "process.took-over");
    let after = begun(site.gateways[0].port, &key).await;
    site.lead_to(1);
    assert_eq!(browser.submit(&site.url("/.portcullis/sign-out"), "").await.status, 200);
    ends(before).await;
    ends(after).await;
    assert_eq!(site.statuses(&key).await, [302; 2]);
}

/// kill -9 and a restart of the store while people ask: wrong answers 0, lost sessions 0.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_killed_and_started_again_loses_nobody() {
    let mut redis = TestRedis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let site = Site::open(2, &at(&redis)).await;
    let (leaver, out) = site.signed_in().await;
    let (_, key) = site.signed_in().await;
    assert_eq!(leaver.submit(&site.url("/.portcullis/sign-out"), "").await.status, 200);
    until_async("the end", || async { site.statuses(&out).await == [302; 2] }).await;
    redis.kill();
    for _ in 0..20 {
        assert!(site.statuses(&key).await.iter().all(|status| [200, 503].contains(status)));
        assert!(
            site.statuses(&out).await.iter().all(|status| [302, 503].contains(status)),
            "who is out stays out"
        );
    }
    redis.restart();
    until_async("the store", || async { site.statuses(&out).await == [302; 2] }).await;
    assert_eq!(site.statuses(&key).await, [200; 2]);
}
