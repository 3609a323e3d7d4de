use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::listener::RequestBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::mpsc::channel;
use tokio::sync::{Notify, Semaphore};

use crate::listener::{CertificateFiles, ConnectionLimits, Handler, ListenerSettings, TlsSettings};
use crate::request::{Transport, WorkerId};
use crate::runtime::*;

/// Answers with its thread's name; `/wait` says that it waits, and waits for a permit.
#[derive(Clone)]
struct Namer {
    waits: Arc<Notify>,
    gate: Arc<Semaphore>,
}

impl Handler for Namer {
    type Body = Full<Bytes>;

    async fn handle(
        &self,
        transport: &Arc<Transport>,
        request: Request<RequestBody>,
    ) -> Response<Full<Bytes>> {
        if request.uri().path() == "/wait" {
            self.waits.notify_one();
            self.gate.acquire().await.unwrap().forget();
        }
        let thread = std::thread::current().name().unwrap().to_owned();
        assert_eq!(thread, format!("worker-{}", transport.worker.0));
        Response::new(Full::new(Bytes::from(thread)))
    }
}

fn namer() -> Namer {
    Namer { waits: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
}

fn runtime(workers: usize, handler: &Namer, inherited: Vec<TcpListener>) -> Runtime {
    Runtime::start(workers, |_| handler.clone(), inherited, Duration::from_secs(3600)).unwrap()
}

fn at(address: &str) -> ListenerSettings {
    ListenerSettings {
        address: address.parse().unwrap(),
        tls: None,
        proxy_protocol: None,
        h2c: false,
        to_https: false,
    }
}

fn apply(runtime: &mut Runtime, addresses: &[&str]) -> Result<(), ApplyError> {
    let listeners: Vec<_> = addresses.iter().map(|address| at(address)).collect();
    runtime.apply(&listeners, ConnectionLimits::default())
}

fn local(runtime: &Runtime, configured: &str) -> SocketAddr {
    let configured = configured.parse().unwrap();
    runtime.addresses().find(|(address, _)| *address == configured).unwrap().1
}

fn ask(address: SocketAddr, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    stream
}

/// Reads one answer, which ends with a thread's name.
fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"worker-0") && !bytes.ends_with(b"worker-1") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        bytes.extend(byte);
    }
    String::from_utf8(bytes).unwrap()
}

const ONE: &str = "127.0.0.1:0";
const TWO: &str = "127.0.0.2:0";

#[test]
fn every_worker_serves_every_listener_on_a_thread_of_its_own() {
    let mut runtime = runtime(2, &namer(), Vec::new());
    apply(&mut runtime, &[ONE]).unwrap();
    let address = local(&runtime, ONE);
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 2 {
        let text = answer(&mut ask(address, "/"));
        seen.insert(text[text.len() - 8..].to_owned());
    }
    runtime.join();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_reload_keeps_equal_addresses_opens_new_ones_and_drains_the_gone() {
    let mut runtime = runtime(2, &namer(), Vec::new());
    apply(&mut runtime, &[ONE]).unwrap();
    let one = local(&runtime, ONE);
    let mut open = ask(one, "/");
    answer(&mut open);

    apply(&mut runtime, &[ONE, TWO]).unwrap();
    assert_eq!(local(&runtime, ONE), one, "the socket is the same");
    let two = local(&runtime, TWO);
    answer(&mut ask(two, "/"));
    open.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    answer(&mut open);

    apply(&mut runtime, &[TWO]).unwrap();
    assert_eq!(open.read(&mut [0]).unwrap(), 0, "an idle connection of a gone listener is closed");
    while TcpStream::connect(one).is_ok() {
        std::thread::yield_now();
    }
    answer(&mut ask(two, "/"));
    runtime.join();
}

#[test]
fn a_reload_that_fails_changes_nothing() {
    let mut runtime = runtime(1, &namer(), Vec::new());
    apply(&mut runtime, &[ONE]).unwrap();
    let one = local(&runtime, ONE);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = taken.local_addr().unwrap().to_string();
    let error = apply(&mut runtime, &[TWO, &busy]).unwrap_err();
    assert!(error.to_string().contains(&busy), "{error}");
    assert!(matches!(apply(&mut runtime, &[TWO, TWO]), Err(ApplyError::Twice(_))));
    let files = CertificateFiles { cert: "/nonexistent.crt".into(), key: "/nonexistent.key".into() };
    let tls =
        ListenerSettings { tls: Some(TlsSettings { certificates: vec![files], tls12: true }), ..at(ONE) };
    let error = runtime.apply(&[tls], ConnectionLimits::default()).unwrap_err().to_string();
    assert!(error.contains("/nonexistent.crt") && error.contains("127.0.0.1"), "{error}");

    let open: Vec<_> = runtime.addresses().collect();
    assert_eq!(open, [(ONE.parse().unwrap(), one)]);
    answer(&mut ask(one, "/"));
    runtime.join();
}

#[test]
fn a_socket_that_was_handed_in_is_used_by_all_workers() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    let mut runtime = runtime(2, &namer(), vec![socket]);
    apply(&mut runtime, &[&address.to_string()]).unwrap();
    answer(&mut ask(address, "/"));
    runtime.join();
}

/// Runs [`serve`] with the events that `script` sends, and returns how often it was reloaded.
async fn live(
    handler: Namer,
    script: impl AsyncFnOnce(SocketAddr, tokio::sync::mpsc::Sender<Event>),
) -> usize {
    let mut runtime = runtime(2, &handler, Vec::new());
    apply(&mut runtime, &[ONE]).unwrap();
    let address = local(&runtime, ONE);
    let (sender, events) = channel(8);
    let reloads = Mutex::new(0);
    let reload = async |runtime: &mut Runtime, event| {
        if event == Event::Drain {
            return AfterEvent::GoOn;
        }
        assert_eq!(event, Event::Reload);
        *reloads.lock().unwrap() += 1;
        apply(runtime, &[ONE]).unwrap();
        AfterEvent::GoOn
    };
    let served = serve(runtime, || Duration::from_secs(3600), events, reload);
    tokio::join!(served, script(address, sender));
    reloads.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_waits_for_the_request_under_way() {
    let handler = namer();
    let reloads = live(handler.clone(), async |address, events| {
        let mut busy = ask(address, "/wait");
        handler.waits.notified().await;
        events.send(Event::Reload).await.unwrap();
        events.send(Event::Drain).await.unwrap();
        while TcpStream::connect(address).is_ok() {
            tokio::task::yield_now().await;
        }
        handler.gate.add_permits(1);
        let text = tokio::task::spawn_blocking(move || answer(&mut busy)).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    });
    assert_eq!(reloads.await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_at_once() {
    let handler = namer();
    let script = async |address, events: tokio::sync::mpsc::Sender<Event>| {
        let mut busy = ask(address, "/wait");
        handler.waits.notified().await;
        events.send(Event::Drain).await.unwrap();
        events.send(Event::Stop).await.unwrap();
        let read = tokio::task::spawn_blocking(move || busy.read(&mut [0]).unwrap_or(0)).await.unwrap();
        assert_eq!(read, 0);
    };
    assert_eq!(live(handler.clone(), script).await, 0);
}

#[test]
fn a_worker_that_panics_is_told_of() {
    let workers = Workers::start(2, |worker| async move {
        assert_eq!(worker, WorkerId(0), "asked for");
    });
    assert_eq!(workers.unwrap().join(), 1);
}
