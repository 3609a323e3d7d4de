//! Events for a receiver of syslog: over TLS (RFC 5425), TCP with a count before each message (RFC 6587), or the socket of
//! this machine. None of them says what it has: what was sent lately is kept, and sent again when the connection was lost.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::deadline::{Deadline, Socket};
use super::far::{Far, FarError, Parcel};
use super::rfc5424;
use super::tls::TlsSettings;

/// How long what was written may turn out to be lost: longer than the kernel waits for the other side to confirm it.
const UNPROVED: Duration = Duration::from_secs(5);
/// How long the other side's kernel may leave something unconfirmed before the connection counts as lost.
const UNCONFIRMED: Duration = Duration::from_secs(4);
/// Bytes of what a receiver says that are looked at: it has nothing to say.
const ANSWER: usize = 4096;

/// A receiver of syslog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogSettings {
    /// Where it is.
    pub address: SyslogAddress,
    /// How its server is known, over TLS.
    pub tls: TlsSettings,
}

/// Where a receiver of syslog is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogAddress {
    /// Over TLS: a name or an address without brackets, and the port.
    Tls(String, u16),
    /// Over TCP, in clear text.
    Tcp(String, u16),
    /// A socket of this machine.
    Unix(PathBuf),
}

pub(super) struct Syslog {
    address: SyslogAddress,
    tls: Arc<ClientConfig>,
    host: String,
    connection: Option<Connection>,
}

enum Connection {
    Tls(Box<StreamOwned<ClientConnection, Deadline<TcpStream>>>),
    Tcp(Deadline<TcpStream>),
    Stream(Deadline<UnixStream>),
    /// Each message is a packet: it needs no count.
    Packets(UnixDatagram),
}

impl Syslog {
    pub(super) fn open(settings: &SyslogSettings) -> Result<Self, FarError> {
        let (address, tls) = (settings.address.clone(), Arc::new(settings.tls.config()?));
        Ok(Self { address, tls, host: rfc5424::host(), connection: None })
    }

    fn put(&mut self, parcel: &Parcel<'_>, until: Instant) -> io::Result<()> {
        let connection = match &mut self.connection {
            Some(open) => open,
            none @ None => none.insert(connect(&self.address, &self.tls, until)?),
        };
        connection.check()?;
        let mut message = Vec::with_capacity(rfc5424::LONGEST);
        let mut all = Vec::with_capacity(parcel.frame.text.len() * 2);
        for line in parcel.frame.lines() {
            message.clear();
            rfc5424::write(line, &parcel.said(line), &self.host, parcel.process, &mut message);
            if let Connection::Packets(socket) = connection {
                socket.set_write_timeout(Some(left(until)?))?;
                socket.send(&message)?;
            } else {
                count(&message, &mut all);
            }
        }
        connection.write(&all, until)
    }
}

