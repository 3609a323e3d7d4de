//! Heads: the request's is written, the response's is read (RFC 9112, sections 2 to 6).

use std::mem::MaybeUninit;

use bytes::{Buf, BufMut, BytesMut};
use http::header::{self, HeaderMap};
use http::{Method, Request, Response, StatusCode};
use httparse::Status;

use super::Error;
use crate::http1::{
    Chunk, Framing, MAX_FIELDS, MAX_HEAD, WireError, digits, read_fields, tokens, write_fields,
};

/// A response's head, and what it says of what follows.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) response: Response<()>,
    pub(super) download: Framing,
    /// Whether the server keeps the connection open.
    pub(super) persists: bool,
}

/// Writes the head of `request`, `lines` behind its fields. None of its parts can hold a line break: their
/// types see to that.
pub(super) fn write<B>(request: &Request<B>, lines: &[u8], into: &mut BytesMut) {
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let fields = request.headers();
    let size: usize = fields.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    into.reserve(request.method().as_str().len() + target.len() + lines.len() + size + 16);
    for part in [request.method().as_str(), " ", target, " HTTP/1.1\r\n"] {
        into.put_slice(part.as_bytes());
    }
    write_fields(fields, into);
    into.put_slice(lines);
    into.put_slice(b"\r\n");
}

/// Takes a whole head from the front of `received`; `None` where it is not whole yet.
pub(super) fn read(received: &mut BytesMut, asked: &Method) -> Result<Option<Head>, Error> {
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let result = parser.parse_response_with_uninit_headers(&mut parsed, received, &mut fields);
    match result.map_err(WireError::from)? {
        Status::Complete(length) if length <= MAX_HEAD => {
            let head = head(&parsed, &received[..length], asked)?;
            received.advance(length);
            Ok(Some(head))
        }
        Status::Partial if received.len() < MAX_HEAD => Ok(None),
        Status::Complete(_) | Status::Partial => Err(Error::TooLarge),
    }
}

fn head(parsed: &httparse::Response<'_, '_>, text: &[u8], asked: &Method) -> Result<Head, Error> {
    let old = parsed.version == Some(0);
    let status = StatusCode::from_u16(parsed.code.unwrap_or_default());
    let mut response = Response::new(());
    *response.status_mut() = status.map_err(|_| Error::Malformed("status is no number from 100"))?;
    *response.headers_mut() = read_fields(parsed.headers, text)?;
    let download = framing(&response, asked, old)?;
    let persists = persists(response.headers(), old) && download.has_end();
    Ok(Head { response, download, persists })
}

/// What a response's head says of its body (RFC 9112, section 6.3). What two programs could read
/// differently is refused (invariant 12).
fn framing(response: &Response<()>, asked: &Method, old: bool) -> Result<Framing, Error> {
    let (status, fields) = (response.status(), response.headers());
    let codings = fields.contains_key(header::TRANSFER_ENCODING);
    let length = length(fields)?;
    let bodiless = status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || asked == Method::HEAD;
    match length {
        _ if codings && (old || !is_chunked(fields)) => {
            Err(Error::Malformed("transfer coding is not just chunked"))
        }
        _ if bodiless => Ok(Framing::DONE),
        _ if codings => Ok(Framing::Chunked(Chunk::Line)),
        Some(length) => Ok(Framing::Length(length)),
        None => Ok(Framing::Close),
    }
}

/// Whether the server takes another request on this connection (RFC 9112, section 9.3).
fn persists(fields: &HeaderMap, old: bool) -> bool {
    let says =
        |word: &str| tokens(fields, &header::CONNECTION).any(|option| option.eq_ignore_ascii_case(word));
    !says("close") && (!old || says("keep-alive"))
}

/// `Transfer-Encoding: chunked` and nothing else: there is no other coding that everybody reads alike.
fn is_chunked(fields: &HeaderMap) -> bool {
    let mut codings = fields.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = codings.next().is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    chunked && codings.next().is_none()
}

/// The one length that all `Content-Length` fields state.
fn length(fields: &HeaderMap) -> Result<Option<u64>, Error> {
    let malformed = Error::Malformed("length is not one number");
    let mut stated = None;
    for field in fields.get_all(header::CONTENT_LENGTH) {
        for number in field.as_bytes().split(|byte| *byte == b',') {
            let number = digits(number.trim_ascii());
            if number.is_none() || stated.is_some() && stated != number {
                return Err(malformed);
            }
            stated = number;
        }
    }
    Ok(stated)
}
