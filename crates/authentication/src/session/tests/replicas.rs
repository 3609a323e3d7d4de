//! Several processes with one store: what one ends is over for all, whatever becomes of the store and of the way to it.

use std::time::Instant;

use futures_util::FutureExt;
use portcullis_events::{Kind, KindSet, Recorder};
use tokio::runtime::Handle;

use super::*;
use crate::storage::redis::testing::{TestNetwork, TestRedis, settings};
use crate::storage::redis::{RedisAddress, RedisClient, RedisServers, RedisSettings};

/// A gateway, as far as sessions go.
pub(super) struct Gateway {
    pub(super) sessions: Sessions,
    pub(super) health: LogHealth,
    pub(super) shared: RedisSessions,
}

impl Gateway {
    /// Resolves when a stream of the session of `key`, which is open here, must end.
    pub(super) async fn stream(&self, key: &SessionKey) -> SessionEnded {
        self.sessions.ended(&self.sessions.find(key).await.unwrap().unwrap())
    }

    pub(super) async fn start(settings: RedisSettings) -> Self {
        let client = RedisClient::start(settings, &Handle::current()).unwrap();
        client.ready(Duration::from_secs(20)).await.unwrap();
        let shared = RedisSessions::new(client);
        let replica = shared.join().await.unwrap();
        let health = replica.health().clone();
        let store = Arc::new(shared.store(Database::in_memory().unwrap()));
        let sessions = Sessions::new(SessionSettings::default(), store, keys(), Clock::manual(START));
        tokio::spawn(replica.follow(sessions.clone()));
        Self { sessions, health, shared }
    }

    /// One whose operator has another `[state] key`: anybody who can write the store.
    fn of_a_stranger(&self) -> Sessions {
        let store = Arc::new(self.shared.store(Database::in_memory().unwrap()));
        let keys = StateKeys::derive(&[[9; 32]]).unwrap();
        Sessions::new(SessionSettings::default(), store, keys, Clock::manual(START))
    }

    pub(super) async fn pair(redis: &TestRedis) -> [Self; 2] {
        [Self::start(redis.settings()).await, Self::start(redis.settings()).await]
    }

    async fn behind(network: &TestNetwork, stale: u64) -> Self {
        let address = RedisAddress { host: "127.0.0.1".into(), port: network.port() };
        let settings = settings(RedisServers::Single(address));
        Self::start(RedisSettings { stale: Duration::from_secs(stale), ..settings }).await
    }

    pub(super) async fn finds(&self, key: &SessionKey) -> bool {
        self.sessions.find(key).await.unwrap().is_some()
    }
}

fn keys() -> StateKeys {
    testing::keys().for_a_shared_store()
}

/// Behind these Sentinels.
pub(super) fn sentinels(addresses: &[RedisAddress]) -> RedisServers {
    RedisServers::Sentinels {
        addresses: addresses.to_vec(),
        master: "mymaster".into(),
        username: None,
        password: None,
    }
}

