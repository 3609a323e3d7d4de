//! The bytes of a connection, both ways.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::Response;
use http_body::Body;

use super::body_channel::BodySender;
use super::half_close::HalfClose;
use super::head_error::HeadError;
use super::request_head::{self, RequestHead, Scan};
use super::response_head::ResponseFraming;
use crate::http1::{BodyEncoder, EncodeError, Outgoing, SMALL, WireError, poll_receive};
use crate::listener::ConnectionLimits;
use crate::listener::activity::Activity;
use crate::listener::stream::ClientStream;
use crate::request::InterimAnswers;

/// Told to a client that waits for it (RFC 9110, section 15.2.1).
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A stream, what has come of it and not been used, and what is to leave on it.
#[derive(Debug)]
pub(super) struct BufferedStream {
    pub(super) stream: ClientStream,
    pub(super) received: BytesMut,
    pub(super) outgoing: Outgoing,
    pub(super) activity: Arc<Activity>,
    /// Whether the client understands an interim answer, and has not been sent a final one.
    pub(super) takes_interim: bool,
    half_close: HalfClose,
    scan: Scan,
}

/// The client has left, and nobody is to be answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Gone {
    #[error("the client closed the connection")]
    Closed,
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    #[error("the response broke off")]
    Unanswered(#[source] Box<dyn Error + Send + Sync>),
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<EncodeError<E>> for Gone {
    fn from(error: EncodeError<E>) -> Self {
        Self::Unanswered(match error {
            EncodeError::Body(error) => error.into(),
            EncodeError::Length => "it is not of the length it stated".into(),
        })
    }
}

impl BufferedStream {
    pub(super) fn new(stream: ClientStream, activity: Arc<Activity>) -> Self {
        let (received, outgoing) = (BytesMut::new(), Outgoing::default());
        let (takes_interim, half_close) = (false, HalfClose::default());
        Self { stream, received, outgoing, activity, takes_interim, half_close, scan: Scan::default() }
    }

    /// The next head; `None` where the connection is over without one.
    pub(super) fn poll_head(
        &mut self,
        limits: &ConnectionLimits,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<RequestHead>, HeadError>> {
        loop {
            if let Some(head) = self.take_head(limits)? {
                self.activity.head(false);
                return Poll::Ready(Ok(Some(head)));
            }
            self.activity.head(!self.received.is_empty());
            if self.received.is_empty() {
                if self.activity.is_leaving() {
                    // A request that was sent before the client could know of the end is still answered.
                    match self.poll_receive(SMALL, cx) {
                        Poll::Ready(Ok(1..)) => continue,
                        Poll::Ready(Ok(0) | Err(_)) | Poll::Pending => return Poll::Ready(Ok(None)),
                    }
                }
                self.give_back_room();
            }
            match ready!(self.poll_receive(SMALL, cx)) {
                Ok(0) | Err(_) => return Poll::Ready(Ok(None)),
                Ok(_) => {}
            }
        }
    }

    fn take_head(&mut self, limits: &ConnectionLimits) -> Result<Option<RequestHead>, HeadError> {
        let Some(end) = self.scan.end(&self.received)? else {
            let full = self.received.len() >= limits.max_head;
            return if full { Err(HeadError::TooLarge) } else { Ok(None) };
        };
        if end > limits.max_head {
            return Err(HeadError::TooLarge);
        }
        let head = request_head::read(&self.received[..end], limits.max_fields)?;
        self.scan = Scan::default();
        self.received.advance(end);
        self.give_back_room();
        Ok(Some(head))
    }

    /// Feeds the handler the request's body as it asks for it; where it does not, looks whether the client is still
    /// there. Ready where something was fed.
    pub(super) fn poll_feed(
        &mut self,
        sender: &mut BodySender,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Gone>> {
        if sender.poll_wanted(cx).is_pending() {
            return if sender.is_broken() { Poll::Pending } else { self.poll_gone(cx) };
        }
        while !sender.feed(&mut self.received, cx) {
            // A client that has begun to send need not be asked to (RFC 9110, section 10.1.1).
            if sender.take_expectation() && self.received.is_empty() {
                self.outgoing.begin().extend_from_slice(CONTINUE);
            }
            if let Poll::Ready(Err(error)) = self.poll_write(cx) {
                return Poll::Ready(Err(error.into()));
            }
            if ready!(self.poll_receive(sender.room(), cx))? == 0 {
                sender.fail(WireError::Closed, cx);
                break;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Ready where the client has left. What it sends too early is kept, up to [`SMALL`] bytes; behind those
    /// nothing is read, and the system is asked whether the client has closed its side.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        while !self.half_close.is_seen() {
            let over = if self.received.len() < SMALL {
                ready!(self.poll_receive(SMALL, cx))? == 0
            } else {
                ready!(self.half_close.poll_look(cx));
                self.stream.is_read_closed(cx)
            };
            if over {
                self.half_close.saw();
                self.stream.ask_after_peer();
            }
        }
        self.poll_left(cx)
    }

    /// Ready where a client that has closed its side is gone altogether. One that waits for its answer looks
    /// the same, until something is sent to it: the system of a client that is gone answers with a reset.
    /// What is sent is an interim answer where the client takes one (RFC 9110, section 15.2), and otherwise
    /// the probes of TCP.
    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        loop {
            ready!(self.half_close.poll_look(cx));
            if self.stream.is_broken() {
                return Poll::Ready(Err(Gone::Closed));
            }
            if std::mem::take(&mut self.takes_interim) {
                self.outgoing.begin().extend_from_slice(CONTINUE);
                if let Poll::Ready(Err(error)) = self.poll_write(cx) {
                    return Poll::Ready(Err(error.into()));
                }
            }
        }
    }

    /// Polls what is awaited, and feeds the handler the request's body whenever that is pending.
    pub(super) fn poll_meanwhile<T>(
        &mut self,
        sender: &mut BodySender,
        cx: &mut Context<'_>,
        mut awaited: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<Result<T, Gone>>,
    ) -> Poll<Result<T, Gone>> {
        loop {
            if let Poll::Ready(came) = awaited(self, cx) {
                return Poll::Ready(came);
            }
            ready!(self.poll_feed(sender, cx))?;
        }
    }

    /// Writes what is said before the answer, as far as there is room. Behind it, the answer can be written.
    pub(super) fn write_interim(&mut self, interim: Option<&InterimAnswers>, framing: ResponseFraming) {
        let interim = interim.filter(|interim| !interim.is_empty() && self.outgoing.has_room());
        for answer in interim.into_iter().flat_map(InterimAnswers::take) {
            framing.write_interim(&answer, self.outgoing.begin());
        }
    }

    /// Sends what waits while there is no answer yet.
    pub(super) fn send_interim(&mut self, cx: &mut Context<'_>) -> Result<(), Gone> {
        match self.outgoing.is_empty() {
            true => Ok(()),
            false => match self.poll_write(cx) {
                Poll::Ready(written) => written.map_err(Gone::from),
                Poll::Pending => Ok(()),
            },
        }
    }

    /// Writes the head of the answer, and says how its body follows and whether the connection may go on then: not
    /// where the answer is ahead of the request, whose rest may never be read (RFC 9112, section 9.6).
    pub(super) fn begin_answer<B: Body>(
        &mut self,
        response: &Response<B>,
        mut framing: ResponseFraming,
        sender: &mut BodySender,
    ) -> (BodyEncoder, bool) {
        let ahead = sender.is_behind(self.received.len());
        // An interim answer behind the final one would be taken for one to the next request.
        self.takes_interim = false;
        // Nothing more can come of the client, and it may be told so.
        let last = self.half_close.is_seen() && self.received.is_empty();
        let ahead = mutant!(ahead, "early-answer-keeps-the-connection" => false);
        framing.persists &= !last && !ahead && !sender.is_broken() && !self.activity.is_leaving();
        // The final answer stands in for `100 Continue`, which is never sent after it.
        sender.take_expectation();
        framing.write(response, self.outgoing.begin())
    }

    /// Hands `body` on until all of it has left.
    pub(super) fn poll_send<B>(
        &mut self,
        body: &mut B,
        encoder: &mut BodyEncoder,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Gone>>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
    {
        let Self { stream, outgoing, activity, .. } = self;
        encoder.poll_send(body, outgoing, cx, |outgoing, cx| poll_write(outgoing, stream, activity, cx))
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_write(&mut self.outgoing, &mut self.stream, &self.activity, cx)
    }

    /// Reads what is there; 0 at the end.
    pub(super) fn poll_receive(&mut self, room: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        poll_receive(&mut self.stream, &mut self.received, room, cx)
    }

    /// A connection that waits holds no memory, neither for a head nor for a body.
    fn give_back_room(&mut self) {
        if self.received.is_empty() {
            self.received = BytesMut::new();
        }
    }
}

/// Writes everything, and notes whether the client takes it: one that takes a part of it reads, however slowly.
fn poll_write(
    outgoing: &mut Outgoing,
    stream: &mut ClientStream,
    activity: &Activity,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let before = outgoing.len();
    let written = outgoing.poll_write(stream, cx);
    if outgoing.len() < before {
        activity.blocked(false);
    }
    activity.blocked(written.is_pending());
    written
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::listener::stream::Prefixed;

    #[tokio::test]
    async fn invariant_14_a_silent_connection_keeps_no_room_of_a_body() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let stream = ClientStream::Clear(Prefixed::new(Bytes::new(), listener.accept().await.unwrap().0));
        let mut io = BufferedStream::new(stream, Activity::new());
        let limits = ConnectionLimits::default();
        client.write_all(b"POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n").await.unwrap();
        let head = std::future::poll_fn(|cx| io.poll_head(&limits, cx)).await.unwrap().unwrap();
        client.write_all(&vec![b'x'; 300_000]).await.unwrap();
        let (mut sender, reader) = BodySender::new(head.framing, head.expects);
        let mut body = pin!(http_body_util::BodyExt::collect(reader.unwrap()));
        let read = std::future::poll_fn(|cx| {
            io.poll_meanwhile(&mut sender, cx, |_, cx| body.as_mut().poll(cx).map(Ok))
        });
        assert_eq!(read.await.unwrap().unwrap().to_bytes().len(), 300_000);
        assert!(sender.finish(&mut io.received));
        std::future::poll_fn(|cx| {
            assert!(io.poll_head(&limits, cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert!(!io.received.try_reclaim(SMALL), "what was read into is still there");
    }
}
