//! Gateways with a Redis that is more than one server.

use portcullis_authentication::storage::redis::testing::TestRedis;

use super::Site;
use crate::support::{Browser, ends, until, until_async};

/// Somebody signs out at one gateway and is out at both.
async fn signs_out_everywhere(site: &Site) {
    let (browser, key) = site.signed_in().await;
    let streams = site.streams(&key).await;
    assert_eq!(browser.submit(&site.url("/.portcullis/sign-out"), "").await.status, 200);
    for stream in streams {
        ends(stream).await;
    }
    assert_eq!(site.statuses(&key).await, [302; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_with_a_cluster_act_as_one() {
    let nodes = TestRedis::cluster();
    let site = Site::open(2, &format!("{{ cluster = [\"redis://127.0.0.1:{}\"] }}", nodes[1].port())).await;
    signs_out_everywhere(&site).await;
}

/// The old master becomes a replica, which refuses to be written to, and then is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_23_gateways_follow_a_failover_and_nobody_comes_back_by_it() {
    let mut master = TestRedis::start();
    let _replica = TestRedis::replica_of(&master);
    let sentinel = TestRedis::sentinel(&master);
    let settings = format!("{{ sentinels = [\"redis://127.0.0.1:{}\"] }}", sentinel.port());
    let site = Site::open(2, &settings).await;
    let (leaver, out) = site.signed_in().await;
    let (_, stays) = site.signed_in().await;
    assert_eq!(leaver.submit(&site.url("/.portcullis/sign-out"), "").await.status, 200);
    until("the Sentinel to know the replica", || {
        sentinel.cli(&["SENTINEL", "REPLICAS", "mymaster"]).contains("slave")
    });
    until("a failover", || sentinel.cli(&["SENTINEL", "FAILOVER", "mymaster"]).contains("OK"));
    until("the old master to be a replica", || master.cli(&["ROLE"]).starts_with("slave"));
    until_async("a sign-in at the new master", || async {
        Browser::new().visit(&site.url("/")).await.status == 200
    })
    .await;
    master.kill();
    assert_eq!(site.statuses(&stays).await, [200; 2]);
    assert_eq!(site.statuses(&out).await, [302; 2]);
    signs_out_everywhere(&site).await;
}
