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

use super::super::activity::Activity;
use super::super::request_body::RequestBody;
use super::super::room::Seat;
use super::super::stats::Refusal;
use super::super::stream::{Prefixed, Stream, Watched};
use super::super::watch::Graceful;
use super::super::{Handler, Serving};
use super::answer::{Asked, write_refusal};
use super::head::Head;
use super::refused::{Ambiguity, Refused};
use super::slot::Feeder;
use super::wire::{Gone, Wire};
use crate::http1::{BodyEncoder, Io, SMALL, Upgrade};
use crate::request::{InterimAnswers, Transport};

/// A client that is still sending has so long, and so many bytes, to read an answer that ends the connection: a
/// close at once would be a reset, which overtakes the answer (RFC 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 1024 * 1024;

/// A connection that speaks HTTP/1.1.
pub(in super::super) struct Http1<H> {
    handler: H,
    transport: Arc<Transport>,
    serving: Arc<Serving>,
    seat: Seat,
    wire: Wire,
}

/// What comes after an exchange.
enum Next {
    Request,
    End,
    /// The client sends on, and nobody reads it.
    Linger,
    Tunnel(oneshot::Sender<Box<dyn Io>>),
}

/// An exchange of which all has been said.
struct Answered {
    /// Whether the protocol is another one now.
    switched: bool,
    /// Whether both sides would go on.
    persists: bool,
}

/// A request on its way to the handler, and what becomes of its connection.
struct Begun {
    request: Request<RequestBody>,
    feeder: Feeder,
    asked: Asked,
    upgrade: Option<oneshot::Sender<Box<dyn Io>>>,
}

impl<H: Handler> Http1<H> {
    pub(in super::super) fn new(
        (handler, transport, serving): (H, Arc<Transport>, Arc<Serving>),
        (stream, activity, seat): (Stream, Arc<Activity>, Seat),
    ) -> Self {
        Self { handler, transport, serving, seat, wire: Wire::new(stream, activity) }
    }

    /// Serves until the client or the server ends it; time limits are for whoever polls it.
    pub(in super::super) fn served(self) -> impl Graceful + Send {
        let activity = Arc::clone(&self.wire.activity);
        Served { serving: Box::pin(self.serve()), activity }
    }

    async fn serve(mut self) {
        loop {
            let next = match poll_fn(|cx| self.wire.poll_head(&self.serving.limits, cx)).await {
                // Boxed: a connection that waits has no use for the room of an exchange.
                Ok(Some(head)) => Box::pin(self.exchange(head)).await,
                Ok(None) => Ok(Next::End),
                Err(refused) => return Box::pin(self.refuse(&refused)).await,
            };
            match next {
                // Whoever sends many requests at once, and reads nothing, keeps the worker from nobody else.
                Ok(Next::Request) if !self.wire.received.is_empty() => yield_now().await,
                Ok(Next::Request) => {}
                Ok(Next::End) => return self.end().await,
                Ok(Next::Linger) => return Box::pin(self.linger()).await,
                Ok(Next::Tunnel(upgraded)) => return self.hand_over(upgraded),
                Err(gone) => return tracing::debug!(reason = %gone, "connection ended early"),
            }
        }
    }

    async fn exchange(&mut self, head: Head) -> Result<Next, Gone> {
        let Begun { request, mut feeder, asked, upgrade } = begin(head);
        self.wire.takes_interim = request.version() == Version::HTTP_11;
        let _in_flight = self.wire.activity.begin();
        let answered = self.answer(request, asked, &mut feeder).await;
        if feeder.is_malformed() {
            let client = self.transport.peer.ip();
            tracing::info!(%client, reason = %Ambiguity::Chunk, "the rest of a request refused");
            self.seat.count(Refusal::Ambiguous);
        }
        let Answered { switched, persists } = answered?;
        let whole = feeder.finish(&mut self.wire.received);
        Ok(match upgrade.filter(|_| switched) {
            Some(upgraded) => Next::Tunnel(upgraded),
            None if switched => Next::End,
            None if whole && persists => Next::Request,
            None if whole && self.wire.received.is_empty() => Next::End,
            None => Next::Linger,
        })
    }

