//! Bodies in chunks, in and out, against hyper's decoder.

mod hyper;

use std::convert::Infallible;
use std::task::{Context, Waker};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{HeaderMap, Method, header};
use http_body::Frame;
use http_body_util::StreamBody;

pub use self::hyper::{Whole, requests, response};
use super::{BodyDecoder, BodyEncoder, Chunk, Outgoing, WireError};
use crate::fuzzing::{cut, fields};

/// What comes of a peer, in pieces.
#[derive(Debug)]
pub struct Pieces<'a> {
    /// What has come and was not taken.
    pub received: BytesMut,
    left: &'a [u8],
    size: usize,
}

impl<'a> Pieces<'a> {
    /// `bytes` in pieces of `size`.
    pub fn new(bytes: &'a [u8], size: usize) -> Self {
        Self { received: BytesMut::new(), left: bytes, size: size.max(1) }
    }

    /// The next piece comes; whether there was one.
    pub fn receive(&mut self) -> bool {
        let (piece, left) = self.left.split_at(self.size.min(self.left.len()));
        self.received.extend_from_slice(piece);
        self.left = left;
        !piece.is_empty()
    }

    /// A body that is framed so, to its end.
    ///
    /// # Errors
    /// Where it is none, or not whole.
    pub fn body(&mut self, mut framing: BodyDecoder) -> Result<Whole, WireError> {
        let mut whole = Whole::default();
        while !framing.is_done() {
            match framing.take(&mut self.received)?.map(Frame::into_data) {
                Some(Ok(data)) => whole.data.extend_from_slice(&data),
                Some(Err(frame)) => whole.trailers = frame.into_trailers().unwrap_or_default(),
                None if framing.is_done() || self.receive() => {}
                None => framing.close()?,
            }
        }
        whole.trailers = without_persistence(whole.trailers);
        Ok(whole)
    }

    /// Bytes that were not taken.
    pub fn rest(&self) -> Vec<u8> {
        [&self.received[..], self.left].concat()
    }
}

/// Fields without what our readers leave out of them: `Connection`, where it names no other field.
pub fn without_persistence(mut fields: HeaderMap) -> HeaderMap {
    fields.remove(header::CONNECTION);
    fields
}

/// Chunks, and what stands behind them.
///
/// The first byte is the size of pieces, the rest is what comes; and once more the rest is what is sent, with the
/// lines behind its first empty line for trailers.
pub fn chunked_bodies(data: &[u8]) {
    let Some((size, wire)) = data.split_first() else { return };
    let size = usize::from(*size).max(1);
    incoming(wire, size);
    outgoing(wire, size);
}

const REQUEST: &[u8] = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn incoming(bytes: &[u8], size: usize) {
    let read = |size| {
        let mut wire = Pieces::new(bytes, size);
        wire.body(BodyDecoder::Chunked(Chunk::Line)).ok().map(|whole| (whole, wire.rest()))
    };
    let ours = read(size);
    assert_eq!(ours, read(bytes.len()), "the same, however it is cut");
    let Some((ours, _)) = ours else { return };
    assert_eq!(of_request(bytes, size), Some(ours.clone()), "hyper's server reads another body");
    assert_eq!(of_response(bytes, size), Some(ours), "hyper's client reads another body");
}

fn of_request(body: &[u8], size: usize) -> Option<Whole> {
    let (_, whole) = requests(&[REQUEST, body].concat(), size).into_iter().next()?;
    Some(Whole { trailers: without_persistence(whole.trailers), ..whole })
}

fn of_response(body: &[u8], size: usize) -> Option<Whole> {
    let (_, whole) = response(&[RESPONSE, body].concat(), size, &Method::GET)?;
    Some(Whole { trailers: without_persistence(whole.trailers), ..whole })
}

fn outgoing(data: &[u8], size: usize) {
    let (data, trailers) = cut(data, b"\n\n");
    let sent = Whole { data: data.to_vec(), trailers: without_persistence(fields(trailers)) };
    let chunks = written(&sent, size, BodyEncoder::Chunked { trailers: true });
    assert_eq!(of_response(&chunks, size).as_ref(), Some(&sent), "hyper's client reads another body");
    let mut wire = Pieces::new(&chunks, size);
    assert_eq!(wire.body(BodyDecoder::Chunked(Chunk::Line)).ok().as_ref(), Some(&sent));
    assert!(wire.rest().is_empty(), "the next message begins behind it");
    let untold = Whole { trailers: HeaderMap::new(), ..sent.clone() };
    let chunks = written(&sent, size, BodyEncoder::Chunked { trailers: false });
    assert_eq!(of_request(&chunks, size), Some(untold), "who takes no trailers gets none");
}

/// The bytes that our writer makes of a body that comes in frames of `size`.
pub fn written(body: &Whole, size: usize, mut encoder: BodyEncoder) -> Vec<u8> {
    let mut frames: Vec<_> = body
        .data
        .chunks(size)
        .map(|data| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(data))))
        .collect();
    frames.extend((!body.trailers.is_empty()).then(|| Ok(Frame::trailers(body.trailers.clone()))));
    let (mut body, mut outgoing, mut bytes) =
        (StreamBody::new(stream::iter(frames)), Outgoing::default(), Vec::new());
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        let filled = encoder.poll_fill(&mut body, &mut outgoing, &mut cx);
        assert!(outgoing.poll_write(&mut bytes, &mut cx).is_ready(), "memory takes everything");
        if filled.is_ready() {
            return bytes;
        }
    }
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::fuzzing::smoke("chunked_bodies", 1000, chunked_bodies);
}
