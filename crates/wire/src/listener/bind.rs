//! Opening a listening socket.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::ListenerSettings;

/// Connections that wait in the kernel; bounded once more by `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// A socket that could not be opened. The operator is to blame, or another program.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {}", explain(source, address))]
pub struct BindError {
    /// Where it was to listen.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

fn explain(error: &io::Error, address: &SocketAddr) -> String {
    let advice = if error.kind() == io::ErrorKind::AddrInUse {
        "; stop the program that listens there (`ss -ltnp` shows it) or choose another port"
    } else if error.kind() == io::ErrorKind::AddrNotAvailable {
        "; this machine has no such address: use one of its own, or 0.0.0.0 or [::]"
    } else if error.kind() == io::ErrorKind::PermissionDenied && address.port() < 1024 {
        "; ports below 1024 need CAP_NET_BIND_SERVICE or a socket from systemd: grant it or use a higher port"
    } else {
        ""
    };
    format!("{error}{advice}")
}

/// Opens a listening socket, non-blocking.
///
/// With `reuse_port` several sockets share the address (`SO_REUSEPORT`), one for each worker; the
/// kernel then hands each its share of connections.
///
/// # Errors
/// Where the system refuses; the text says what to do about it.
pub fn bind(settings: &ListenerSettings, reuse_port: bool) -> Result<TcpListener, BindError> {
    let address = settings.address;
    open(address, reuse_port).map_err(|source| BindError { address, source })
}

/// Makes sure that no other program listens on the address, such as another gateway that would share it. The
/// socket that is tried never listens: a connection that came to it would be lost.
///
/// # Errors
/// Another program does, or the system refuses the address.
pub fn ensure_free(address: SocketAddr) -> Result<(), BindError> {
    // Without `SO_REUSEPORT`, binding fails where another socket listens on the address.
    let bound = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())
    };
    bound().map_err(|source| BindError { address, source })
}

fn open(address: SocketAddr, reuse_port: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(reuse_port)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