/// Asks again and again until it holds.
pub(super) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(super) async fn ended(mut stream: SessionEnded) -> SessionEnd {
    tokio::time::timeout(Duration::from_secs(30), &mut stream).await.expect("the stream is cut")
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_8_what_one_gateway_ends_is_cut_at_another() {
    let redis = TestRedis::start();
    let [one, other] = Gateway::pair(&redis).await;
    let (key, session) = one.sessions.create(sign_in()).await.unwrap();
    let (app_key, _) = other.sessions.create(app_session(&session)).await.unwrap();
    let there = other.sessions.find(&key).await.unwrap().unwrap();
    let stream = other.sessions.ended(&there);
    one.sessions.end_because(&session.id, SessionEnd::Administrator).await.unwrap();
    assert_eq!(ended(stream).await, SessionEnd::Administrator, "with its reason");
    assert!(!other.finds(&key).await && !other.finds(&app_key).await);
    assert_eq!(other.health.gaps(), 0);
}

/// Whoever can write the store knows how sessions are made, but has no key of the gateways'.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_7_a_session_that_somebody_writes_into_the_store_opens_nothing() {
    let redis = TestRedis::start();
    let gateway = Gateway::start(redis.settings()).await;
    let stranger = gateway.of_a_stranger();
    let (forged, session) = stranger.create(sign_in()).await.unwrap();
    assert!(stranger.find(&forged).await.unwrap().is_some(), "it is whole");
    assert!(gateway.sessions.find(&forged).await.is_err());
    let family = format!("{{portcullis}}:f:{}", session.id.to_hex());
    // Without a card, and with somebody else's.
    redis.cli(&["HSET", &family, "card", ""]);
    assert!(gateway.sessions.find(&forged).await.is_err());
    let (_, real) = gateway.sessions.create(sign_in()).await.unwrap();
    let copy = "redis.call('HSET', KEYS[1], 'card', redis.call('HGET', KEYS[2], 'card'))";
    redis.cli(&["EVAL", copy, "2", &family, &format!("{{portcullis}}:f:{}", real.id.to_hex())]);
    assert!(gateway.sessions.find(&forged).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_gateway_renews_another_reads_anew() {
    let redis = TestRedis::start();
    let [one, other] = Gateway::pair(&redis).await;
    let (key, session) = one.sessions.create(sign_in()).await.unwrap();
    let there = other.sessions.find(&key).await.unwrap().unwrap();
    one.sessions.replace_tokens(&key, &session, tokens("new"), None).await.unwrap();
    eventually("the new tokens", async || {
        other.sessions.find(&key).await.unwrap().unwrap().tokens == tokens("new")
    })
    .await;
    let late = other.sessions.replace_tokens(&key, &there, tokens("late"), None).await.unwrap();
    assert_eq!(late.tokens, tokens("new"), "a late refresh never overwrites a newer one");
}

/// The network between one of them and the store fails; an end in that time is made up for.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_23_an_end_that_was_not_heard_is_made_up_for() {
    let redis = TestRedis::start();
    let (one, network) = (Gateway::start(redis.settings()).await, TestNetwork::to(&[redis.port()]).await);
    let other = Gateway::behind(&network, 300).await;
    let (key, session) = one.sessions.create(sign_in()).await.unwrap();
    let stream = other.stream(&key).await;
    network.cut();
    one.sessions.end(&session.id).await.unwrap();
    assert!(other.sessions.cached(&key).is_some(), "it cannot know yet, and goes on");
    network.heal();
    ended(stream).await;
    assert!(!other.finds(&key).await);
    assert_eq!(other.health.gaps(), 0, "the log had it");
}

/// The peer vanishes without a word: no reset, no answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_vanishes_without_a_word_is_noticed_and_found_again() {
    let redis = TestRedis::start();
    let (one, network) = (Gateway::start(redis.settings()).await, TestNetwork::to(&[redis.port()]).await);
    let other = Gateway::behind(&network, 300).await;
    let (key, session) = one.sessions.create(sign_in()).await.unwrap();
    let stream = other.stream(&key).await;
    network.swallow();
    let begin = Instant::now();
    assert!(other.sessions.find(&SessionKey::random()).await.is_err(), "unknown is not absent");
    assert!(begin.elapsed() < Duration::from_secs(4));
    one.sessions.end(&session.id).await.unwrap();
    network.heal();
    ended(stream).await;
}

/// The log was trimmed beyond what was read, or somebody emptied the store.
#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_say_what_was_missed_everything_is_read_anew() {
    let redis = TestRedis::start();
    let network = TestNetwork::to(&[redis.port()]).await;
    let other = Gateway::behind(&network, 300).await;
    let (gone, _) = other.sessions.create(sign_in()).await.unwrap();
    let (stays, there) = other.sessions.create(sign_in()).await.unwrap();
    let gone_stream = other.sessions.ended(&other.sessions.find(&gone).await.unwrap().unwrap());
    let mut stays_stream = other.sessions.ended(&there);
    let recorder = Recorder::new(0, Clock::system(), 0);
    recorder.want(KindSet::of([Kind::StoreMissed]), false);
    other.sessions.record_to(recorder.clone());
    network.cut();
    // As if a failover had lost the log, and with it the end of one.
    redis.cli(&["DEL", &format!("{{portcullis}}:f:{}", gone.id().to_hex())]);
    redis.cli(&["XTRIM", "{portcullis}:log", "MAXLEN", "0"]);
    network.heal();
    ended(gone_stream).await;
    eventually("the gap", async || other.health.gaps() == 1).await;
    let mut missed = 0;
    recorder.sweep(|block| missed += block.heads().len());
    assert_eq!(missed, 1);
    assert!(!done_now(&mut stays_stream).await, "who is still there stays");
    assert!(other.finds(&stays).await && !other.finds(&gone).await);
    redis.cli(&["FLUSHALL"]);
    ended(stays_stream).await;
    assert!(!other.finds(&stays).await);
}

