//! Responses as we read them and requests as we write them, against hyper.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use bytes::BytesMut;
use http::{HeaderMap, Method, Request, StatusCode, Version, header};

use super::head;
use crate::forward::{PathRewrite, rewrite};
use crate::fuzzing::{cut, fields};
use crate::http1::BodyDecoder;
use crate::http1::fuzzing::{Pieces, Whole, without_persistence};
use crate::request::RequestPath;

/// Fields that a head may have.
const FIELDS: usize = 100;

/// Everything that an upstream answers to one request: whatever we take for a whole response, hyper reads the same.
///
/// The first byte is the size of pieces and, by its two highest bits, what was asked; the rest is what comes.
pub fn responses(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let asked = [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS][usize::from(first >> 6)].clone();
    let size = usize::from(first & 63).max(1);
    let ours = read(bytes, size, &asked);
    assert_eq!(ours, read(bytes, bytes.len(), &asked), "the same, however it is cut");
    let Some((status, fields, body)) = ours else { return };
    let (parts, theirs) =
        crate::http1::fuzzing::response(bytes, size, &asked).expect("hyper reads no whole response");
    assert_eq!(parts.status, status);
    assert_eq!(without_persistence(parts.headers), fields, "hyper reads other fields");
    let theirs = Whole { trailers: without_persistence(theirs.trailers), ..theirs };
    assert_eq!(theirs, body, "hyper reads another body");
}

/// Status, fields and body of the response that is no interim one.
fn read(bytes: &[u8], size: usize, asked: &Method) -> Option<(StatusCode, HeaderMap, Whole)> {
    let mut pieces = Pieces::new(bytes, size);
    loop {
        match head::read(&mut pieces.received, asked, FIELDS).ok()? {
            None if pieces.receive() => {}
            None => return None,
            Some(head) => {
                let (status, fields) = (head.response.status(), head.response.into_parts().0.headers);
                if status == StatusCode::SWITCHING_PROTOCOLS {
                    assert_eq!(head.download, BodyDecoder::DONE, "what follows is no body");
                }
                if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                    continue;
                }
                let body = pieces.body(head.download).ok()?;
                return Some((status, without_persistence(fields), body));
            }
        }
    }
}

/// A request as it is sent on: hyper reads one, and it is that one.
///
/// The first line is method and target, then come fields.
pub fn written_requests(data: &[u8]) {
    let (line, lines) = cut(data, b"\n");
    let (method, target) = cut(line, b" ");
    let Ok(request) = Request::builder().method(method).uri(target).body(()) else { return };
    let path = RequestPath::parse(request.uri().path()).ok().filter(|_| request.method() != Method::CONNECT);
    let Some(path) = path else { return };
    let (mut parts, ()) = request.into_parts();
    let Ok(target) = rewrite::target(parts.uri, &path, &PathRewrite::Keep) else { return };
    parts.uri = target.into();
    parts.headers = fields(lines);
    for name in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::EXPECT] {
        parts.headers.remove(name);
    }
    let request = Request::from_parts(parts, ());
    let mut bytes = BytesMut::new();
    head::write(&request, &[b"via: 1.1 portcullis\r\n"], &mut bytes);
    head::write(&Request::new(()), &[], &mut bytes);
    let read = crate::http1::fuzzing::requests(&bytes, bytes.len());
    let [(first, body), (second, _)] = &read[..] else {
        panic!("hyper reads {} requests, not two", read.len())
    };
    assert_eq!((&first.method, first.version), (request.method(), Version::HTTP_11));
    assert_eq!(first.uri.path(), path.raw(), "the path judged is the path forwarded");
    let target = |uri: &http::Uri| uri.path_and_query().map(ToString::to_string);
    assert_eq!(target(&first.uri), target(request.uri()), "hyper reads another target");
    let mut sent = request.headers().clone();
    sent.append(header::VIA, http::HeaderValue::from_static("1.1 portcullis"));
    assert_eq!(first.headers, sent, "hyper reads other fields");
    assert_eq!((body, second.uri.path()), (&Whole::default(), "/"), "the next request begins behind it");
}

#[cfg(test)]
#[test]
fn smoke_responses() {
    crate::fuzzing::smoke("responses", 1500, responses);
}

#[cfg(test)]
#[test]
fn smoke_written_requests() {
    crate::fuzzing::smoke("written_requests", 500, written_requests);
}
