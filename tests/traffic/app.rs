//! Apps behind the gateway that do exactly what a test wants.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::wire::{Conn, Message};

/// An app on a port of 127.0.0.1.
pub(crate) struct App {
    pub(crate) port: u16,
    pub(crate) log: Arc<AppLog>,
}

/// What an app has seen.
#[derive(Default)]
pub(crate) struct AppLog {
    seen: Mutex<Vec<Message>>,
    connections: AtomicUsize,
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

impl App {
    /// Answers every request with `ok`.
    pub(crate) fn ok() -> Self {
        Self::answering(OK)
    }

    /// Answers every request with these bytes.
    pub(crate) fn answering(response: impl Into<String>) -> Self {
        let response = response.into();
        Self::start(move |conn, _| {
            conn.say(&response);
            true
        })
    }

    /// Answers as `answer` does; the connection ends where it says `false`.
    pub(crate) fn start(answer: impl Fn(&mut Conn, &Message) -> bool + Send + Sync + 'static) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    /// The same on a socket of the test's.
    pub(crate) fn listen(
        listener: TcpListener,
        answer: impl Fn(&mut Conn, &Message) -> bool + Send + Sync + 'static,
    ) -> Self {
        let port = listener.local_addr().unwrap().port();
        let (log, answer) = (Arc::<AppLog>::default(), Arc::new(answer));
        let app = Self { port, log: Arc::clone(&log) };
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || log.serve(Conn::tcp(stream), &*answer));
            }
        });
        app
    }

    /// Takes connections over and does with them what it likes, without reading anything.
    pub(crate) fn raw(hold: impl Fn(Conn) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (log, hold) = (Arc::<AppLog>::default(), Arc::new(hold));
        let app = Self { port, log: Arc::clone(&log) };
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                log.connections.fetch_add(1, Ordering::SeqCst);
                let hold = Arc::clone(&hold);
                std::thread::spawn(move || hold(Conn::tcp(stream)));
            }
        });
        app
    }

    /// A public route to it with further lines.
    pub(crate) fn route(&self, lines: &str) -> String {
        format!("[[routes]]\nupstream = \"http://127.0.0.1:{}\"\naccess = \"public\"\n{lines}\n\n", self.port)
    }

    /// How many requests have reached it.
    pub(crate) fn count(&self) -> usize {
        self.log.seen.lock().unwrap().len()
    }

    /// How many connections have been made to it.
    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    /// All requests that have reached it.
    pub(crate) fn seen(&self) -> Vec<Message> {
        self.log.seen.lock().unwrap().clone()
    }

    /// The request that reached it last.
    pub(crate) fn last(&self) -> Message {
        self.log.seen.lock().unwrap().last().cloned().expect("no request has reached the app")
    }
}

impl AppLog {
    /// Serves one connection.
    pub(crate) fn serve(&self, mut conn: Conn, answer: &dyn Fn(&mut Conn, &Message) -> bool) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        while let Some(request) = conn.request() {
            self.seen.lock().unwrap().push(request.clone());
            if !answer(&mut conn, &request) {
                return;
            }
        }
    }
}
