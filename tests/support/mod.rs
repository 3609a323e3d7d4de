//! Counterparts: the gateway as a process, apps behind it, providers beside it, a browser before it.

mod app;
mod browser;
mod demo;
mod gateway;
mod provider;

pub(crate) use app::App;
pub(crate) use browser::{Answer, Browser};
pub(crate) use demo::Demo;
pub(crate) use gateway::Gateway;
pub(crate) use provider::Provider;

use std::net::TcpListener;
use std::time::{Duration, Instant};

/// How long anything that ought to happen may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks again and again until `ready` says yes; fails with `what` when patience is at its end.
pub(crate) fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !ready() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// The same for what must be awaited.
pub(crate) async fn until_async<F: Future<Output = bool>>(what: &str, mut ready: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !ready().await {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
