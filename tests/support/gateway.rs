//! The gateway as its users run it: the program, a configuration file, a state file, a log.

use std::fs::{self, File, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use super::{free_port, until};

/// A running gateway; killed when dropped.
pub(crate) struct Gateway {
    pub(crate) port: u16,
    pub(crate) admin: u16,
    pub(crate) directory: TempDir,
    child: Child,
}

impl Gateway {
    /// Starts it on a free port of 127.0.0.1 with `rest` behind `[server]`, `[admin]` and `[log]`.
    /// `{port}` in `rest` stands for the gateway's port.
    pub(crate) fn start(rest: &str) -> Self {
        Self::with_server("", rest)
    }

    /// The same with further lines in `[server]`.
    pub(crate) fn with_server(server: &str, rest: &str) -> Self {
        Self::on(free_port(), server, rest)
    }

    /// The same on a port chosen before, for a provider that must know it.
    pub(crate) fn on(port: u16, server: &str, rest: &str) -> Self {
        Self::at(port, &format!("http://127.0.0.1:{port}"), server, rest)
    }

    /// The same for people who sign in at `public_url`.
    pub(crate) fn at(port: u16, public_url: &str, server: &str, rest: &str) -> Self {
        Self::launch(port, public_url, server, rest, &[])
    }

    /// The same as [`Gateway::on`] with further files beside the configuration, by name.
    pub(crate) fn with_files(port: u16, rest: &str, files: &[(&str, &str)]) -> Self {
        Self::launch(port, &format!("http://127.0.0.1:{port}"), "", rest, files)
    }

    /// One of several that people reach at `public_url`, with further files beside the configuration.
    pub(crate) fn beside(port: u16, public_url: &str, rest: &str, files: &[(&str, &str)]) -> Self {
        Self::launch(port, public_url, "", rest, files)
    }

    /// The same for people who sign in at `public_url` over TLS, with `tls.crt` and `tls.key` among `files`.
    pub(crate) fn over_tls(port: u16, public_url: &str, rest: &str, files: &[(&str, &str)]) -> Self {
        Self::launch(port, public_url, "tls = { cert = \"tls.crt\", key = \"tls.key\" }", rest, files)
    }

    /// The same as [`Gateway::on`] with its state file at `state`.
    pub(crate) fn with_state(port: u16, state: &Path, rest: &str) -> Self {
        let state = format!("state = \"{}\"", state.display());
        Self::launch(port, &format!("http://127.0.0.1:{port}"), &state, rest, &[])
    }

    fn launch(port: u16, public_url: &str, server: &str, rest: &str, files: &[(&str, &str)]) -> Self {
        let server =
            if server.contains("state =") { server } else { &format!("state = \"state.db\"\n{server}") };
        let admin = free_port();
        let directory = TempDir::new().unwrap();
        let listen = if server.contains("listen =") { "" } else { "listen = \"127.0.0.1:{port}\"\n" };
        let text = format!(
            "[server]\n{listen}public_url = \"{public_url}\"\n\
             workers = 2\n{server}\n\n[admin]\nlisten = \"127.0.0.1:{admin}\"\nsocket = \"admin.sock\"\n\n\
             [log]\nformat = \"json\"\n\n{rest}\n"
        );
        fs::write(directory.path().join("portcullis.toml"), text.replace("{port}", &port.to_string()))
            .unwrap();
        for (name, text) in files {
            let file = directory.path().join(name);
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        }
        let child = spawn(&directory);
        let mut gateway = Self { port, admin, directory, child };
        gateway.wait_until_listening();
        gateway
    }

    fn wait_until_listening(&mut self) {
        until("the gateway to listen", || {
            let exited = self.child.try_wait().unwrap();
            assert!(exited.is_none(), "the gateway did not start:\n{}", self.log());
            let configuration = fs::read_to_string(self.configuration()).unwrap();
            let socket = self.directory.path().join("admin.sock");
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
                && (!configuration.contains("admin.sock") || UnixStream::connect(socket).is_ok())
        });
    }

    /// Stops it as the system would (SIGTERM), and starts it again with the same files.
    pub(crate) fn restart(&mut self) {
        self.signal("TERM");
        self.child.wait().unwrap();
        self.start_again();
    }

    /// The same, with its standard output somewhere else.
    pub(crate) fn restart_with_stdout(&mut self, stdout: impl Into<Stdio>) {
        self.signal("TERM");
        self.child.wait().unwrap();
        self.child = command(&self.directory).stdout(stdout).spawn().unwrap();
        self.wait_until_listening();
    }

    /// Ends it as a power loss would (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again with the same files, after it has ended.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&self.directory);
        self.wait_until_listening();
    }

    /// Starts the program once more with the same files, to take over; it is this gateway from now on, and the
    /// process from before is returned.
    pub(crate) fn take_over(&mut self) -> Process {
        let mut command = command(&self.directory);
        command.arg("--take-over");
        Process(std::mem::replace(&mut self.child, command.spawn().unwrap()))
    }

    /// Writes `to` for `from` in the configuration, and waits until that is in force.
    pub(crate) fn rewrite(&self, from: &str, to: &str) {
        let reloads = || self.log().matches("\"type\":\"configuration.changed\"").count();
        let (before, text) = (reloads(), fs::read_to_string(self.configuration()).unwrap());
        assert!(text.contains(from), "no {from} in {text}");
        fs::write(self.configuration(), text.replace(from, to)).unwrap();
        self.signal("HUP");
        until("the reload", || reloads() > before);
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for its end; its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// The address of `path` on the public listener.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The address of `path` on the admin listener.
    pub(crate) fn admin_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.admin)
    }

    /// The configuration file.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.directory.path().join("portcullis.toml")
    }

    /// All it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

/// Runs the program to its end in `directory`, with the secrets that configurations name.
pub(crate) fn program(directory: &Path, arguments: &[&str]) -> Output {
    let secret = super::provider::CLIENT_SECRET;
    let names = ["CLIENT_SECRET", "CORP_CLIENT_SECRET", "PARTNER_CLIENT_SECRET"];
    Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .current_dir(directory)
        .envs(names.map(|name| (name, secret)))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn spawn(directory: &TempDir) -> Child {
    command(directory).spawn().unwrap()
}

fn command(directory: &TempDir) -> Command {
    let log = File::options().create(true).append(true).open(directory.path().join("log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .args(["run", "--config", "portcullis.toml"])
        .current_dir(directory.path())
        .env("CLIENT_SECRET", super::provider::CLIENT_SECRET)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    command
}

/// A process of the gateway's from which another has taken over; killed when dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Whether it has ended, and with which code.
    pub(crate) fn ended(&mut self) -> Option<Option<i32>> {
        self.0.try_wait().unwrap().map(|status| status.code())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
