//! Heads: the request's is written, the response's is read (RFC 9112, sections 2 to 6).

use std::mem::MaybeUninit;

use bytes::{Buf, BufMut, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use httparse::Status;

use super::super::headers::{MAX_FIELDS, MAX_HEAD, tokens};
use super::Error;
use super::download::Download;

/// A response's head, and what it says of what follows.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) response: Response<()>,
    pub(super) download: Download,
    /// Whether the server keeps the connection open.
    pub(super) persists: bool,
}

/// Writes the head of `request`, `lines` behind its fields. None of its parts can hold a line break: their
/// types see to that.
pub(super) fn write<B>(request: &Request<B>, lines: &[&[u8]], into: &mut BytesMut) {
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let fields = request.headers();
    let size: usize = fields.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let size = size + lines.iter().map(|lines| lines.len()).sum::<usize>();
    into.reserve(request.method().as_str().len() + target.len() + size + 16);
    for part in [request.method().as_str(), " ", target, " HTTP/1.1\r\n"] {
        into.put_slice(part.as_bytes());
    }
    write_fields(fields, into);
    lines.iter().for_each(|lines| into.put_slice(lines));
    into.put_slice(b"\r\n");
}

/// Writes each of `fields` and the end of its line.
pub(in super::super) fn write_fields(fields: &HeaderMap, into: &mut BytesMut) {
    for (name, value) in fields {
        into.reserve(name.as_str().len() + value.len() + 6);
        into.put_slice(name.as_str().as_bytes());
        into.put_slice(b": ");
        into.put_slice(value.as_bytes());
        into.put_slice(b"\r\n");
    }
}

/// Takes a whole head from the front of `received`; `None` where it is not whole yet.
pub(super) fn read(received: &mut BytesMut, asked: &Method) -> Result<Option<Head>, Error> {
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    match parser.parse_response_with_uninit_headers(&mut parsed, received, &mut fields)? {
        Status::Complete(length) if length <= MAX_HEAD => {
            let head = head(&parsed, asked)?;
            received.advance(length);
            Ok(Some(head))
        }
        Status::Partial if received.len() < MAX_HEAD => Ok(None),
        Status::Complete(_) | Status::Partial => Err(Error::TooLarge),
    }
}

fn head(parsed: &httparse::Response<'_, '_>, asked: &Method) -> Result<Head, Error> {
    let old = parsed.version == Some(0);
    let status = StatusCode::from_u16(parsed.code.unwrap_or_default());
    let mut response = Response::new(());
    *response.status_mut() = status.map_err(|_| Error::Malformed("status is no number from 100"))?;
    *response.headers_mut() = map(parsed.headers)?;
    let download = Download::of(&response, asked, old)?;
    let persists = persists(response.headers(), old) && download.has_end();
    Ok(Head { response, download, persists })
}

/// Takes whole trailers from the front of `received`; `None` where they are not whole yet.
pub(super) fn read_trailers(received: &mut BytesMut) -> Result<Option<HeaderMap>, Error> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    match httparse::parse_headers(received, &mut fields)? {
        Status::Complete((length, parsed)) if length <= MAX_HEAD => {
            let trailers = map(parsed)?;
            received.advance(length);
            Ok(Some(trailers))
        }
        Status::Partial if received.len() < MAX_HEAD => Ok(None),
        Status::Complete(_) | Status::Partial => Err(Error::TooLarge),
    }
}

fn map(fields: &[httparse::Header<'_>]) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_bytes(field.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(Error::Malformed("head has no valid field"));
        };
        map.append(name, value);
    }
    Ok(map)
}

/// Whether the server takes another request on this connection (RFC 9112, section 9.3).
fn persists(fields: &HeaderMap, old: bool) -> bool {
    let says =
        |word: &str| tokens(fields, &header::CONNECTION).any(|option| option.eq_ignore_ascii_case(word));
    !says("close") && (!old || says("keep-alive"))
}
