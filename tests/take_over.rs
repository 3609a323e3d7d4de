//! A new process takes over from the one that runs: nobody is refused, streams live on, and who signs out there
//! is out here.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::{
    App, Browser, Gateway, PATIENCE, Process, Provider, World, begun, ends, events, free_port, logged,
    program, sockets, until, until_async,
};

const COOKIE: &str = "portcullis";
const OVER: &str = "process.took-over";

/// Routes for an app, for `stream`, and for anybody.
fn routes(stream: &str) -> String {
    format!(
        "[[routes]]\nname = \"wiki\"\nupstream = \"{{app}}\"\naccess = \"signed-in\"\n\n\
         [[routes]]\nname = \"stream\"\npath = \"/stream\"\nupstream = \"{stream}\"\naccess = \"signed-in\"\n\n\
         [[routes]]\nname = \"open\"\npath = \"/open\"\nupstream = \"{{app}}\"\naccess = \"public\"\n"
    )
}

/// One that ends no stream because its drain has lasted for long enough: what is to end them ends them in time, or
/// the test fails.
async fn patient(routes: &str) -> World {
    World::at("http://127.0.0.1:{port}", "drain_timeout = \"10m\"", "", routes).await
}

fn key(world: &World, browser: &Browser) -> String {
    browser.cookie(&world.gateway.url("/"), COOKIE).unwrap()
}

async fn opens(world: &World, key: &str) -> bool {
    let browser = Browser::new();
    browser.set_cookie(&world.gateway.url("/"), COOKIE, key);
    browser.get(&world.gateway.url("/")).await.status == 200
}

/// Has a new process take over, and waits until it has.
fn taken_over(gateway: &mut Gateway) -> Process {
    let before = gateway.log().matches(OVER).count();
    let old = gateway.take_over();
    until("the new process to take over", || gateway.log().matches(OVER).count() > before);
    old
}

/// Goes away for good: an end in good order would only say that nothing more is asked.
fn hang_up(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// Nothing has come, and no end either.
fn lives(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0; 64]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// People who ask without pause, each on a connection of its own.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Load {
    fn on(port: u16) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = |_| {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut wrong = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    match ask(port).await {
                        Ok(answer) if answer.starts_with("HTTP/1.1 200") => {
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(answer) => wrong.push(answer),
                        Err(error) => wrong.push(error.to_string()),
                    }
                }
                wrong
            })
        };
        let clients = (0..8).map(client).collect();
        Self { stop, answered, clients }
    }

    /// So many further answers have come.
    async fn more(&self, count: usize) {
        let before = self.answered.load(Ordering::Relaxed);
        until_async("answers", || async { self.answered.load(Ordering::Relaxed) >= before + count }).await;
    }

    /// Everything that was not answered as it should be.
    async fn failures(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await.unwrap());
        }
        all
    }
}

