//! One connection from its first request to its last.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, StatusCode, Version};
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::body_channel::BodySender;
use super::buffered_stream::{BufferedStream, Gone};
use super::head_error::{Ambiguity, HeadError};
use super::request_head::RequestHead;
use super::response_head::{ResponseFraming, write_refusal};
use crate::http1::{BodyEncoder, Io, SMALL, Upgrade};
use crate::listener::activity::Activity;
use crate::listener::connection_slots::ConnectionGuard;
use crate::listener::request_body::RequestBody;
use crate::listener::stats::ConnectionRefusal;
use crate::listener::stream::{HttpStream, Prefixed, Watched};
use crate::listener::watch::Graceful;
use crate::listener::{Handler, Serving};
use crate::request::{InterimAnswers, Transport};

/// How long a client that is still sending is given to read an answer that ends the connection, and how many
/// bytes of it are read away meanwhile. A close at once would be a reset, which overtakes the answer (RFC
/// 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 1024 * 1024;

/// A connection that speaks HTTP/1.1: one exchange after another, all on one task.
///
/// It waits for a head; has the handler answer, and feeds it the request's body as it asks for it; sends the answer,
/// and feeds whoever still reads. [`AfterExchange`] says where it goes from there. A head that cannot be read is
/// answered and lingers; where the client is gone, it ends without an answer.
///
/// No head is read before the exchange before is whole in both directions: what follows a body whose end was not
/// reached is nowhere taken for a request (invariant 12).
pub(in crate::listener) struct Http1<H> {
    handler: H,
    transport: Arc<Transport>,
    serving: Arc<Serving>,
    guard: ConnectionGuard,
    io: BufferedStream,
}

/// What comes after an exchange.
enum AfterExchange {
    /// Both directions are whole, and both sides would go on: the next request.
    Request,
    /// One side would not go on, and the client has nothing more to say: the end.
    End,
    /// The client sends on, and nobody parses it: it is read away for a while, so that the answer arrives.
    Linger,
    /// The protocol has changed: the stream is handed to whoever asked for the upgrade.
    Tunnel(oneshot::Sender<Box<dyn Io>>),
}

/// How the answer to a request went that has been sent to its end.
struct Answered {
    /// Whether the protocol is another one now.
    switched: bool,
    /// Whether both sides would go on.
    persists: bool,
}

/// A request on its way to the handler, and what becomes of its connection.
struct Begun {
    request: Request<RequestBody>,
    sender: BodySender,
    framing: ResponseFraming,
    upgrade: Option<oneshot::Sender<Box<dyn Io>>>,
}

impl<H: Handler> Http1<H> {
    pub(in crate::listener) fn new(
        handler: H,
        transport: Arc<Transport>,
        serving: Arc<Serving>,
        HttpStream { stream, activity, guard }: HttpStream,
    ) -> Self {
        Self { handler, transport, serving, guard, io: BufferedStream::new(stream, activity) }
    }

    /// Serves until the client or the server ends it; time limits are kept by `Watch`, which polls it.
    pub(in crate::listener) fn served(self) -> impl Graceful + Send {
        let activity = Arc::clone(&self.io.activity);
        Served { serving: Box::pin(self.serve()), activity }
    }

    async fn serve(mut self) {
        loop {
            let next = match poll_fn(|cx| self.io.poll_head(&self.serving.limits, cx)).await {
                // Boxed: a connection that waits has no use for the room of an exchange.
                Ok(Some(head)) => Box::pin(self.exchange(head)).await,
                Ok(None) => Ok(AfterExchange::End),
                Err(error) => return Box::pin(self.refuse(&error)).await,
            };
            match next {
                // A client that sends many requests at once must not keep the worker from all others.
                Ok(AfterExchange::Request) if !self.io.received.is_empty() => yield_now().await,
                Ok(AfterExchange::Request) => {}
                // Where this fails the client is gone, and there is nobody to tell.
                Ok(AfterExchange::End) => return drop(self.io.stream.shutdown().await),
                Ok(AfterExchange::Linger) => return Box::pin(self.linger()).await,
                Ok(AfterExchange::Tunnel(upgraded)) => return self.hand_over(upgraded),
                Err(gone) => return tracing::debug!(reason = %gone, "connection ended early"),
            }
        }
    }