/// Whoever has marked somebody writes it again after each reconnect: what was answered meanwhile stays answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_is_written_again_asks_for_nothing_twice() {
    let redis = TestRedis::start();
    let network = TestNetwork::to(&[redis.port()]).await;
    let (one, other) = (Gateway::behind(&network, 300).await, Gateway::start(redis.settings()).await);
    let (key, _) = one.sessions.create(sign_in()).await.unwrap();
    let (another, session) = one.sessions.create(sign_in()).await.unwrap();
    assert_eq!(one.sessions.demand(Demand::Renewal, signalled::risk()).await.unwrap(), 2);
    let asked = other.sessions.find(&key).await.unwrap().unwrap();
    assert!(asked.has_stale_claims());
    other.sessions.replace_tokens(&key, &asked, tokens("new"), Some(alice())).await.unwrap();
    assert!(!other.sessions.find(&key).await.unwrap().unwrap().has_stale_claims());
    let stream = other.stream(&key).await;
    let there = one.stream(&another).await;
    network.cut();
    other.sessions.end(&session.id).await.unwrap();
    network.heal();
    // What is heard was read behind what was written again.
    ended(there).await;
    assert!(!other.sessions.read_anew(&key).await.unwrap().unwrap().has_stale_claims());
    assert!(stream.now_or_never().is_none());
}

