//! The head of a response (RFC 9112, sections 4 to 6), and how its body is framed.

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::Full;

use super::date::write_date;
use super::request_head::RequestHead;
use crate::http1::{BodyEncoder, is_bodiless, tokens, write_field};

/// Bytes of a body that is written in one piece with its head.
const SHORT: u64 = 8 * 1024;

/// Bytes of a head beside its fields.
const REST: usize = 128;

/// What a request says of how its answer must be framed.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseFraming {
    head: bool,
    version: Version,
    trailers: bool,
    /// Whether the connection may go on after it.
    pub(super) persists: bool,
}

impl ResponseFraming {
    pub(super) fn of(head: &RequestHead) -> Self {
        Self {
            head: head.method == Method::HEAD,
            version: head.version,
            trailers: head.trailers,
            // No tunnel is opened here: what a client would send into one is no request.
            persists: head.persists && head.method != Method::CONNECT,
        }
    }

    /// Writes the head of `response` and says how its body follows; without `persists` it is the connection's
    /// last.
    pub(super) fn write<B: Body>(&self, response: &Response<B>, into: &mut BytesMut) -> (BodyEncoder, bool) {
        let (status, encoder) = (response.status(), self.encoder(response.status(), response.body()));
        into.reserve(room(response, encoder));
        write_status(status, into);
        let closes = self.write_fields(status, response.headers(), into);
        let persists = self.persists && encoder != BodyEncoder::Close && !closes;
        self.write_length(response, encoder, into);
        self.write_persistence(status, persists, into);
        into.put_slice(b"\r\n");
        (encoder, persists)
    }

    /// Writes an interim answer; not to a client of HTTP/1.0, which knows none (RFC 9110, section 15.2).
    pub(super) fn write_interim(&self, answer: &Response<()>, into: &mut BytesMut) {
        if self.version == Version::HTTP_11 {
            write_status(answer.status(), into);
            self.write_fields(answer.status(), answer.headers(), into);
            into.put_slice(b"\r\n");
        }
    }

    fn encoder(&self, status: StatusCode, body: &impl Body) -> BodyEncoder {
        match body.size_hint().exact() {
            _ if self.head || is_bodiless(status) => BodyEncoder::Done,
            Some(length) => BodyEncoder::Length(length),
            None if self.version == Version::HTTP_11 => BodyEncoder::Chunked { trailers: self.trailers },
            // HTTP/1.0 knows no chunks: the end of the connection is the body's.
            None => BodyEncoder::Close,
        }
    }

    /// All but those that frame the message, which are the connection's own to say. Whether the handler wants
    /// the connection closed.
    fn write_fields(&self, status: StatusCode, fields: &HeaderMap, into: &mut BytesMut) -> bool {
        let (mut dated, mut closes) = (false, false);
        for (name, value) in fields {
            dated |= name == header::DATE;
            closes |= name == header::CONNECTION && says_close(fields);
            if !self.is_framing(status, name) {
                write_field(name.as_str(), value.as_bytes(), into);
            }
        }
        if !dated && !status.is_informational() {
            write_date(into);
        }
        closes
    }

    fn is_framing(&self, status: StatusCode, name: &HeaderName) -> bool {
        match *name {
            header::TRANSFER_ENCODING => true,
            // The length that the answer to a GET would have (RFC 9110, section 8.6).
            header::CONTENT_LENGTH => !(self.head || status == StatusCode::NOT_MODIFIED),
            header::CONNECTION => status != StatusCode::SWITCHING_PROTOCOLS,
            _ => false,
        }
    }

    fn write_length<B: Body>(&self, response: &Response<B>, encoder: BodyEncoder, into: &mut BytesMut) {
        let length = match encoder {
            BodyEncoder::Chunked { .. } => return write_field("transfer-encoding", b"chunked", into),
            BodyEncoder::Done if self.head && !is_bodiless(response.status()) => {
                let told = response.headers().contains_key(header::CONTENT_LENGTH);
                response.body().size_hint().exact().filter(|length| !told && *length > 0)
            }
            BodyEncoder::Length(length) => Some(length),
            BodyEncoder::Close | BodyEncoder::Done => None,
        };
        if let Some(length) = length {
            write_field("content-length", itoa::Buffer::new().format(length).as_bytes(), into);
        }
    }

    fn write_persistence(&self, status: StatusCode, persists: bool, into: &mut BytesMut) {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return;
        }
        if !persists {
            write_field("connection", b"close", into);
        } else if self.version == Version::HTTP_10 {
            write_field("connection", b"keep-alive", into);
        }
    }
}

/// Bytes of the head, and of a short body behind it, so that both find room at once.
fn room<B>(response: &Response<B>, encoder: BodyEncoder) -> usize {
    let fields = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let body = if let BodyEncoder::Length(length) = encoder { length.min(SHORT) } else { 0 };
    fields.sum::<usize>() + REST + usize::try_from(body).unwrap_or_default()
}

fn says_close(fields: &HeaderMap) -> bool {
    tokens(fields, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("close"))
}

fn write_status(status: StatusCode, into: &mut BytesMut) {
    into.put_slice(b"HTTP/1.1 ");
    into.put_slice(status.as_str().as_bytes());
    into.put_slice(b" ");
    into.put_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    into.put_slice(b"\r\n");
}

/// Writes the answer to a request that was not read, and says why as text; the connection ends with it.
pub(super) fn write_refusal(status: StatusCode, why: &str, into: &mut BytesMut) {
    let text = Bytes::from(format!("{why}\n"));
    let mut response = Response::new(Full::new(text.clone()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    let framing =
        ResponseFraming { head: false, version: Version::HTTP_11, trailers: false, persists: false };
    framing.write(&response, into);
    into.put_slice(&text);
}