/// A message with its length before it: a line feed in it is no end (RFC 6587, section 3.4.1).
fn count(message: &[u8], out: &mut Vec<u8>) {
    let length = message.len().to_string();
    let parts: [&[u8]; 3] =
        mutant!([length.as_bytes(), b" ", message], "syslog-by-newline" => [b"", message, b"\n"]);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

impl Far for Syslog {
    fn send(&mut self, parcel: &Parcel<'_>, until: Instant) -> Result<(), FarError> {
        self.put(parcel, until).map_err(|error| self.lost(&error))
    }

    fn unproved(&self) -> Duration {
        match self.address {
            SyslogAddress::Unix(_) => Duration::ZERO,
            SyslogAddress::Tls(..) | SyslogAddress::Tcp(..) => {
                mutant!(UNPROVED, "syslog-trusts-the-kernel" => Duration::ZERO)
            }
        }
    }

    fn check(&mut self) -> Result<(), FarError> {
        let checked = self.connection.as_mut().map_or(Ok(()), Connection::check);
        checked.map_err(|error| self.lost(&error))
    }

    /// Says that nothing comes any more. Where the other side then ends as well, it has read everything.
    fn finish(&mut self, until: Instant) -> bool {
        let until = until.min(Instant::now() + Duration::from_secs(1));
        self.connection.take().is_none_or(|open| open.end(until).is_ok())
    }
}

impl Syslog {
    fn lost(&mut self, error: &io::Error) -> FarError {
        self.connection = None;
        FarError::Away(error.to_string())
    }
}

fn connect(address: &SyslogAddress, tls: &Arc<ClientConfig>, until: Instant) -> io::Result<Connection> {
    match address {
        SyslogAddress::Tcp(host, port) => {
            Ok(Connection::Tcp(Deadline::new(dial(host, *port, until)?, until)))
        }
        SyslogAddress::Tls(host, port) => {
            let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
            let tls = ClientConnection::new(Arc::clone(tls), name).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(tls, Deadline::new(dial(host, *port, until)?, until));
            while stream.conn.is_handshaking() {
                stream.conn.complete_io(&mut stream.sock)?;
            }
            Ok(Connection::Tls(Box::new(stream)))
        }
        SyslogAddress::Unix(path) => on_this_machine(path, until),
    }
}

fn on_this_machine(path: &Path, until: Instant) -> io::Result<Connection> {
    let socket = UnixDatagram::unbound()?;
    match socket.connect(path) {
        Ok(()) => Ok(Connection::Packets(socket)),
        Err(_) => Ok(Connection::Stream(Deadline::new(UnixStream::connect(path)?, until))),
    }
}

/// Connects to the first address that answers.
fn dial(host: &str, port: u16, until: Instant) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::NotFound.into();
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(until)?) {
            Ok(stream) => return watched(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A connection that is lost once the other side confirms nothing for a while.
fn watched(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(&stream);
    socket.set_tcp_user_timeout(Some(UNCONFIRMED))?;
    socket.set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(UNPROVED).with_interval(UNPROVED))?;
    Ok(stream)
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

impl Connection {
    fn write(&mut self, bytes: &[u8], until: Instant) -> io::Result<()> {
        match self {
            Self::Tls(stream) => {
                stream.sock.until = until;
                stream.write_all(bytes)?;
                stream.flush()
            }
            Self::Tcp(stream) => stream.write_by(bytes, until),
            Self::Stream(stream) => stream.write_by(bytes, until),
            Self::Packets(_) => Ok(()),
        }
    }

    /// Whether the other side is still there. What it says does not matter, and does not pile up.
    fn check(&mut self) -> io::Result<()> {
        let mut answer = [0; ANSWER];
        let read = match self {
            Self::Tls(stream) => {
                stream.sock.stream.set_nonblocking(true)?;
                let read = stream.read(&mut answer);
                stream.sock.stream.set_nonblocking(false)?;
                read
            }
            Self::Tcp(stream) => stream.read_at_once(&mut answer),
            Self::Stream(stream) => stream.read_at_once(&mut answer),
            Self::Packets(_) => Ok(1),
        };
        match read {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has closed the connection")),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn end(mut self, until: Instant) -> io::Result<()> {
        match &mut self {
            Self::Tls(stream) => {
                stream.sock.until = until;
                stream.conn.send_close_notify();
                stream.flush()?;
                stream.sock.stream.shutdown(Shutdown::Write)?;
                drain(&mut stream.sock)
            }
            Self::Tcp(stream) => {
                stream.until = until;
                stream.stream.shutdown(Shutdown::Write)?;
                drain(stream)
            }
            Self::Stream(_) | Self::Packets(_) => Ok(()),
        }
    }
}

/// Reads what comes until the other side ends.
fn drain(stream: &mut Deadline<TcpStream>) -> io::Result<()> {
    let mut answer = [0; ANSWER];
    while stream.read(&mut answer)? > 0 {}
    Ok(())
}

impl Socket for TcpStream {
    fn set_read(&self, left: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(left))
    }

    fn set_write(&self, left: Duration) -> io::Result<()> {
        self.set_write_timeout(Some(left))
    }

    fn set_at_once(&self, at_once: bool) -> io::Result<()> {
        self.set_nonblocking(at_once)
    }
}

impl Socket for UnixStream {
    fn set_read(&self, left: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(left))
    }

    fn set_write(&self, left: Duration) -> io::Result<()> {
        self.set_write_timeout(Some(left))
    }

    fn set_at_once(&self, at_once: bool) -> io::Result<()> {
        self.set_nonblocking(at_once)
    }
}
