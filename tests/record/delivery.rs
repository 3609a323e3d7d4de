//! Sinks whose far end may be away, with the real program: nothing is lost over outages, restarts and kills, and a sink that
//! hangs harms nobody.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{ROUTES, about, lines, of};
use crate::full_disk::Disk;
use crate::support::{Browser, Gateway, World, free_port, logged, until};

/// A receiver of webhooks that can be away.
struct Receiver {
    port: u16,
    bodies: Arc<Mutex<Vec<String>>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    listener: Option<TcpListener>,
}

impl Receiver {
    fn new() -> Self {
        Self { port: free_port(), bodies: Arc::default(), open: Arc::default(), listener: None }
    }

    fn start(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        let (incoming, bodies, open) =
            (listener.try_clone().unwrap(), Arc::clone(&self.bodies), Arc::clone(&self.open));
        std::thread::spawn(move || {
            for stream in incoming.incoming() {
                let Ok(stream) = stream else { return };
                open.lock().unwrap().push(stream.try_clone().unwrap());
                let bodies = Arc::clone(&bodies);
                std::thread::spawn(move || while take(&stream, &bodies).is_some() {});
            }
        });
        self.listener = Some(listener);
    }

    fn stop(&mut self) {
        if let Some(listener) = self.listener.take() {
            // A listener that is being waited at is woken by this, and lets go of its port.
            let _ = socket2::SockRef::from(&listener).shutdown(Shutdown::Both);
        }
        self.open.lock().unwrap().drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
    }

    /// How often the request of this id has come.
    fn count(&self, id: &str) -> usize {
        let bodies = self.bodies.lock().unwrap();
        let lines = bodies.iter().flat_map(|body| body.lines());
        let is_it = |line: &&str| serde_json::from_str::<Value>(line).unwrap()["id"] == id;
        lines.filter(is_it).count()
    }

    fn configuration(&self, more: &str) -> String {
        format!(
            "[[audit.sinks]]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}/events\"\n\
             secret = {{ env = \"CLIENT_SECRET\" }}\nonly = \"access.*\"\n{more}\n\n",
            self.port
        )
    }
}

/// Takes a request; none where the connection is over.
fn take(stream: &TcpStream, bodies: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let length = head.to_ascii_lowercase().split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    bodies.lock().unwrap().push(String::from_utf8(body).ok()?);
    let mut stream = stream;
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok()
}

pub(super) async fn asked(gateway: &Gateway, count: usize) -> Vec<String> {
    let (browser, mut ids) = (Browser::new(), Vec::new());
    // Of strangers not every request is kept.
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    for number in 0..count {
        let answer = browser.get(&gateway.url(&format!("/{number}"))).await;
        ids.push(answer.header("x-request-id").to_owned());
    }
    ids
}

/// Whether this stands in some file of a sink's spool.
pub(super) fn is_in_spool(gateway: &Gateway, sink: &str, text: &str) -> bool {
    let folder = gateway.directory.path().join("state.db-spool").join(sink);
    let files =
        |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = files(folder).flat_map(files);
    all.filter_map(|path| fs::read(path).ok()).any(|bytes| String::from_utf8_lossy(&bytes).contains(text))
}

async fn world(receiver: &Receiver) -> World {
    World::at("http://127.0.0.1:{port}", "", &receiver.configuration(""), ROUTES).await
}

