//! One connection and the exchange on it.

use std::future::poll_fn;
use std::io::Cursor;
use std::pin::pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::task::unconstrained;

use super::head;
use super::upload::Upload;
use super::{Http1Error, UpstreamStream};
use crate::forward::body::OutboundBody;
use crate::forward::timer::Deadline;
use crate::http1::{BodyDecoder, LARGE, MAX_HEAD, Outgoing, SMALL, poll_receive};

/// Interim answers that are taken to one request: a server that sends them without end would hold it for ever.
const MAX_INTERIMS: u16 = 1000;

/// A connection to an upstream, and how far the exchange on it has come. Whoever waits for the answer polls it.
///
/// - [`Http1Connection::begin`] writes the request's head and takes its body, which goes out in every later call.
/// - [`Http1Connection::poll_answer`] reads past interim answers to the answer's head; `download` says from then on
///   what is still to come of its body.
/// - [`Http1Connection::poll_frame`] reads that, until it is done.
/// - Where both directions are whole and nothing was read beyond them ([`Http1Connection::is_reusable`]), it
///   [rests](Http1Connection::rest), and is looked at ([`Http1Connection::is_waiting`]) before it begins again.
///
/// An error at any point is the connection's end: it is dropped, and never begins another exchange (invariant 12).
#[derive(Debug)]
pub(in crate::forward) struct Http1Connection {
    stream: UpstreamStream,
    received: BytesMut,
    /// Bytes of a head that is not whole which have been searched for its end.
    seen: usize,
    /// Bytes of an answer of unknown length to make room for; doubled each time that so many came at once.
    appetite: usize,
    outgoing: Outgoing,
    upload: Option<Upload>,
    download: BodyDecoder,
    method: Method,
    max_fields: usize,
    persists: bool,
    /// How many more interim answers are taken before the exchange fails.
    interims: u16,
    /// When the head of the answer is due.
    pub(in crate::forward) deadline: Deadline,
}

impl Http1Connection {
    pub(in crate::forward) fn new(stream: UpstreamStream, max_fields: usize) -> Self {
        Self {
            stream,
            received: BytesMut::new(),
            seen: 0,
            appetite: SMALL,
            outgoing: Outgoing::default(),
            upload: None,
            download: BodyDecoder::DONE,
            method: Method::GET,
            max_fields,
            persists: false,
            interims: MAX_INTERIMS,
            deadline: Deadline::new(),
        }
    }

    /// Begins an exchange, whose answer is due within `limit`. Its head holds `lines` behind its own fields.
    /// Takes the request's body, which is sent while the answer is waited for.
    pub(in crate::forward) fn begin(
        &mut self,
        request: &mut Request<OutboundBody>,
        lines: &[&[u8]],
        limit: Duration,
    ) {
        self.deadline.begin(limit);
        head::write(request, lines, self.outgoing.begin());
        self.upload = Upload::of(std::mem::replace(request.body_mut(), OutboundBody::EMPTY));
        self.method.clone_from(request.method());
        self.download = BodyDecoder::DONE;
        self.persists = false;
        self.interims = MAX_INTERIMS;
    }