/// What a master had acknowledged is lost with it: whoever ended it writes it again.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_23_a_failover_that_loses_an_end_brings_nobody_back() {
    let redis = TestRedis::start();
    let network = TestNetwork::to(&[redis.port()]).await;
    let (one, other) = (Gateway::behind(&network, 300).await, Gateway::behind(&network, 300).await);
    let (key, session) = one.sessions.create(sign_in()).await.unwrap();
    let (stays, _) = one.sessions.create(sign_in()).await.unwrap();
    assert!(other.finds(&key).await);
    let behind = TestRedis::copy_of(&redis);
    one.sessions.end(&session.id).await.unwrap();
    let subject = Selector::Subject(Issuer::new("https://id.corp.example"), "somebody".into());
    one.sessions.end_matching(subject, SessionEnd::Administrator).await.unwrap();
    eventually("the end", async || !other.finds(&key).await).await;
    network.move_to(&[behind.port()]);
    let there = format!("{{portcullis}}:f:{}", key.id().to_hex());
    eventually("the end at the new master", async || behind.cli(&["EXISTS", &there]) == "0").await;
    eventually("what was remembered", async || behind.cli(&["ZCARD", "{portcullis}:ends"]) != "0").await;
    eventually("readers", async || other.health.gaps() == 1 && one.health.gaps() == 1).await;
    assert!(!other.finds(&key).await && other.finds(&stays).await);
    assert!(
        !one.finds(&key).await && one.finds(&stays).await,
        "whoever ended it had it no more, and reads it anew"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_10_sessions_go_on_from_memory_for_as_long_as_is_configured_and_come_back_by_themselves() {
    let mut redis = TestRedis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let settings = RedisSettings { stale: Duration::from_secs(3), ..redis.settings() };
    let gateway = Gateway::start(settings).await;
    let (key, session) = gateway.sessions.create(sign_in()).await.unwrap();
    let stream = gateway.sessions.ended(&session);
    let recalled = gateway.sessions.recalled(&key).unwrap();
    redis.kill();
    assert!(gateway.sessions.create(sign_in()).await.is_err(), "nobody signs in");
    assert!(gateway.sessions.recall(&recalled).is_some() && gateway.finds(&key).await, "who is in goes on");
    assert_eq!(ended(stream).await, SessionEnd::Unconfirmed);
    assert!(gateway.sessions.cached(&key).is_none() && gateway.sessions.recall(&recalled).is_none());
    assert!(gateway.sessions.find(&key).await.is_err(), "unknown is not absent");
    assert!(gateway.health.left().is_zero());
    redis.restart();
    eventually("the session", async || gateway.sessions.find(&key).await.is_ok_and(|found| found.is_some()))
        .await;
    assert!(gateway.health.left() > Duration::ZERO);
    assert!(gateway.sessions.create(sign_in()).await.is_ok());
}

/// The store answers, and what it says may be over elsewhere.
#[tokio::test]
async fn invariant_10_while_ends_are_not_heard_the_store_is_not_believed() {
    let world = World::new();
    let (key, session) = world.sessions.create(sign_in()).await.unwrap();
    let mut stream = world.sessions.ended(&session);
    world.sessions.unconfirm();
    assert!(done_now(&mut stream).await && world.sessions.find(&key).await.is_err());
    assert!(world.sessions.create(sign_in()).await.is_err());
    world.sessions.confirm();
    assert!(world.finds(&key).await, "nothing of it has ended");
}

/// An end while the store is away is kept and told as soon as it is back.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_23_an_end_that_the_store_cannot_take_is_told_later() {
    let mut redis = TestRedis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let [one, other] = Gateway::pair(&redis).await;
    let (key, session) = one.sessions.create(sign_in()).await.unwrap();
    let stream = other.stream(&key).await;
    redis.kill();
    one.sessions.end(&session.id).await.unwrap();
    assert!(one.sessions.cached(&key).is_none() && one.sessions.find(&key).await.is_err(), "here it is over");
    assert_eq!(one.sessions.endings_waiting(), 1);
    redis.restart();
    eventually("the store to take it", async || {
        drop(one.sessions.flush().await);
        one.sessions.endings_waiting() == 0
    })
    .await;
    ended(stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_23_a_failover_is_followed_to_the_new_master() {
    let (mut master, sentinel, _replica) = {
        let master = TestRedis::start();
        let replica = TestRedis::replica_of(&master);
        let sentinel = TestRedis::sentinel(&master);
        (master, sentinel, replica)
    };
    let servers = sentinels(&[RedisAddress { host: "127.0.0.1".into(), port: 1 }, sentinel.address()]);
    let one = Gateway::start(settings(servers.clone())).await;
    let other = Gateway::start(settings(servers)).await;
    let (key, session) = one.sessions.create(sign_in()).await.unwrap();
    let stream = other.stream(&key).await;
    // The Sentinel learns of the replica from the master, every few seconds.
    eventually("the Sentinel to know the replica", async || {
        sentinel.cli(&["SENTINEL", "REPLICAS", "mymaster"]).contains("slave")
    })
    .await;
    eventually("a failover", async || sentinel.cli(&["SENTINEL", "FAILOVER", "mymaster"]).contains("OK"))
        .await;
    // The old master is a replica now, which refuses to be written to (READONLY).
    eventually("the old master to be a replica", async || master.cli(&["ROLE"]).starts_with("slave")).await;
    eventually("a sign-in at the new master", async || one.sessions.create(sign_in()).await.is_ok()).await;
    one.sessions.end(&session.id).await.unwrap();
    ended(stream).await;
    assert!(!other.finds(&key).await);
    master.kill();
    assert!(one.sessions.create(sign_in()).await.is_ok(), "nobody needs the old one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_one_store_whichever_node_is_asked_first() {
    let nodes = TestRedis::cluster();
    let seed = |n: usize| settings(RedisServers::Cluster(vec![nodes[n].address()]));
    let (one, other) = (Gateway::start(seed(0)).await, Gateway::start(seed(1)).await);
    let (key, session) = one.sessions.create(sign_in()).await.unwrap();
    let stream = other.stream(&key).await;
    one.sessions.end(&session.id).await.unwrap();
    ended(stream).await;
    let third = RedisSettings { namespace: "elsewhere".into(), ..seed(2) };
    assert!(!Gateway::start(third).await.finds(&key).await, "another namespace is another store");
}

/// The suite of every engine, where keys lie on three nodes.
#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_a_cluster_keeps_its_promises() {
    let nodes = TestRedis::cluster();
    let settings = settings(RedisServers::Cluster(vec![nodes[2].address()]));
    let number = std::cell::Cell::new(0);
    let fresh = || {
        number.set(number.get() + 1);
        stores::redis_store(RedisSettings { namespace: format!("n{}", number.get()), ..settings.clone() })
    };
    stores::every_engine(fresh).await;
}