async fn ask(port: u16) -> std::io::Result<String> {
    let mut conn = TcpStream::connect(("127.0.0.1", port)).await?;
    let head = format!("GET /open HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    conn.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, conn.read_to_end(&mut answer)).await;
    read.map_err(|_| std::io::Error::other("no answer in time"))??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_8_nobody_is_refused_streams_live_on_and_a_sign_out_at_the_new_process_cuts_them() {
    let mut world = patient(&routes(&events().await)).await;
    let (leaver, stayer) = (world.signed_in().await, world.signed_in().await);
    let (gone, stays) = (key(&world, &leaver), key(&world, &stayer));
    let (cut, kept) = (begun(world.gateway.port, &gone).await, begun(world.gateway.port, &stays).await);
    let load = Load::on(world.gateway.port);
    load.more(50).await;

    let mut old = taken_over(&mut world.gateway);
    load.more(200).await;
    assert!(lives(&cut) && lives(&kept) && old.ended().is_none());
    assert!(opens(&world, &gone).await && opens(&world, &stays).await, "sessions go on in the new process");
    world.signed_in().await;
    let ready = Browser::new().get(&world.gateway.admin_url("/readyz")).await;
    assert!(ready.status == 200 && ready.body.contains("\"predecessor\""), "{}", ready.body);

    leaver.submit(&world.gateway.url("/.portcullis/sign-out"), "").await;
    ends(cut).await;
    assert!(lives(&kept) && old.ended().is_none(), "the other's stream lives");
    assert!(!opens(&world, &gone).await && opens(&world, &stays).await);

    hang_up(kept);
    until("the old process to end", || old.ended() == Some(Some(0)));
    load.more(50).await;
    assert_eq!(load.failures().await, Vec::<String>::new());
    until_async("readiness to forget it", || async {
        !Browser::new().get(&world.gateway.admin_url("/readyz")).await.body.contains("predecessor")
    })
    .await;
    world.gateway.restart();
    assert!(!opens(&world, &gone).await && opens(&world, &stays).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websockets_live_on_and_a_second_take_over_reaches_the_first_process() {
    let mut world = World::open(&routes(&sockets().await)).await;
    let browser = world.signed_in().await;
    let mut request = format!("ws://127.0.0.1:{}/stream", world.gateway.port).into_client_request().unwrap();
    request.headers_mut().insert("cookie", format!("{COOKIE}={}", key(&world, &browser)).parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let mut first = taken_over(&mut world.gateway);
    let mut second = taken_over(&mut world.gateway);
    for word in ["one", "two"] {
        socket.send(word.into()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap().as_str(), word);
    }
    assert!(first.ended().is_none() && second.ended().is_none(), "the first lives on through the second");
    browser.submit(&world.gateway.url("/.portcullis/sign-out"), "").await;
    let end = tokio::time::timeout(PATIENCE, async { while let Some(Ok(_)) = socket.next().await {} });
    end.await.expect("the WebSocket ends with its session");
    drop(socket);
    until("both to end", || first.ended() == Some(Some(0)) && second.ended() == Some(Some(0)));
    world.signed_in().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_8_streams_end_where_the_new_process_is_lost() {
    let mut world = patient(&routes(&events().await)).await;
    let session = key(&world, &world.signed_in().await);
    let open = begun(world.gateway.port, &session).await;
    let mut old = taken_over(&mut world.gateway);
    assert!(lives(&open));
    world.gateway.kill();
    ends(open).await;
    until("the old process to end", || old.ended().is_some());
    world.gateway.start_again();
    assert!(opens(&world, &session).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_process_that_cannot_start_leaves_everything_as_it_was() {
    let mut world = World::open(&routes(&events().await)).await;
    let session = key(&world, &world.signed_in().await);
    let open = begun(world.gateway.port, &session).await;
    let load = Load::on(world.gateway.port);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = fs::read_to_string(world.gateway.configuration()).unwrap();
    let ours = format!("listen = \"127.0.0.1:{}\"", world.gateway.port);
    let both =
        format!("listen = [\"127.0.0.1:{}\", \"{}\"]", world.gateway.port, taken.local_addr().unwrap());
    let folder = world.gateway.directory.path();
    fs::write(folder.join("other.toml"), text.replacen(&ours, &both, 1)).unwrap();
    let ended = program(folder, &["run", "--config", "other.toml", "--take-over"]);
    assert_eq!(ended.status.code(), Some(1));
    logged(&world.gateway, "a new process did not take over; this one goes on");
    assert!(lives(&open) && opens(&world, &session).await);
    world.signed_in().await;
    load.more(50).await;
    assert_eq!(load.failures().await, Vec::<String>::new());
    // And the next one can.
    let mut old = taken_over(&mut world.gateway);
    hang_up(open);
    until("the old process to end", || old.ended() == Some(Some(0)));
    assert!(opens(&world, &session).await);
}

#[tokio::test]
async fn without_a_gateway_that_runs_it_simply_starts() {
    let mut world = World::open(&routes("http://127.0.0.1:9")).await;
    let session = key(&world, &world.signed_in().await);
    world.gateway.kill();
    drop(world.gateway.take_over());
    logged(&world.gateway, "there is nothing to take over");
    let port = world.gateway.port;
    until("it to listen", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert!(opens(&world, &session).await);
}

#[tokio::test]
async fn the_control_socket_is_for_our_own_user() {
    let world = World::open(&routes("http://127.0.0.1:9")).await;
    let socket = world.gateway.directory.path().join("state.db-control");
    until("the socket", || socket.exists());
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    // Another user gets no further than the greeting, though the socket be open to it.
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(world.gateway.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); \
                  b=b'{\"request\":\"take-over\",\"version\":1}'; s.sendall(len(b).to_bytes(4,'big')+b); \
                  print(s.recv(4096))";
    let stranger = Command::new("setpriv")
        .args(["--reuid", "65534", "--clear-groups", "python3", "-c", script])
        .arg(&socket)
        .stderr(Stdio::null())
        .output();
    let Ok(stranger) = stranger.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()) else {
        return;
    };
    if !stranger.is_empty() {
        assert!(stranger.contains("refused") && stranger.contains("another user"), "{stranger}");
        logged(&world.gateway, "another user was refused at the control socket");
    }
}

/// systemd as far as the gateway sees it: who may say what, and whose the service is.
struct Systemd {
    socket: UnixDatagram,
    main: u32,
}

impl Systemd {
    /// Waits until the main process has said `what`; takes over `MAINPID=` from it alone.
    fn hears(&mut self, what: &str) {
        loop {
            let mut buffer = [0; 512];
            let size = self.socket.recv(&mut buffer).unwrap();
            let said = String::from_utf8_lossy(&buffer[..size]).into_owned();
            if let Some(process) = said.lines().find_map(|line| line.strip_prefix("MAINPID=")) {
                self.main = process.parse().unwrap();
            }
            if said.contains(what) {
                return;
            }
            assert!(!said.contains("STOPPING"), "the service does not stop: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_systemd_a_signal_replaces_the_process_under_load() {
    let (port, app) = (free_port(), App::start().await);
    let provider = Provider::start(&format!("http://127.0.0.1:{port}"));
    let folder = tempfile::TempDir::new().unwrap();
    let routes = routes("http://127.0.0.1:9").replace("{app}", &app.url());
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\nstate = \"state.db\"\n\
         workers = 2\n\n[log]\nformat = \"json\"\n\n{}\n{routes}",
        provider.configuration()
    );
    fs::write(folder.path().join("portcullis.toml"), text).unwrap();
    let notify = folder.path().join("notify");
    let socket = UnixDatagram::bind(&notify).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let held = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 WATCHDOG_PID=$$ exec \"$0\" run";
    let mut first = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_portcullis")])
        .current_dir(folder.path())
        .env("NOTIFY_SOCKET", &notify)
        .env("WATCHDOG_USEC", "400000")
        .env("CLIENT_SECRET", crate::support::CLIENT_SECRET)
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(held.try_clone().unwrap())))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut systemd = Systemd { socket, main: first.id() };
    systemd.hears("READY=1");
    let load = Load::on(port);
    load.more(50).await;
    for _ in 0..2 {
        let before = systemd.main;
        assert!(Command::new("kill").args(["-s", "USR2", &before.to_string()]).status().unwrap().success());
        systemd.hears("MAINPID=");
        assert_ne!(systemd.main, before);
        systemd.hears("READY=1");
        systemd.hears("WATCHDOG=1");
        load.more(100).await;
    }
    until("the first process to end", || first.try_wait().unwrap().is_some());
    load.more(50).await;
    let failures = load.failures().await;
    assert!(Command::new("kill").args(["-s", "TERM", &systemd.main.to_string()]).status().unwrap().success());
    let told = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    assert_eq!(failures, Vec::<String>::new(), "{told}");
    let mut buffer = [0; 512];
    until("the service to stop", || {
        let size = systemd.socket.recv(&mut buffer).unwrap();
        buffer[..size].starts_with(b"STOPPING=1")
    });
    let main = format!("/proc/{}", systemd.main);
    until("its end", || {
        let status = fs::read_to_string(format!("{main}/stat")).unwrap_or_default();
        status.is_empty() || status.contains(") Z ")
    });
    drop(held);
}

#[test]
fn what_listens_in_the_gateways_place_and_says_nothing_is_not_waited_for_for_ever() {
    let folder = tempfile::TempDir::new().unwrap();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:{}\"\nstate = \"state.db\"\n\n[[routes]]\nname = \"open\"\n\
         upstream = \"http://127.0.0.1:9\"\naccess = \"public\"\n",
        free_port()
    );
    fs::write(folder.path().join("portcullis.toml"), text).unwrap();
    let socket = UnixListener::bind(folder.path().join("state.db-control")).unwrap();
    let impostor = std::thread::spawn(move || {
        let (stream, _) = socket.accept().unwrap();
        std::io::Write::write_all(&mut &stream, &[0, 0, 0, 2, b'4', b'2']).unwrap();
        std::thread::park_timeout(Duration::from_millis(1));
    });
    let ended = program(folder.path(), &["run", "--take-over"]);
    impostor.join().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = [ended.stdout, ended.stderr].concat();
    assert!(
        String::from_utf8_lossy(&said).contains("the take-over broke off"),
        "{}",
        String::from_utf8_lossy(&said)
    );
}
