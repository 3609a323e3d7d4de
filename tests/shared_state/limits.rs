//! Rates over all replicas, and what becomes of them while their store is away.

use super::{REPLICAS, Replicas};
use crate::support::{Browser, logged, until_async};

const LIMIT: usize = 9;

/// How often a test begins anew because the machine was too busy for a count: a replica waits a tenth of a second.
const ATTEMPTS: usize = 20;

async fn world(limits: &str) -> Replicas {
    let route = format!(
        "[[routes]]\nname = \"api\"\nhost = \"login.localhost\"\nupstream = \"{{app}}\"\naccess = \"public\"\n\
         limits = {limits}\n"
    );
    Replicas::start(|_| route).await
}

/// How many of so many requests, over all replicas in turn, are let pass; the others are over the limit.
async fn passed(world: &Replicas, requests: usize) -> usize {
    let url = world.at("login", "/");
    let mut passed = 0;
    for _ in 0..requests {
        let status = Browser::new().get(&url).await.status;
        assert!(matches!(status, 200 | 429), "{status}");
        passed += usize::from(status == 200);
    }
    passed
}

async fn counted_here(world: &Replicas) -> f64 {
    world.metric("portcullis_limits_counted_here_total").await
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_14_a_limit_over_three_replicas_admits_what_it_says() {
    for _ in 0..ATTEMPTS {
        let world = world(&format!("{{ per = \"address\", rate = \"{LIMIT}/day\" }}")).await;
        let passed = passed(&world, 3 * LIMIT).await;
        if counted_here(&world).await == 0.0 {
            assert_eq!(passed, LIMIT);
            return is_told_by_all(&world).await;
        }
    }
    panic!("this machine is too busy for a count in a tenth of a second");
}

async fn is_told_by_all(world: &Replicas) {
    for gateway in 0..REPLICAS {
        world.lead_to(gateway);
        let answer = Browser::new().get(&world.at("login", "/")).await;
        assert_eq!(answer.status, 429);
        assert!(answer.header("ratelimit").contains("r=0"), "{:?}", answer.headers);
        assert!((1..=9600).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
    }
    let rows = world.redis.cli(&["KEYS", "*rate*"]);
    assert!(!rows.is_empty() && !rows.contains("127.0.0.1"), "no address is kept: {rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_limits_of_a_route_are_counted_together_and_nobody_uses_up_anothers() {
    let limits =
        "[{ per = \"route\", rate = \"4/h\" }, { per = \"header\", header = \"X-Client\", rate = \"2/h\" }]";
    for _ in 0..ATTEMPTS {
        let world = world(limits).await;
        let url = world.at("login", "/");
        let mut statuses = Vec::new();
        for client in ["a", "a", "a", "a", "a", "b", "b", "c", "c"] {
            let head = [("x-client", client), ("accept", "*/*")];
            statuses.push(Browser::new().send(http::Method::GET, &url, &head, "").await.status);
        }
        if counted_here(&world).await == 0.0 {
            assert_eq!(statuses, [200, 200, 429, 429, 429, 200, 200, 429, 429]);
            return;
        }
    }
    panic!("this machine is too busy for a count in a tenth of a second");
}

/// Each replica goes on by itself, never above the whole limit, and knows what it has let pass before.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_14_without_the_store_each_replica_keeps_to_the_limit_and_with_it_all_do_again() {
    let mut world = world(&format!("{{ per = \"address\", rate = \"{LIMIT}/day\" }}")).await;
    let before = passed(&world, 6).await;
    assert_eq!(before, 6);
    world.redis.kill();
    let alone = passed(&world, 5 * LIMIT).await;
    assert!(alone + before <= REPLICAS * LIMIT, "{before} and {alone}");
    assert!(alone > LIMIT, "nobody is refused because the store is away: {alone}");
    assert!(counted_here(&world).await >= alone as f64);
    let ready = Browser::new().get(&world.gateways[0].admin_url("/metrics")).await.body;
    assert!(ready.contains("portcullis_limits_counted_here_total{route=\"api\",reason=\"away\"}"), "{ready}");

    world.redis.restart();
    until_async("the replicas to count together again", || async {
        let here = counted_here(&world).await;
        passed(&world, REPLICAS).await;
        counted_here(&world).await == here
    })
    .await;
    assert_eq!(passed(&world, 5 * LIMIT).await, 0, "all that the replicas may let pass has been");
}

/// Something else has written there: the replica counts for itself, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_makes_no_sense_is_no_pass() {
    let world = world("{ per = \"address\", rate = \"2/h\" }").await;
    assert_eq!(passed(&world, 1).await, 1);
    let row = world.redis.cli(&["KEYS", "*rate*"]);
    world.redis.cli(&["SET", &row, "garbage"]);
    world.lead_to(2);
    assert_eq!(passed(&world, 9).await, 2, "its own count");
    assert!(counted_here(&world).await >= 9.0);
    logged(&world.gateways[2], "a shared count makes no sense");
    assert_eq!(world.redis.cli(&["GET", &row]), "garbage", "it is left as it is");
}
