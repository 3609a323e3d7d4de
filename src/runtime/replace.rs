//! Starting the program anew beside this process, which the new one then takes over from (SIGUSR2).

use std::io;
use std::process::{Child, Command};

/// Variables in which systemd speaks to this very process: the new one must not take them for its own.
const OURS: [&str; 4] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"];

const TAKE_OVER: &str = "--take-over";

/// Starts the program as this one was started, by its name: a file that was replaced meanwhile counts. The new
/// process belongs to the same unit, and writes its log to the same place.
pub(super) fn start() {
    match spawn().and_then(wait_for) {
        Ok(()) => {}
        Err(error) => tracing::error!(%error, "the program could not be started anew; this process goes on"),
    }
}

fn spawn() -> io::Result<Child> {
    let mut arguments = std::env::args_os();
    let program = arguments.next().ok_or_else(|| io::Error::other("the program's name is not known"))?;
    let mut command = Command::new(program);
    command.args(arguments.filter(|argument| argument != TAKE_OVER)).arg(TAKE_OVER);
    for name in OURS {
        command.env_remove(name);
    }
    command.spawn()
}

/// Waits for it on a thread of its own, to log how it ends where it does so before this process.
fn wait_for(mut child: Child) -> io::Result<()> {
    tracing::info!(process = child.id(), "a new process was started to take over");
    let wait = move || match child.wait() {
        Ok(status) if status.success() => {}
        ended => tracing::error!(?ended, "the new process has ended"),
    };
    std::thread::Builder::new().name("replacement".into()).spawn(wait).map(drop)
}
