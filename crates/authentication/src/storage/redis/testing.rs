//! A Redis of a test's own: processes with empty folders, on free ports of loopback, and a network that fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it fails as tests do")]

mod network;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub use network::TestNetwork;

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
        Self::with(&[])
    }

    /// An empty server with these further arguments.
    #[must_use]
    pub fn with(arguments: &[&str]) -> Self {
        Self::on(folder(), arguments)
    }

    /// A server that begins with what another one has now.
    #[must_use]
    pub fn copy_of(other: &Self) -> Self {
        other.cli(&["SAVE"]);
        let folder = folder();
        std::fs::copy(other.folder.join("dump.rdb"), folder.join("dump.rdb")).unwrap();
        Self::on(folder, &[])
    }

    /// Three servers that are a Cluster, without replicas.
    #[must_use]
    pub fn cluster() -> [Self; 3] {
        // On a busy machine a port of a bus may be taken meanwhile, and `redis-cli` gives up.
        let mut told = String::new();
        for _ in 0..5 {
            match Self::try_cluster() {
                Ok(nodes) => return nodes,
                Err(why) => told = why,
            }
        }
        panic!("{told}");
    }

    fn try_cluster() -> Result<[Self; 3], String> {
        let node = |_| Self::with(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]);
        let nodes: [Self; 3] = std::array::from_fn(node);
        let addresses = nodes.each_ref().map(|node| format!("127.0.0.1:{}", node.port));
        let create = Command::new("redis-cli")
            .args(["--cluster", "create", &addresses[0], &addresses[1], &addresses[2], "--cluster-yes"])
            .output()
            .unwrap();
        if !create.status.success() {
            let [out, err] =
                [create.stdout, create.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
            return Err(out + &err);
        }
        for node in &nodes {
            until(|| node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
        }
        Ok(nodes)
    }

    /// A Sentinel that watches `master` under the name `mymaster`, and is quick to fail over.
    #[must_use]
    pub fn sentinel(master: &Self) -> Self {
        let folder = folder();
        let lines = format!(
            "sentinel monitor mymaster 127.0.0.1 {} 1\nsentinel down-after-milliseconds mymaster 500\n\
             sentinel failover-timeout mymaster 2000\n",
            master.port
        );
        std::fs::write(folder.join("sentinel.conf"), lines).unwrap();
        Self::on(folder, &["--sentinel"])
    }

    /// A replica of `master` that has caught up.
    #[must_use]
    pub fn replica_of(master: &Self) -> Self {
        let replica = Self::with(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
        until(|| replica.cli(&["INFO", "replication"]).contains("master_link_status:up"));
        replica
    }

    fn on(folder: PathBuf, arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        // Another process may take a port that was free a moment ago.
        for _ in 0..20 {
            let port = free_port();
            let mut process = spawn(&folder, port, &arguments);
            if answers(port, &mut process) {
                return Self { process, folder, port, arguments };
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        panic!("no redis-server could be started; is Debian's package redis-server installed?");
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> RedisAddress {
        RedisAddress { host: "127.0.0.1".into(), port: self.port }
    }

    /// Settings that reach it in clear text, as the default user.
    #[must_use]
    pub fn settings(&self) -> RedisSettings {
        settings(RedisServers::Single(self.address()))
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

/// Settings for these servers, in clear text, as the default user.
#[must_use]
pub fn settings(servers: RedisServers) -> RedisSettings {
    RedisSettings {
        servers,
        transport: Transport::Clear,
        username: None,
        password: None,
        database: 0,
        namespace: "portcullis".into(),
        stale: Duration::from_secs(300),
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Below the ports that the system gives to outgoing connections, and with room above for that of a Cluster's bus.
fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 2000).unwrap();
    loop {
        let port = 20_000 + (start * 5 + TAKEN.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
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
    let mut command = Command::new("redis-server");
    if folder.join("sentinel.conf").exists() {
        command.arg(folder.join("sentinel.conf"));
    } else {
        command.args(["--save", ""]);
    }
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
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
            return !is_anothers(port, process.id());
        }
        sleep(Duration::from_millis(5));
    }
    false
}

/// Whether another server has taken the port meanwhile, as far as it says so.
fn is_anothers(port: u16, process: u32) -> bool {
    let output =
        Command::new("redis-cli").args(["-p", &port.to_string(), "INFO", "server"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    told.contains("process_id:") && !told.contains(&format!("process_id:{process}\r"))
}

fn until(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for a server of the test's");
        sleep(Duration::from_millis(20));
    }
}
