//! Counterparts: the gateway as a process, apps behind it, providers beside it, a browser before it.

mod app;
mod browser;
mod demo;
pub(crate) mod device;
mod gateway;
mod impostor;
mod provider;
mod streams;
mod transmitter;
mod world;

pub(crate) use app::App;
pub(crate) use browser::{Answer, Browser};
pub(crate) use demo::Demo;
pub(crate) use device::Device;
pub(crate) use gateway::{Gateway, Process, program};
pub(crate) use impostor::{Discovery, Impostor};
pub(crate) use provider::{CLIENT_SECRET, Provider};
pub(crate) use streams::{begun, ends, events, floods, silent, sockets};
pub(crate) use transmitter::{Transmitter, caep};
pub(crate) use world::{World, between, onward, told};

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long anything that ought to happen may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A port that nobody listens on, given out once. It lies below those that the system gives to outgoing
/// connections, of which one could else take it before the program under test does.
pub(crate) fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 400).unwrap() * 50;
    loop {
        let port = 10_000 + (start + TAKEN.fetch_add(1, Ordering::Relaxed)) % 20_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Asks again and again until `ready` says yes; fails with `what` when patience is at its end.
pub(crate) fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !ready() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Waits for what the gateway must say; the line with `mark` in it.
pub(crate) fn logged(gateway: &Gateway, mark: &str) -> String {
    let find = || gateway.log().lines().find(|line| line.contains(mark)).map(str::to_owned);
    until(&format!("a line with {mark} in the log"), || find().is_some());
    find().unwrap()
}

/// The line of a request in the log, once its answer has ended.
pub(crate) fn answered(gateway: &Gateway, id: &str) -> String {
    let ended = |line: &str| {
        ["granted", "refused"].iter().any(|how| line.contains(&format!("\"type\":\"access.{how}\"")))
    };
    let is_its = |line: &&str| line.contains(id) && ended(line);
    let find = || gateway.log().lines().find(is_its).map(str::to_owned);
    until(&format!("the line of {id} in the log"), || find().is_some());
    find().unwrap()
}

/// The first event of this kind in the log.
pub(crate) fn event(gateway: &Gateway, kind: &str) -> serde_json::Value {
    serde_json::from_str(&logged(gateway, &format!("\"type\":\"{kind}\""))).unwrap()
}

/// The same for what must be awaited.
pub(crate) async fn until_async<F: Future<Output = bool>>(what: &str, mut ready: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !ready().await {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