    async fn exchange(&mut self, head: RequestHead) -> Result<AfterExchange, Gone> {
        let Begun { request, mut sender, framing, upgrade } = begin(head);
        // HTTP/1.0 knows no interim answers (RFC 9110, section 15.2).
        self.io.takes_interim = request.version() == Version::HTTP_11;
        // Until the answer has been sent, silence of the client is not idleness.
        let _in_flight = self.io.activity.begin();
        let answered = self.answer(request, framing, &mut sender).await;
        if sender.is_malformed() {
            self.handler.unreadable(&self.transport, &Ambiguity::Chunk, None);
            self.guard.stats().count(ConnectionRefusal::Ambiguous);
        }
        let Answered { switched, persists } = answered?;
        let whole = sender.finish(&mut self.io.received);
        Ok(match upgrade.filter(|_| switched) {
            Some(upgraded) => AfterExchange::Tunnel(upgraded),
            None if switched => AfterExchange::End,
            None if whole && persists => AfterExchange::Request,
            None if whole && self.io.received.is_empty() => AfterExchange::End,
            None => AfterExchange::Linger,
        })
    }

    /// Lets the handler answer, and feeds it the request's body meanwhile; sends the answer, and goes on feeding
    /// whoever still reads.
    async fn answer(
        &mut self,
        request: Request<RequestBody>,
        framing: ResponseFraming,
        sender: &mut BodySender,
    ) -> Result<Answered, Gone> {
        let io = &mut self.io;
        let mut response = {
            let interim = self.transport.interim.as_ref();
            let mut handling = pin!(self.handler.handle(&self.transport, request));
            let mut handled = |io: &mut BufferedStream, cx: &mut Context<'_>| {
                let handled = handling.as_mut().poll(cx);
                io.write_interim(interim, framing);
                if handled.is_pending() {
                    io.send_interim(cx)?;
                }
                handled.map(Ok)
            };
            let response = poll_fn(|cx| io.poll_meanwhile(sender, cx, &mut handled)).await?;
            // What found no room before this answer is dropped, or it would stand before that to the next request.
            mutant!(drop(interim.map(InterimAnswers::take)), "interim-answer-to-the-next" => ());
            response
        };
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let (mut encoder, persists) = io.begin_answer(&response, framing, sender);
        // Nothing but the connection's end marks the body's. Where it breaks off, the client must see a reset: after
        // a close it would take the part for the whole.
        let unmarked = encoder == BodyEncoder::Close;
        if unmarked {
            io.stream.reset_at_close(true);
        }
        let body = response.body_mut();
        poll_fn(|cx| io.poll_meanwhile(sender, cx, |io, cx| io.poll_send(body, &mut encoder, cx))).await?;
        if unmarked {
            io.stream.reset_at_close(false);
        }
        Ok(Answered { switched, persists })
    }

    /// Answers a head that cannot be read, and ends the connection.
    async fn refuse(mut self, error: &HeadError) {
        let (status, refusal) = (error.status(), error.refusal());
        self.guard.stats().count(refusal);
        self.handler.unreadable(&self.transport, error, Some(status));
        self.io.activity.head(false);
        write_refusal(status, &error.to_string(), self.io.outgoing.begin());
        if poll_fn(|cx| self.io.poll_write(cx)).await.is_ok() {
            self.linger().await;
        }
    }

    /// Closes our side, and reads away what still comes ([`LINGER`]).
    async fn linger(mut self) {
        let _ = self.io.stream.shutdown().await;
        let io = &mut self.io;
        let read_away = async {
            let mut left = LINGER_BYTES;
            while let Ok(size @ 1..) = poll_fn(|cx| io.poll_receive(SMALL, cx)).await {
                io.received.clear();
                let Some(less) = left.checked_sub(size) else { return };
                left = less;
            }
        };
        let _ = timeout(LINGER, read_away).await;
    }

    fn hand_over(self, upgraded: oneshot::Sender<Box<dyn Io>>) {
        let BufferedStream { stream, received, activity, .. } = self.io;
        let stream = Watched::new(stream, activity, self.guard);
        // Where nobody waits for it any more it is closed.
        let _ = upgraded.send(Box::new(Prefixed::new(received.freeze(), stream)));
    }
}

/// A connection that is being served.
struct Served<F> {
    serving: Pin<Box<F>>,
    activity: Arc<Activity>,
}

impl<F: Future<Output = ()> + Send> Graceful for Served<F> {
    fn poll_end(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.serving.as_mut().poll(cx)
    }

    fn finish(self: Pin<&mut Self>) {
        self.activity.leave();
    }
}

fn begin(head: RequestHead) -> Begun {
    let framing = ResponseFraming::of(&head);
    let (sender, reader) = BodySender::new(head.framing, head.expects);
    let mut request = Request::new(reader.map_or(RequestBody::EMPTY, RequestBody::http1));
    (*request.method_mut(), *request.uri_mut()) = (head.method, head.uri);
    (*request.version_mut(), *request.headers_mut()) = (head.version, head.fields);
    let upgrade = head.upgrades.then(|| {
        let (sender, receiver) = oneshot::channel();
        let handover = async { receiver.await.map_err(std::io::Error::other) };
        request.extensions_mut().insert(Upgrade::new(handover));
        sender
    });
    Begun { request, sender, framing, upgrade }
}