    /// Lets the handler answer, and feeds it the request's body meanwhile; sends the answer, and goes on feeding
    /// whoever still reads.
    async fn answer(
        &mut self,
        request: Request<RequestBody>,
        asked: Asked,
        feeder: &mut Feeder,
    ) -> Result<Answered, Gone> {
        let wire = &mut self.wire;
        let mut response = {
            let interim = self.transport.interim.as_ref();
            let mut handling = pin!(self.handler.handle(&self.transport, request));
            let handled = |wire: &mut Wire, cx: &mut Context<'_>| {
                let handled = handling.as_mut().poll(cx);
                wire.write_interim(interim, asked);
                if handled.is_pending() {
                    wire.send_interim(cx)?;
                }
                handled.map(Ok)
            };
            let mut handled = handled;
            let response = poll_fn(|cx| wire.poll_meanwhile(feeder, cx, &mut handled)).await?;
            // There was no room for it: it must not stand before the answer to somebody else's request.
            mutant!(drop(interim.map(InterimAnswers::take)), "interim-answer-to-the-next" => ());
            response
        };
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let (mut encoder, persists) = wire.begin_answer(&response, asked, feeder);
        // Its end is the connection's: a client would take a part for the whole.
        let unmarked = encoder == BodyEncoder::Close;
        if unmarked {
            wire.stream.reset_at_close(true);
        }
        let body = response.body_mut();
        poll_fn(|cx| wire.poll_meanwhile(feeder, cx, |wire, cx| wire.poll_send(body, &mut encoder, cx)))
            .await?;
        if unmarked {
            wire.stream.reset_at_close(false);
        }
        Ok(Answered { switched, persists })
    }

    async fn refuse(mut self, refused: &Refused) {
        let (status, refusal) = (refused.status(), refused.refusal());
        self.seat.count(refusal);
        let client = self.transport.peer.ip();
        tracing::info!(%client, reason = %refused, answer = status.as_u16(), "unreadable request refused");
        self.wire.activity.head(false);
        write_refusal(status, &refused.to_string(), self.wire.outgoing.begin());
        if poll_fn(|cx| self.wire.poll_write(cx)).await.is_ok() {
            self.linger().await;
        }
    }

    /// Whatever cannot be sent any more is of no use to anybody.
    async fn end(mut self) {
        let _ = self.wire.stream.shutdown().await;
    }

    async fn linger(mut self) {
        let _ = self.wire.stream.shutdown().await;
        let wire = &mut self.wire;
        let read_away = async {
            let mut left = LINGER_BYTES;
            while let Ok(size @ 1..) = poll_fn(|cx| wire.poll_receive(SMALL, cx)).await {
                wire.received.clear();
                let Some(less) = left.checked_sub(size) else { return };
                left = less;
            }
        };
        let _ = timeout(LINGER, read_away).await;
    }

    fn hand_over(self, upgraded: oneshot::Sender<Box<dyn Io>>) {
        let Wire { stream, received, activity, .. } = self.wire;
        let stream = Watched::new(stream, activity, self.seat);
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

fn begin(head: Head) -> Begun {
    let asked = Asked::of(&head);
    let (feeder, reader) = Feeder::new(head.framing, head.expects);
    let mut request = Request::new(reader.map_or(RequestBody::EMPTY, RequestBody::http1));
    (*request.method_mut(), *request.uri_mut()) = (head.method, head.uri);
    (*request.version_mut(), *request.headers_mut()) = (head.version, head.fields);
    let upgrade = head.upgrades.then(|| {
        let (sender, receiver) = oneshot::channel();
        let handover = async { receiver.await.map_err(std::io::Error::other) };
        request.extensions_mut().insert(Upgrade::new(handover));
        sender
    });
    Begun { request, feeder, asked, upgrade }
}
