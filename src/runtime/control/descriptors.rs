//! File descriptors over a unix socket (`SCM_RIGHTS`, unix(7)).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Descriptors that go with one byte; the kernel takes no more than 253.
const AT_ONCE: usize = 64;

/// The byte that they go with: descriptors are not sent without data.
const CARRIER: &[u8; 1] = b"F";

/// Sends `sockets`, in this order.
///
/// # Errors
/// The peer is gone, or the system refuses.
pub(super) async fn send(stream: &UnixStream, sockets: &[TcpListener]) -> io::Result<()> {
    for some in sockets.chunks(AT_ONCE) {
        let borrowed: Vec<BorrowedFd<'_>> = some.iter().map(AsFd::as_fd).collect();
        stream.async_io(Interest::WRITABLE, || send_some(stream, &borrowed)).await?;
    }
    Ok(())
}

fn send_some(stream: &UnixStream, sockets: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(AT_ONCE))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(sockets)) {
        return Err(io::Error::other("too many descriptors for one message"));
    }
    sendmsg(stream, &[IoSlice::new(CARRIER)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives `count` listening sockets.
///
/// # Errors
/// The peer is gone, or sends something else.
pub(super) async fn receive(stream: &UnixStream, count: usize) -> io::Result<Vec<TcpListener>> {
    let mut sockets = Vec::new();
    while sockets.len() < count {
        let some = stream.async_io(Interest::READABLE, || receive_some(stream)).await?;
        if some.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "a message came without its descriptors",
            ));
        }
        sockets.extend(some.into_iter().map(TcpListener::from));
    }
    Ok(sockets)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open: nothing else was asked for")]
fn receive_some(stream: &UnixStream) -> io::Result<Vec<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(AT_ONCE))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut carrier = [0; CARRIER.len()];
    recvmsg(stream, &mut [IoSliceMut::new(&mut carrier)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let rights = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok(rights.flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sockets_arrive_in_their_order_and_still_listen() {
        let (one, other) = UnixStream::pair().unwrap();
        let sockets: Vec<_> = (0..AT_ONCE + 3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let (sent, received) = tokio::join!(send(&one, &sockets), receive(&other, sockets.len()));
        sent.unwrap();
        let addresses = |sockets: &[TcpListener]| -> Vec<_> {
            sockets.iter().map(|socket| socket.local_addr().unwrap()).collect()
        };
        let (before, received) = (addresses(&sockets), received.unwrap());
        assert_eq!(before, addresses(&received));
        drop(sockets);
        std::net::TcpStream::connect(before[AT_ONCE]).unwrap();
    }

    #[tokio::test]
    async fn a_peer_that_sends_none_is_an_error() {
        let (one, other) = UnixStream::pair().unwrap();
        one.try_write(b"F").unwrap();
        assert!(receive(&other, 1).await.is_err());
        drop(one);
        assert!(receive(&other, 1).await.is_err());
    }
}
