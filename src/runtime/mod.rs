//! The process: sockets, worker threads, signals, reload, take-over and drain.

mod admin_socket;
mod assertion_keys;
mod checkpoints;
mod console;
mod control;
mod files;
mod in_force;
mod lifecycle;
mod observe;
mod open_files;
mod program;
mod recipients;
mod reload;
mod replace;
mod serve;
mod session_engine;
mod signals;
mod sockets;
pub mod systemd;
mod unix_socket;
mod verifying;
mod workers;

use std::time::Duration;

pub use admin_socket::AdminSocketError;
pub use assertion_keys::AssertionKeysError;
pub use checkpoints::CheckpointsError;
pub use control::TakeOverError;
pub use files::{Ticker, watch};
pub use in_force::InForce;
pub use open_files::raise_open_files;
pub use program::{Start, StartError, run};
pub use reload::Reload;
pub use serve::{AfterEvent, ApplyError, Draining, Runtime, serve};
pub use signals::signals;
pub use sockets::Sockets;
pub use unix_socket::UnixSocketError;
pub use workers::Workers;

/// What happens to the process from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// SIGHUP, or a watched file has changed: read the configuration again.
    Reload,
    /// The first SIGTERM or SIGINT: accept no more and let requests end.
    Drain,
    /// SIGUSR2: start the program anew, which takes over from this process.
    Replace,
    /// Another process wants to take over.
    TakeOver,
    /// The second SIGTERM or SIGINT: end at once.
    Stop,
}

/// How often watched files are looked at.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
