//! The gateway as a process whose every line of configuration the test writes.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::wire::{Conn, Message, get};
use crate::support::{free_port, until};

/// A running gateway; killed when dropped.
pub(crate) struct Gateway {
    pub(crate) port: u16,
    pub(crate) admin: u16,
    pub(crate) directory: TempDir,
    child: Child,
}

impl Gateway {
    /// One plain listener, and `routes`.
    pub(crate) fn start(routes: &str) -> Self {
        Self::with("", routes)
    }

    /// One plain listener, further lines of `[server]`, and `routes`.
    pub(crate) fn with(server: &str, routes: &str) -> Self {
        let server = format!("listen = \"127.0.0.1:{{port}}\"\n{server}");
        Self::launch(TempDir::new().unwrap(), &server, routes, |_, _| {})
    }

    /// Everything: `{port}` and `{admin}` in the texts stand for free ports; `prepare` sees the command.
    pub(crate) fn launch(
        directory: TempDir,
        server: &str,
        routes: &str,
        prepare: impl FnOnce(&mut Command, u16),
    ) -> Self {
        let (port, admin) = (free_port(), free_port());
        write(&directory, port, admin, server, routes);
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(["run", "--config", "portcullis.toml"]);
        command.stdin(Stdio::null());
        prepare(&mut command, port);
        let child = spawn(command, &directory);
        let mut gateway = Self { port, admin, directory, child };
        gateway.wait_until_listening();
        gateway
    }

    fn wait_until_listening(&mut self) {
        until("the gateway to listen", || {
            let exited = self.child.try_wait().unwrap();
            assert!(exited.is_none(), "the gateway did not start:\n{}", self.log());
            [self.port, self.admin].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
    }

    /// Writes the configuration anew.
    pub(crate) fn rewrite(&self, server: &str, routes: &str) {
        let server = format!("listen = \"127.0.0.1:{{port}}\"\n{server}");
        write(&self.directory, self.port, self.admin, &server, routes);
    }

    /// Writes the configuration anew and waits until it is in force.
    pub(crate) fn reload(&self, server: &str, routes: &str) {
        let before = self.metric(RELOADED);
        self.rewrite(server, routes);
        self.signal("HUP");
        until("the reload", || self.metric(RELOADED) > before);
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for its end; its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// A connection to the public listener.
    pub(crate) fn connect(&self) -> Conn {
        Conn::to(self.port)
    }

    /// `GET` of a path on the public listener.
    pub(crate) fn get(&self, path: &str) -> Message {
        get(self.port, path, &[])
    }

    /// What the public listener answers to these bytes.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) -> Message {
        let mut conn = self.connect();
        conn.say(bytes);
        conn.response()
    }

    /// The text of `/metrics`.
    pub(crate) fn metrics(&self) -> String {
        get(self.admin, "/metrics", &[]).text()
    }

    /// One value of `/metrics`, by its name and labels as they are written there; 0 where it is not.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.metrics();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// The log's lines for the requests of a path that have ended.
    pub(crate) fn lines_for(&self, path: &str) -> Vec<Value> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let ended = |line: &Value| line["type"] == "access.granted" || line["type"] == "access.refused";
        lines.filter(|line| line["path"] == path && ended(line)).collect()
    }

    /// Waits for the line of a request of a path, and thus for its end.
    pub(crate) fn line_for(&self, path: &str) -> Value {
        let mut lines = Vec::new();
        until("the access line", || {
            lines = self.lines_for(path);
            !lines.is_empty()
        });
        lines.swap_remove(0)
    }

    /// Its largest resident memory so far, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// The name under which good reloads are counted.
pub(crate) const RELOADED: &str = "portcullis_reloads_total{result=\"ok\"}";

/// The name under which bad ones are.
pub(crate) const REFUSED: &str = "portcullis_reloads_total{result=\"refused\"}";

fn spawn(mut command: Command, directory: &TempDir) -> Child {
    let log = File::options().create(true).append(true).open(directory.path().join("log")).unwrap();
    command.current_dir(directory.path()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap()
}

fn write(directory: &TempDir, port: u16, admin: u16, server: &str, routes: &str) {
    let text = format!(
        "[server]\nstate = \"memory\"\nworkers = 2\n{server}\n\n[admin]\nlisten = \"127.0.0.1:{{admin}}\"\nhosts = \"app.example\"\n\n\
         [log]\nformat = \"json\"\n\n{routes}\n"
    );
    let text = text.replace("{port}", &port.to_string()).replace("{admin}", &admin.to_string());
    // In one step, as editors do: the gateway watches the file.
    let next = directory.path().join("next.toml");
    fs::write(&next, text).unwrap();
    fs::rename(next, directory.path().join("portcullis.toml")).unwrap();
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            // Not a panic: this is the log of a test that has failed already.
            let _ = std::io::stderr().write_all(self.log().as_bytes());
        }
    }
}
