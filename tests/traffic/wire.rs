//! HTTP/1.1 as bytes, from either side.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::PATIENCE;

/// What bytes go over.
pub(crate) trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// A connection spoken by hand.
pub(crate) struct Conn {
    stream: Box<dyn Wire>,
    read: Vec<u8>,
    /// The socket beneath, where it is TCP.
    pub(crate) socket: Option<TcpStream>,
}

/// A request or a response with its whole body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: String,
    /// Whether a body in chunks has broken off.
    pub(crate) broken: bool,
}

impl Message {
    pub(crate) fn first_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    pub(crate) fn status(&self) -> u16 {
        let code = self.first_line().split(' ').nth(1).and_then(|code| code.parse().ok());
        code.unwrap_or_else(|| panic!("no response: {self:?}"))
    }

    /// A request's target.
    pub(crate) fn target(&self) -> &str {
        self.first_line().split(' ').nth(1).unwrap_or_default()
    }

    /// All values of a field.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    /// The only value of a field.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} more than once in {}", self.head);
        all.first().copied()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Conn {
    /// To a port of 127.0.0.1.
    pub(crate) fn to(port: u16) -> Self {
        Self::tcp(TcpStream::connect(("127.0.0.1", port)).unwrap())
    }

    pub(crate) fn tcp(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let socket = stream.try_clone().ok();
        Self { stream: Box::new(stream), read: Vec::new(), socket }
    }

    pub(crate) fn over(stream: impl Wire + 'static) -> Self {
        Self { stream: Box::new(stream), read: Vec::new(), socket: None }
    }

    /// Writes; whether the peer still listens shows in what it answers.
    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).and_then(|()| self.stream.flush());
    }

    /// Whether more came; fails after too much patience.
    fn more(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(size) => {
                self.read.extend_from_slice(&chunk[..size]);
                true
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) => {
                panic!("nothing came for {PATIENCE:?} after {:?}", String::from_utf8_lossy(&self.read))
            }
            Err(_) => false,
        }
    }

    /// Reads up to and with `end`; `None` where the connection ends before.
    pub(crate) fn until(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|window| window == end.as_bytes()) {
                return Some(String::from_utf8_lossy(&self.take(at + end.len())).into_owned());
            }
            if !self.more() {
                return None;
            }
        }
    }

    fn take(&mut self, size: usize) -> Vec<u8> {
        let rest = self.read.split_off(size);
        std::mem::replace(&mut self.read, rest)
    }

    fn exact(&mut self, size: usize) -> Vec<u8> {
        while self.read.len() < size && self.more() {}
        self.take(size.min(self.read.len()))
    }

    /// The next request, its body whole; `None` where there is none.
    pub(crate) fn request(&mut self) -> Option<Message> {
        let head = self.until("\r\n\r\n")?;
        Some(self.body(head, false))
    }

    /// The next final response, its body whole; empty where the connection ends instead.
    pub(crate) fn response(&mut self) -> Message {
        match self.until("\r\n\r\n") {
            Some(head) if head.starts_with("HTTP/1.1 100") => self.response(),
            Some(head) => self.body(head, true),
            None => Message::default(),
        }
    }

    fn body(&mut self, head: String, response: bool) -> Message {
        let mut message = Message { head, ..Message::default() };
        let length = message.all("content-length").first().and_then(|length| length.parse().ok());
        let none = response && matches!(message.status(), 101 | 204 | 304);
        match (message.header("transfer-encoding"), length) {
            _ if none => {}
            (Some(_), _) => self.chunks(&mut message),
            (None, Some(length)) => message.body = self.exact(length),
            (None, None) if response => message.body = self.rest(),
            (None, None) => {}
        }
        message
    }

    fn chunks(&mut self, message: &mut Message) {
        message.broken = true;
        while let Some(line) = self.until("\r\n") {
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            if size == 0 {
                message.broken = false;
                break;
            }
            message.body.extend(self.exact(size));
            self.exact(2);
        }
        while let Some(line) = self.until("\r\n").filter(|line| line != "\r\n") {
            message.trailers.push_str(&line);
        }
    }

    /// All that comes until the other side ends.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        self.take(self.read.len())
    }

    /// Reads so many bytes, or to the end, and only counts.
    pub(crate) fn drain_exactly(&mut self, size: u64) -> u64 {
        let mut count = std::mem::take(&mut self.read).len() as u64;
        let mut chunk = vec![0; 256 * 1024];
        while count < size {
            match self.stream.read(&mut chunk) {
                Ok(0) | Err(_) => break,
                Ok(read) => count += read as u64,
            }
        }
        count
    }

    /// Writes; whether the peer took it all.
    pub(crate) fn offer(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Whether the other side has ended without another byte.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.read.is_empty() && !self.more()
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        let socket = self.socket.as_ref().unwrap();
        socket2::SockRef::from(socket).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }
}

/// `GET` with further fields on a connection of its own.
pub(crate) fn get(port: u16, path: &str, fields: &[&str]) -> Message {
    let mut conn = Conn::to(port);
    conn.say(request("GET", path, fields));
    conn.response()
}

/// The head of a request to `app.example` that ends its connection.
pub(crate) fn request(method: &str, path: &str, fields: &[&str]) -> String {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n{fields}\r\n")
}
