//! What is said to and heard from systemd; nothing of it where the process was started otherwise.
//!
//! `sd_notify(3)`, `sd_listen_fds(3)`; for `Type=notify-reload` units.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// TCP sockets that systemd opened for us (`LISTEN_FDS`), in the order of the unit's `ListenStream=`.
///
/// # Errors
/// Where one of them is no listening TCP socket.
pub fn inherited() -> io::Result<Vec<TcpListener>> {
    let mut passed = ListenFd::from_env();
    let sockets = (0..passed.len()).filter_map(|index| passed.take_tcp_listener(index).transpose());
    let sockets = sockets.collect::<io::Result<Vec<_>>>()?;
    sockets.iter().try_for_each(|socket| socket.set_nonblocking(true))?;
    Ok(sockets)
}

/// `READY=1`: the gateway answers; also ends a reload.
pub fn ready() {
    say(&[NotifyState::Ready]);
}

/// `RELOADING=1`: a reload has begun. The present time goes with it (`MONOTONIC_USEC=`), as
/// `Type=notify-reload` wants.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => say(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "systemd is not told of the reload: no monotonic time"),
    }
}

/// `STOPPING=1`: the drain has begun.
pub fn stopping() {
    say(&[NotifyState::Stopping]);
}

/// The service is another process from now on (`MAINPID=`). Said by the one that was it: systemd believes no
/// other (`NotifyAccess=main`).
pub fn handed_over_to(process: u32) {
    say(&[NotifyState::MainPid(process)]);
}

/// Half of the watchdog's interval where the unit has one (`WatchdogSec=`).
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|interval| !interval.is_zero())
}

/// Tells the watchdog that we are alive for as long as this future is polled.
pub async fn feed_watchdog() {
    let Some(interval) = watchdog_interval() else { return std::future::pending().await };
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
        say(&[NotifyState::Watchdog]);
    }
}

fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, ?states, "systemd could not be told");
    }
}
