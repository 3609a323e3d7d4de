//! Far ends that behave as they are told, over real sockets.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use super::*;

/// How a far end behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// It takes what it is given.
    Well,
    /// Nobody is there.
    Gone,
    /// It says what means nothing.
    Garbage,
    /// It takes nothing, and says nothing.
    Silent,
    /// It breaks off in the middle.
    Half,
    /// It answers without end (webhooks).
    Endless,
    /// It answers a byte at a time (webhooks).
    Slow,
    /// It answers with this status (webhooks).
    Status(u16),
}

/// What listens, whatever it speaks.
pub(super) struct FarEnd {
    pub(super) address: SocketAddr,
    shared: Arc<Listening>,
    /// What it keeps, where it is asked for that.
    kept: Option<Kept>,
}

/// The lines that a far end keeps, in the order in which they came.
type Kept = Box<dyn Fn() -> Vec<String> + Send>;

pub(super) struct Listening {
    mood: Mutex<Mood>,
    open: Mutex<Vec<TcpStream>>,
    /// What came, in its order: each line.
    lines: Mutex<Vec<String>>,
    /// Heads of requests that were taken, or of messages.
    heads: Mutex<Vec<String>>,
    connections: AtomicU64,
    /// The port of what stands behind it.
    behind: AtomicU64,
}

/// What a connection is given to: the mood that it began in, and what it brings.
type Serve = fn(&Listening, Mood, Box<dyn Socket>);

pub(super) trait Socket: Read + Write + Send {}

impl<S: Read + Write + Send> Socket for S {}

impl FarEnd {
    pub(super) fn start(serve: Serve, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        Self::with(Some(serve), tls, None)
    }

    /// One in front of something that keeps lines and can be asked for them.
    pub(super) fn in_front_of(port: u16, kept: Kept) -> Self {
        let far = Self::with(None, None, Some(kept));
        far.shared.behind.store(port.into(), SeqCst);
        far
    }

    fn with(serve: Option<Serve>, tls: Option<Arc<rustls::ServerConfig>>, kept: Option<Kept>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Listening {
            mood: Mutex::new(Mood::Well),
            open: Mutex::default(),
            lines: Mutex::default(),
            heads: Mutex::default(),
            connections: AtomicU64::new(0),
            behind: AtomicU64::new(0),
        });
        let weak = Arc::downgrade(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(shared) = weak.upgrade() else { return };
                let tls = tls.clone();
                shared.connections.fetch_add(1, SeqCst);
                thread::spawn(move || shared.take(stream, tls, serve));
            }
        });
        Self { address, shared, kept }
    }

    pub(super) fn is(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.kept.as_ref().map_or_else(|| self.shared.lines.lock().unwrap().clone(), |kept| kept())
    }

    pub(super) fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> u64 {
        self.shared.connections.load(SeqCst)
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        self.is(Mood::Gone);
    }
}

impl Listening {
    fn take(&self, stream: TcpStream, tls: Option<Arc<rustls::ServerConfig>>, serve: Option<Serve>) {
        let mood = *self.mood.lock().unwrap();
        if mood == Mood::Gone {
            return;
        }
        self.open.lock().unwrap().push(stream.try_clone().unwrap());
        let end = stream.try_clone().unwrap();
        let Some(serve) = serve else { return pass_on(self, mood, stream) };
        match tls {
            None => serve(self, mood, Box::new(stream)),
            Some(config) => {
                let connection = rustls::ServerConnection::new(config).unwrap();
                serve(self, mood, Box::new(rustls::StreamOwned::new(connection, stream)));
            }
        }
        let _ = end.shutdown(Shutdown::Both);
    }

    fn got(&self, head: String, text: &str) {
        self.heads.lock().unwrap().push(head);
        self.lines.lock().unwrap().extend(text.lines().map(str::to_owned));
    }
}

