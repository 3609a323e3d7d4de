//! A master that a failover has left behind: it answers whoever still reaches it, and knows of no failover.

use super::replicas::{Gateway, ended, eventually, sentinels};
use super::*;
use crate::storage::redis::RedisSettings;
use crate::storage::redis::testing::{TestRedis, settings};

struct Site {
    /// Without replicas now, and sure that it is the master.
    _old: TestRedis,
    new: TestRedis,
    sentinel: TestRedis,
    gateway: Gateway,
}

/// Somebody is signed in; then the replica has become a master of its own. The Sentinel knows nothing of it yet.
async fn left_behind(stale: u64) -> (Site, SessionKey, Arc<Session>) {
    let old = TestRedis::start();
    let new = TestRedis::replica_of(&old);
    let sentinel = TestRedis::sentinel(&old);
    let settings = settings(sentinels(&[sentinel.address()]));
    let settings = RedisSettings { stale: Duration::from_secs(stale), ..settings };
    let gateway = Gateway::start(settings).await;
    let (key, session) = gateway.sessions.create(sign_in()).await.unwrap();
    eventually("the replica to have it", async || {
        new.cli(&["EXISTS", &format!("{{portcullis}}:f:{}", session.id.to_hex())]) == "1"
    })
    .await;
    sentinel.cli(&["SENTINEL", "REMOVE", "mymaster"]);
    new.cli(&["REPLICAOF", "NO", "ONE"]);
    (Site { _old: old, new, sentinel, gateway }, key, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_23_a_gateway_leaves_a_master_that_a_failover_left_behind() {
    let (site, key, session) = left_behind(300).await;
    let Site { new, sentinel, gateway, .. } = &site;
    let stream = gateway.stream(&key).await;
    // Somebody whom only the new master can reach.
    let other = Gateway::start(new.settings()).await;
    other.sessions.end(&session.id).await.unwrap();
    sentinel.cli(&["SENTINEL", "MONITOR", "mymaster", "127.0.0.1", &new.port().to_string(), "1"]);
    ended(stream).await;
    assert!(!gateway.finds(&key).await);
    let (key, _) = gateway.sessions.create(sign_in()).await.unwrap();
    assert!(other.finds(&key).await, "it writes where the others read");
}

/// Neither a Sentinel nor a replica says that it is the master still.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_10_a_master_for_which_nothing_speaks_is_not_believed_for_longer_than_is_configured() {
    let (site, key, _) = left_behind(5).await;
    let stream = site.gateway.stream(&key).await;
    assert_eq!(ended(stream).await, SessionEnd::Unconfirmed);
    assert!(site.gateway.sessions.find(&key).await.is_err(), "503, though it answers");
}
