//! A PostgreSQL of a test's own: Debian's server with an empty cluster, on a free port of loopback. It ends with the process
//! that has started it, however that ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it fails as tests do")]

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use super::{PostgresHost, PostgresServer};
use crate::secret::Secret;

/// How long a server may take to begin or to end, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a server until nothing can come from standard input any more. `$1` is the folder that goes then, or nothing.
const KEEPER: &str = "folder=$1; shift; \"$@\" & server=$!; read -r _; kill -QUIT $server; wait $server; \
                      [ -z \"$folder\" ] || rm -rf \"$folder\"";

/// The role that all belongs to.
pub const OWNER: &str = "owner";
/// Its password.
pub const PASSWORD: &str = "a password of the owner's";

/// A server that ends with the test.
#[derive(Debug)]
pub struct TestPostgres {
    folder: PathBuf,
    port: u16,
    keeper: Option<Child>,
    /// Whether the keeper removes the folder.
    is_shared: bool,
    arguments: Vec<String>,
}

impl TestPostgres {
    /// The server that all tests of this process share which do nothing to it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<TestPostgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::cluster(true, &[]))
    }

    /// A server of one's own.
    #[must_use]
    pub fn start() -> Self {
        Self::cluster(false, &[])
    }

    /// One that speaks TLS, with this certificate and key (PEM), and takes nobody without.
    #[must_use]
    pub fn with_tls(certificate: &str, key: &str) -> Self {
        Self::cluster(false, &[("cert.pem", certificate), ("key.pem", key)])
    }

    fn cluster(is_shared: bool, pair: &[(&str, &str)]) -> Self {
        let folder = folder();
        initialize(&folder);
        let mut arguments = Vec::new();
        for (name, pem) in pair {
            write_private(&folder.join(name), pem);
            let key = if *name == "key.pem" { "ssl_key_file" } else { "ssl_cert_file" };
            arguments.extend(["-c".to_owned(), format!("{key}={}", folder.join(name).display())]);
        }
        if !pair.is_empty() {
            arguments.extend(["-c".to_owned(), "ssl=on".to_owned()]);
            write_private(
                &folder.join("data/pg_hba.conf"),
                "local all all trust\nhostssl all all all scram-sha-256\n",
            );
        }
        // Another process may take a port that was free a moment ago.
        for _ in 0..20 {
            let mut server =
                Self { folder: folder.clone(), port: free_port(), keeper: None, is_shared, arguments };
            if server.begin() {
                return server;
            }
            server.stop();
            arguments = std::mem::take(&mut server.arguments);
            std::mem::forget(server);
        }
        panic!("PostgreSQL does not start: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
    }

    fn begin(&mut self) -> bool {
        let mut command = as_user(Path::new("/bin/sh"));
        let log = fs::File::create(self.folder.join("log")).unwrap();
        command.args(["-c", KEEPER, "keeper"]).arg(if self.is_shared {
            &*self.folder
        } else {
            Path::new("")
        });
        command.arg(program("postgres")).arg("-D").arg(self.folder.join("data")).arg("-k").arg(&self.folder);
        command.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        command.args(["-c", "max_connections=60", "-c", "shared_buffers=16MB"]).args(&self.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        self.keeper = Some(command.spawn().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            if log.contains("ready to accept connections") {
                return TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
            }
            if log.lines().any(|line| line.contains("FATAL:  could not")) {
                return false;
            }
            park_timeout(Duration::from_millis(10));
        }
        false
    }

    /// Ends it as a crash does: nothing is written any more, and the next start recovers.
    pub fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            keeper.wait().unwrap();
        }
    }

    /// The same server again, with what it has.
    pub fn restart(&mut self) {
        self.stop();
        assert!(self.begin(), "{}", fs::read_to_string(self.folder.join("log")).unwrap());
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A new database.
    #[must_use]
    pub fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("events{}", NUMBER.fetch_add(1, Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"));
        name
    }

    /// How a database of it is reached, as its owner, in clear text.
    #[must_use]
    pub fn server(&self, database: &str) -> PostgresServer {
        PostgresServer {
            hosts: vec![PostgresHost::Tcp("127.0.0.1".to_owned(), self.port)],
            user: OWNER.to_owned(),
            password: Some(Secret::new(PASSWORD)),
            database: database.to_owned(),
            tls: None,
        }
    }

    /// The same as a URL.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!("postgres://{OWNER}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// What `psql` prints for a statement: columns with `|` between, lines for rows.
    ///
    /// # Panics
    /// Where it fails.
    #[must_use]
    pub fn query(&self, database: &str, statement: &str) -> String {
        self.try_query(database, statement).unwrap_or_else(|told| panic!("{statement}: {told}"))
    }

    /// The same, or what it says of why it fails.
    ///
    /// # Errors
    /// Where it fails.
    pub fn try_query(&self, database: &str, statement: &str) -> Result<String, String> {
        let mut psql = Command::new("psql");
        psql.args([
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            OWNER,
            "-d",
            database,
            "-p",
            &self.port.to_string(),
            "-h",
        ]);
        psql.arg(&self.folder).arg("-f").arg("-").env("PGPASSWORD", PASSWORD).env("PGTZ", "UTC");
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = psql.spawn().expect("psql of Debian's package postgresql");
        child.stdin.take().unwrap().write_all(statement.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Does what a statement says.
    pub fn sql(&self, database: &str, statement: &str) {
        let _ = self.query(database, statement);
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn initialize(folder: &Path) {
    let password = folder.join("password");
    write_private(&password, PASSWORD);
    let mut command = as_user(&program("initdb"));
    command.arg("-D").arg(folder.join("data")).arg("--pwfile").arg(&password);
    command.args(["-U", OWNER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
    let output = command.stdout(Stdio::null()).output().expect("initdb of Debian's package postgresql");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Debian has them in a folder for each version.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("Debian's package postgresql");
    let mut found: Vec<_> = versions.flatten().map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().expect("Debian's package postgresql")
}

/// A program that runs as somebody who may not do everything: the server refuses to run as root.
fn as_user(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env_remove("PGPASSWORD").env("LC_ALL", "C.UTF-8");
    if let Some((uid, gid)) = unprivileged() {
        command.uid(uid).gid(gid);
    }
    command
}

/// Who that is; none where this process is nobody special.
fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let fields = users
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .expect("the user that Debian's package makes");
    let number = |at: usize| fields.split(':').nth(at).unwrap().parse().unwrap();
    Some((number(2), number(3)))
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    give_away(path);
}

fn give_away(path: &Path) {
    if let Some((uid, gid)) = unprivileged() {
        chown(path, Some(uid), Some(gid)).unwrap();
    }
}

fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("portcullis-postgres-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).unwrap();
    give_away(&folder);
    folder
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