/// A receiver of webhooks: HTTP/1.1, as much of it as is needed.
pub(super) fn webhook(shared: &Listening, mood: Mood, stream: Box<dyn Socket>) {
    let mut stream = BufReader::new(stream);
    while let Some((head, body)) = request(&mut stream, mood) {
        let answer =
            |status: u16, more: &str| format!("HTTP/1.1 {status} X\r\n{more}content-length: 2\r\n\r\nok");
        let out = stream.get_mut();
        let sent = match mood {
            Mood::Well | Mood::Gone | Mood::Half => {
                shared.got(head, &body);
                out.write_all(answer(200, "").as_bytes())
            }
            Mood::Garbage => out.write_all(b"\x16\x03\x01 what?\r\n\r\n"),
            Mood::Silent => wait(out),
            Mood::Status(status) => {
                out.write_all(answer(status, "location: http://169.254.169.254/latest\r\n").as_bytes())
            }
            Mood::Endless => {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n");
                while out.write_all(&[b'x'; 65536]).is_ok() {}
                Err(io::ErrorKind::BrokenPipe.into())
            }
            Mood::Slow => {
                let slowly = |byte: &u8| {
                    thread::park_timeout(Duration::from_millis(200));
                    out.write_all(&[*byte])
                };
                answer(500, "").as_bytes().iter().try_for_each(slowly)
            }
        };
        if sent.is_err() || mood == Mood::Garbage {
            return;
        }
    }
}

/// Waits until the other side is gone, or its own is.
fn wait(stream: &mut Box<dyn Socket>) -> io::Result<()> {
    let mut byte = [0];
    while stream.read(&mut byte)? > 0 {}
    Err(io::ErrorKind::UnexpectedEof.into())
}

fn request(stream: &mut BufReader<Box<dyn Socket>>, mood: Mood) -> Option<(String, String)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.to_ascii_lowercase().split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
    let mut body = vec![0; if mood == Mood::Half { length / 2 } else { length }];
    stream.read_exact(&mut body).ok()?;
    (mood != Mood::Half).then(|| (head, String::from_utf8(body).unwrap()))
}

/// A receiver of syslog, with a count before each message.
pub(super) fn syslog(shared: &Listening, mood: Mood, mut stream: Box<dyn Socket>) {
    if mood == Mood::Silent {
        // Nothing is read: what comes stays in the kernel.
        thread::park_timeout(PATIENCE);
        return;
    }
    if mood == Mood::Garbage {
        let _ = stream.write_all(&[b'?'; 100_000]);
    }
    let (mut left, mut buffer) = (if mood == Mood::Half { 5000 } else { usize::MAX }, Vec::new());
    let mut part = [0; 4096];
    while left > 0 {
        let Ok(length @ 1..) = stream.read(&mut part) else { return };
        left = left.saturating_sub(length);
        buffer.extend_from_slice(&part[..length]);
        while let Some(message) = message(&mut buffer) {
            let (head, line) = message.split_once("] {").unwrap_or((&message, "nothing"));
            shared.got(head.to_owned(), &format!("{{{line}"));
        }
    }
}

/// The first whole message (RFC 6587, section 3.4.1).
fn message(buffer: &mut Vec<u8>) -> Option<String> {
    let space = buffer.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&buffer[..space]).ok()?.parse().ok()?;
    let end = space + 1 + length;
    (buffer.len() >= end).then(|| {
        let message = String::from_utf8(buffer[space + 1..end].to_vec()).unwrap();
        buffer.drain(..end);
        message
    })
}

/// Passes everything on to what stands behind it, and back.
fn pass_on(shared: &Listening, mood: Mood, mut stream: TcpStream) {
    match mood {
        Mood::Silent => return drop(io::copy(&mut stream, &mut io::sink())),
        Mood::Garbage => return drop(stream.write_all(&[b'?'; 100_000])),
        Mood::Well | Mood::Gone | Mood::Half | Mood::Endless | Mood::Slow | Mood::Status(_) => {}
    }
    let port = u16::try_from(shared.behind.load(SeqCst)).unwrap();
    let Ok(behind) = TcpStream::connect(("127.0.0.1", port)) else { return };
    shared.open.lock().unwrap().push(behind.try_clone().unwrap());
    // Of what is written all arrives, and of what is answered a part.
    let left = if mood == Mood::Half { 1200 } else { u64::MAX };
    thread::scope(|scope| {
        let (mut from, mut to) = (behind.try_clone().unwrap(), behind);
        let mut back = stream.try_clone().unwrap();
        scope.spawn(move || {
            let _ = io::copy(&mut (&mut from).take(left), &mut back);
            let _ = back.shutdown(Shutdown::Both);
        });
        let _ = io::copy(&mut stream, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// A server's TLS for a name, and the authority that vouches for it.
pub(super) fn tls_for(name: &str) -> (Arc<rustls::ServerConfig>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), made.cert.pem().into_bytes())
}
