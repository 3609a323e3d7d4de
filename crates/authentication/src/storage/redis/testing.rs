//! A Redis of a test's own: a process with an empty folder, on a free port of loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it fails as tests do")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{RedisAddress, RedisServers, RedisSettings, Transport};

/// A server that ends with the test.
#[derive(Debug)]
pub struct TestRedis {
    process: Child,
    folder: PathBuf,
    port: u16,
    arguments: Vec<String>,
}

impl TestRedis {
    /// An empty server that keeps nothing on disk.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&["--appendonly", "no"])
    }

    /// An empty server with these further arguments.
    #[must_use]
    pub fn with(arguments: &[&str]) -> Self {
        let folder = folder();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        // Another process may take a port that was free a moment ago.
        for _ in 0..20 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
            let mut process = spawn(&folder, port, &arguments);
            if answers(port, &mut process) {
                return Self { process, folder, port, arguments };
            }
        }
        panic!("no redis-server could be started; is Debian's package redis-server installed?");
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Settings that reach it in clear text, as the default user.
    #[must_use]
    pub fn settings(&self) -> RedisSettings {
        RedisSettings {
            servers: RedisServers::Single(RedisAddress { host: "127.0.0.1".into(), port: self.port }),
            transport: Transport::Clear,
            username: None,
            password: None,
            database: 0,
            namespace: "portcullis".into(),
            stale: Duration::from_secs(300),
        }
    }

    /// What `redis-cli` prints for a command.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli").args(["-p", &port]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The same server again, with what it has on disk.
    pub fn restart(&mut self) {
        self.process = spawn(&self.folder, self.port, &self.arguments);
        assert!(answers(self.port, &mut self.process));
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("portcullis-redis-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn spawn(folder: &Path, port: u16, arguments: &[String]) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(folder)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server runs; it is in Debian's package redis-server")
}

fn answers(port: u16, process: &mut Child) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if process.try_wait().unwrap().is_some() {
            return false;
        }
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return true;
        }
        sleep(Duration::from_millis(5));
    }
    false
}