#[tokio::test]
async fn what_a_receiver_missed_it_gets_after_an_outage_a_restart_and_a_kill() {
    let mut receiver = Receiver::new();
    receiver.start();
    let mut world = world(&receiver).await;
    let mut all = asked(&world.gateway, 20).await;
    until("it came", || receiver.count(all.last().unwrap()) == 1);

    receiver.stop();
    all.extend(asked(&world.gateway, 20).await);
    until("it lies on disk", || is_in_spool(&world.gateway, "webhook", all.last().unwrap()));
    logged(&world.gateway, "a sink does not get what happens");
    world.gateway.restart();
    all.extend(asked(&world.gateway, 20).await);
    until("it lies on disk", || is_in_spool(&world.gateway, "webhook", all.last().unwrap()));
    world.gateway.kill();
    world.gateway.start_again();
    all.extend(asked(&world.gateway, 20).await);

    receiver.start();
    for id in &all {
        until(&format!("{id} came"), || receiver.count(id) >= 1);
    }
    let twice = all.iter().filter(|id| receiver.count(id) > 1).count();
    assert!(twice == 0, "{twice} came twice, though the receiver had said that it has them");
}

/// The disk takes nothing: the far end gets everything all the same, and it is told.
#[tokio::test]
async fn on_a_full_disk_a_far_end_that_is_there_gets_everything() {
    let Some(disk) = Disk::mount() else { return };
    let mut receiver = Receiver::new();
    receiver.start();
    let spool = format!("spool = {{ path = \"{}\" }}", disk.path().join("spool").display());
    let sink = receiver.configuration(&spool);
    let world = World::at("http://127.0.0.1:{port}", "", &sink, ROUTES).await;
    let mut all = asked(&world.gateway, 10).await;
    until("it came", || receiver.count(all.last().unwrap()) == 1);
    disk.fill();
    for _ in 0..20 {
        all.extend(asked(&world.gateway, 20).await);
        until("it came", || receiver.count(all.last().unwrap()) == 1);
    }
    let told = logged(&world.gateway, "a sink does not get what happens");
    assert!(told.contains("there is no space left"), "{told}");
    disk.free();
    all.extend(asked(&world.gateway, 10).await);
    for id in &all {
        until(&format!("{id} came"), || receiver.count(id) >= 1);
    }
}

/// Standard output is a pipe that nobody reads: requests go on, other sinks have everything, and the end tells what is left.
#[tokio::test]
async fn invariant_28_a_sink_that_hangs_harms_nobody() {
    let sinks = format!("{}[[audit.sinks]]\nkind = \"stdout\"\n\n", super::SINK);
    let mut world = World::at("http://127.0.0.1:{port}", "", &sinks, ROUTES).await;
    let (reader, writer) = std::io::pipe().unwrap();
    world.gateway.restart_with_stdout(writer);
    let ids = asked(&world.gateway, 300).await;
    about(&world.gateway, "access.granted", ids.last().unwrap());
    let in_file = of(&world.gateway, "access.granted").len();
    assert!(in_file >= 300, "{in_file}");
    world.gateway.signal("TERM");
    assert_eq!(world.gateway.wait(), Some(0));
    let told = logged(&world.gateway, "a sink has not taken all");
    assert!(told.contains("stdout"), "{told}");
    drop(reader);
}

/// The disk of a sink that nothing may go without is full: nobody is let through, and everybody is once there is room.
#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let Some(disk) = Disk::mount() else { return };
    let path = disk.path().join("events.jsonl");
    let sinks = format!(
        "[audit]\nmemory = \"1MiB\"\n\n[[audit.sinks]]\nkind = \"file\"\npath = \"{}\"\nrequired = true\n\n",
        path.display()
    );
    let world = World::at("http://127.0.0.1:{port}", "", &sinks, ROUTES).await;
    let (gateway, browser) = (&world.gateway, Browser::new());
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    disk.fill();
    let mut refused = browser.get(&gateway.url("/")).await;
    for _ in 0..5000 {
        if refused.status != 200 {
            break;
        }
        refused = browser.get(&gateway.url("/")).await;
    }
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"), "{}", refused.body);
    let id = refused.header("x-request-id").to_owned();
    let line = logged(gateway, &id);
    assert!(line.contains("`required` has no room"), "{line}");
    let event = serde_json::from_str::<Value>(&line).unwrap()["event"].as_str().unwrap().to_owned();
    disk.free();
    crate::support::until_async("it goes on", || async {
        browser.get(&gateway.url("/")).await.status == 200
    })
    .await;
    until("the refusal is on record, or that it is lost", || {
        let text = fs::read_to_string(&path).unwrap();
        text.contains(&event) || lines(&text).iter().any(|told| is_loss_of(told, &event))
    });
}

