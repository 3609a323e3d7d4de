//! Requests as we read them and responses as we write them, against hyper.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use std::convert::Infallible;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Response, StatusCode, Version, header};
use http_body::Frame;
use http_body_util::StreamBody;

use super::request_head::{self, RequestHead, Scan};
use super::response_head::ResponseFraming;
use crate::fuzzing::{cut, fields};
use crate::http1::BodyEncoder;
use crate::http1::fuzzing::{Pieces, Whole, response, without_persistence, written};

/// Fields that a head may have.
const FIELDS: usize = 100;

/// What was understood of a request.
#[derive(Debug, PartialEq)]
struct Message {
    method: Method,
    uri: String,
    version: Version,
    fields: HeaderMap,
    body: Whole,
}

/// Everything that a client sends on one connection: whatever we take for a whole request, hyper reads the same,
/// and in the same place.
///
/// The first byte is the size of pieces, the rest is what comes.
pub fn requests(data: &[u8]) {
    let Some((size, pieces)) = data.split_first() else { return };
    let size = usize::from(*size).max(1);
    let ours = read(pieces, size);
    assert_eq!(ours, read(pieces, pieces.len()), "the same, however it is cut");
    let theirs: Vec<_> = crate::http1::fuzzing::requests(pieces, size)
        .into_iter()
        .map(|(parts, body)| Message {
            method: parts.method,
            uri: parts.uri.to_string(),
            version: parts.version,
            fields: without_persistence(parts.headers),
            body: Whole { trailers: without_persistence(body.trailers), ..body },
        })
        .collect();
    assert!(theirs.len() >= ours.len(), "hyper sees fewer requests:\n{ours:#?}\n{theirs:#?}");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs, "hyper reads another request");
    }
}

/// The whole requests of a connection, up to the last that we would take.
fn read(bytes: &[u8], size: usize) -> Vec<Message> {
    let (mut pieces, mut messages) = (Pieces::new(bytes, size), Vec::new());
    while let Some(head) = next(&mut pieces) {
        let lasts = ResponseFraming::of(&head).persists;
        let Ok(body) = pieces.body(head.framing) else { break };
        messages.push(Message {
            method: head.method,
            uri: head.uri.to_string(),
            version: head.version,
            fields: without_persistence(head.fields),
            body,
        });
        if !lasts {
            break;
        }
    }
    messages
}

fn next(pieces: &mut Pieces<'_>) -> Option<RequestHead> {
    let mut scan = Scan::default();
    loop {
        match scan.end(&pieces.received) {
            Ok(Some(end)) => return request_head::read(&pieces.received.split_to(end), FIELDS).ok(),
            Ok(None) if pieces.receive() => {}
            Ok(None) | Err(_) => return None,
        }
    }
}

/// A response as a handler gives it, written to who asked: hyper reads what was given, and nothing behind it.
///
/// The first line is the asking request's method and the status, then come fields, an empty line, and the body, which
/// is told its length where the size of pieces (the first byte) is even.
pub fn written_responses(data: &[u8]) {
    let Some((size, text)) = data.split_first() else { return };
    let (size, told) = (usize::from(*size).max(1), size.is_multiple_of(2));
    let (lines, body) = cut(text, b"\n\n");
    let (line, lines) = cut(lines, b"\n");
    let (method, status) = cut(line, b" ");
    let (Some(asking), Ok(status)) = (asking(method), StatusCode::from_bytes(status)) else { return };
    if status.is_informational() {
        return;
    }
    let mut given = Response::new(());
    *given.status_mut() = status;
    *given.headers_mut() = fields(lines);
    let length = if told { Some(body.len()) } else { None };
    let sent = Whole { data: body.to_vec(), trailers: HeaderMap::new() };
    let (bytes, encoder) = bytes(&asking, &given, &sent, length, size);
    let (parts, read) = response(&bytes, size, &asking.method).expect("hyper reads no response");
    assert_eq!(parts.status, status);
    assert_eq!(own(parts.headers), own(given.headers().clone()), "hyper reads other fields");
    assert_eq!(read.data, if encoder == BodyEncoder::Done { Vec::new() } else { sent.data });
    let behind = [&bytes[..], b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"].concat();
    if encoder != BodyEncoder::Close {
        let (again, _) = response(&behind, size, &asking.method).expect("hyper reads no response");
        assert_eq!(again.status, status, "the next answer begins behind it");
    }
}

fn asking(method: &[u8]) -> Option<RequestHead> {
    let method = Method::from_bytes(method).ok().filter(|method| *method != Method::CONNECT)?;
    request_head::read(format!("{method} / HTTP/1.1\r\nTE: trailers\r\n\r\n").as_bytes(), FIELDS).ok()
}

fn bytes(
    asking: &RequestHead,
    given: &Response<()>,
    sent: &Whole,
    length: Option<usize>,
    size: usize,
) -> (Vec<u8>, BodyEncoder) {
    let mut head = BytesMut::new();
    let asked = ResponseFraming::of(asking);
    let (encoder, _) = match length {
        Some(_) => {
            let body = http_body_util::Full::new(Bytes::copy_from_slice(&sent.data));
            asked.write(&given.clone().map(|()| body), &mut head)
        }
        None => {
            let frames = futures_util::stream::empty::<Result<Frame<Bytes>, Infallible>>();
            asked.write(&given.clone().map(|()| StreamBody::new(frames)), &mut head)
        }
    };
    let body = if encoder == BodyEncoder::Done { Vec::new() } else { written(sent, size, encoder) };
    ([&head[..], &body].concat(), encoder)
}

/// Without the fields that are the connection's to say.
fn own(mut fields: HeaderMap) -> HeaderMap {
    for name in [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::DATE] {
        fields.remove(name);
    }
    fields
}

#[cfg(test)]
#[test]
fn smoke_requests() {
    crate::fuzzing::smoke("requests", 1500, requests);
}

#[cfg(test)]
#[test]
fn smoke_written_responses() {
    crate::fuzzing::smoke("written_responses", 500, written_responses);
}