    /// Sends what can be sent, and waits for the head of the answer. `interim` is told what is said before it
    /// (RFC 9110, section 15.2).
    pub(in crate::forward) fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        interim: &dyn Fn(Response<()>),
    ) -> Poll<Result<Response<()>, Http1Error>> {
        self.send(cx)?;
        loop {
            if let Some(head) = self.read_head()? {
                if is_interim(head.response.status()) {
                    self.interims = self
                        .interims
                        .checked_sub(1)
                        .ok_or(Http1Error::Malformed("answer is put off too often"))?;
                    interim(head.response);
                    continue;
                }
                self.download = head.download;
                self.persists = head.persists;
                return Poll::Ready(Ok(head.response));
            }
            if ready!(self.poll_receive(SMALL, cx))? == 0 {
                return Poll::Ready(Err(Http1Error::Closed));
            }
        }
    }

    /// Whether nothing of the request has left.
    pub(in crate::forward) const fn is_unsent(&self) -> bool {
        !self.outgoing.has_left()
    }

    /// Whether not a byte of an answer has come.
    pub(in crate::forward) fn is_silent(&self) -> bool {
        self.received.is_empty() && self.interims == MAX_INTERIMS
    }

    /// The next frame of the answer's body; `None` where it is whole.
    pub(in crate::forward) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Http1Error>>> {
        self.send(cx)?;
        loop {
            if let Some(frame) = self.download.take(&mut self.received)? {
                return Poll::Ready(Some(Ok(frame)));
            }
            if self.download.is_done() {
                return Poll::Ready(None);
            }
            if ready!(self.poll_receive(self.download.room(self.appetite), cx))? == 0 {
                self.download.close()?;
            }
        }
    }

    /// Whether the answer's body is whole.
    pub(in crate::forward) const fn is_answered(&self) -> bool {
        self.download.is_done()
    }

    pub(in crate::forward) fn size_hint(&self) -> SizeHint {
        self.download.size_hint()
    }

    /// Whether all of the request has left.
    pub(in crate::forward) fn is_sent(&self) -> bool {
        self.upload.is_none() && self.outgoing.is_whole()
    }

    /// Whether another exchange may follow: both directions of this one are whole, and nothing came that
    /// nobody asked for (invariant 12).
    pub(in crate::forward) fn is_reusable(&self) -> bool {
        self.download.is_done() && self.is_sent() && self.persists && self.received.is_empty()
    }

    /// Gives back the memory that only an exchange needs.
    pub(in crate::forward) fn rest(&mut self) {
        self.appetite = SMALL;
        self.received = BytesMut::new();
    }

    /// Whether nothing has come while it waited. What does come unasked makes it useless: an end, or bytes
    /// that the next request would take for its answer.
    pub(in crate::forward) fn is_waiting(&mut self) -> bool {
        if !self.received.is_empty() {
            return false;
        }
        // Unconstrained: a task that has used up its budget would be told that every connection waits.
        let look = unconstrained(poll_fn(|cx| self.poll_receive(SMALL, cx)));
        let waits = pin!(look).poll(&mut Context::from_waker(Waker::noop())).is_pending();
        let waits = mutant!(waits, "bytes-behind-an-answer" => true);
        if waits {
            self.received = BytesMut::new();
        }
        waits
    }

    /// The stream, which is another protocol's now. What has come of that already is read first.
    pub(in crate::forward) fn into_tunnel(self) -> impl AsyncRead + AsyncWrite + Unpin {
        let (rest, outgoing) = tokio::io::split(self.stream);
        tokio::io::join(Cursor::new(self.received).chain(rest), outgoing)
    }

    /// Sends what can be sent now. A server that stops reading may have answered before: its answer
    /// counts, and then the connection ends.
    pub(in crate::forward) fn send(&mut self, cx: &mut Context<'_>) -> Result<(), Http1Error> {
        match self.poll_send(cx) {
            Poll::Ready(Err(Http1Error::Broken(_))) if self.outgoing.has_left() => {
                self.upload = None;
                self.outgoing.give_up();
                Ok(())
            }
            Poll::Ready(sent) => sent,
            Poll::Pending => Ok(()),
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Http1Error>> {
        let Some(upload) = &mut self.upload else {
            return self.outgoing.poll_write(&mut self.stream, cx).map_err(Http1Error::from);
        };
        let sent = upload.poll_send(&mut self.outgoing, &mut self.stream, cx);
        if upload.is_done() {
            self.upload = None;
        }
        sent
    }

    /// Parses the head of an answer, where it may be whole. One that comes byte by byte is not parsed anew at each of
    /// them, which would cost the square of its length.
    fn read_head(&mut self) -> Result<Option<head::ResponseHead>, Http1Error> {
        let begun = self.seen > 0 && self.received.len() < MAX_HEAD;
        if self.received.is_empty() || begun && !may_end(unseen(&mut self.seen, &self.received)) {
            return Ok(None);
        }
        let head = head::read(&mut self.received, &self.method, self.max_fields)?;
        self.seen = if head.is_some() { 0 } else { self.received.len() };
        Ok(head)
    }

    fn poll_receive(&mut self, room: usize, cx: &mut Context<'_>) -> Poll<Result<usize, Http1Error>> {
        let size = ready!(poll_receive(&mut self.stream, &mut self.received, room, cx))?;
        if size >= room {
            self.appetite = (self.appetite * 2).min(LARGE);
        }
        Poll::Ready(Ok(size))
    }
}

/// Whether the answer itself is still to come.
fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}

/// What of `received` has not been looked at yet, and before it what the end of a head may begin with; `seen`
/// bytes have been.
pub(super) fn unseen<'a>(seen: &mut usize, received: &'a [u8]) -> &'a [u8] {
    let from = std::mem::replace(seen, received.len()).saturating_sub(3);
    received.get(from..).unwrap_or_default()
}

/// Whether the end of a head may be in there.
fn may_end(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|end| end == b"\n\n") || bytes.windows(3).any(|end| end == b"\n\r\n")
}