/// Whether an event tells of the loss of another.
fn is_loss_of(told: &Value, event: &str) -> bool {
    let mut parts = event.rsplitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (seq, lane) = (parts.next().flatten().unwrap(), parts.next().flatten());
    let range = told["from"].as_u64()..=told["to"].as_u64();
    told["type"] == "record.lost" && told["lane"].as_u64() == lane && range.contains(&Some(seq))
}

/// Debian's rsyslog over TLS.
struct Rsyslog {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Rsyslog {
    fn new() -> Self {
        let (folder, port) = (tempfile::TempDir::new().unwrap(), free_port());
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::write(at("cert.pem"), made.cert.pem()).unwrap();
        fs::write(at("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let configuration = format!(
            "global(DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{cert}\"\n\
             DefaultNetstreamDriverCertFile=\"{cert}\" DefaultNetstreamDriverKeyFile=\"{key}\")\n\
             module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"anon\")\n\
             template(name=\"parts\" type=\"string\" string=\"%pri%|%app-name%|%procid%|%msgid%|%structured-data%|%msg%\\n\")\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\")\n\
             action(type=\"omfile\" file=\"{out}\" template=\"parts\")\n",
            cert = at("cert.pem"),
            key = at("key.pem"),
            out = at("out"),
        );
        fs::write(at("rsyslog.conf"), configuration).unwrap();
        Self { folder, port, child: None }
    }

    fn start(&mut self) {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let child = Command::new("/usr/sbin/rsyslogd")
            .args(["-n", "-f", &at("rsyslog.conf"), "-i", &at("pid")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(at("log")).unwrap())
            .spawn()
            .expect("Debian's packages rsyslog and rsyslog-gnutls");
        self.child = Some(child);
        until("rsyslog", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Its lines, each as the parts that rsyslog has read.
    fn lines(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.folder.path().join("out")).unwrap_or_default();
        text.lines().map(|line| line.splitn(6, '|').map(str::to_owned).collect()).collect()
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test]
async fn rsyslog_gets_every_event_over_tls_and_over_its_own_death() {
    let mut rsyslog = Rsyslog::new();
    rsyslog.start();
    let ca = rsyslog.folder.path().join("cert.pem");
    let sink = format!(
        "[[audit.sinks]]\nkind = \"syslog\"\nurl = \"tls://localhost:{}\"\ntls = {{ ca = {{ file = \"{}\" }} }}\n\n",
        rsyslog.port,
        ca.display()
    );
    let world = World::at("http://127.0.0.1:{port}", "", &sink, ROUTES).await;
    let came = |rsyslog: &Rsyslog, id: &str| rsyslog.lines().iter().any(|line| line[5].contains(id));
    let mut all = asked(&world.gateway, 30).await;
    until("it came", || came(&rsyslog, all.last().unwrap()));
    rsyslog.kill();
    all.extend(asked(&world.gateway, 30).await);
    rsyslog.start();
    all.extend(asked(&world.gateway, 30).await);
    for id in &all {
        until(&format!("{id} came"), || came(&rsyslog, id));
    }
    for parts in rsyslog.lines() {
        let event: Value = serde_json::from_str(parts[5].trim()).unwrap();
        assert_eq!((parts[1].as_str(), Some(parts[3].as_str())), ("portcullis", event["type"].as_str()));
        let id = event["event"].as_str().unwrap();
        assert!(id.starts_with(&parts[2]), "{parts:?}");
        assert!(parts[4].starts_with(&format!("[portcullis@32473 event=\"{id}\"")), "{parts:?}");
    }
}
