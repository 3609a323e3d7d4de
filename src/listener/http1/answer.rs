//! The head of a response (RFC 9112, sections 4 to 6), and how its body is framed.

use std::time::SystemTime;

use bytes::{BufMut, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode, Version};
use http_body::Body;

use super::head::Head;
use crate::http1::{Transfer, tokens};

/// What a request says of its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    head: bool,
    version: Version,
    trailers: bool,
    /// Whether the connection may go on after it.
    pub(super) persists: bool,
}

impl Asked {
    pub(super) fn of(head: &Head) -> Self {
        let trailers =
            || tokens(&head.fields, &header::TE).any(|token| token.eq_ignore_ascii_case("trailers"));
        Self {
            head: head.method == Method::HEAD,
            version: head.version,
            trailers: head.fields.contains_key(header::TE) && trailers(),
            // No tunnel is opened here: what a client would send into one is no request.
            persists: head.persists && head.method != Method::CONNECT,
        }
    }

    /// Writes the head of `response` and says how its body follows; without `persists` it is the connection's
    /// last.
    pub(super) fn write<B: Body>(&self, response: &Response<B>, into: &mut BytesMut) -> (Transfer, bool) {
        let (status, fields) = (response.status(), response.headers());
        let transfer = self.transfer(status, response.body());
        let persists = self.persists && transfer != Transfer::Close && !says_close(fields);
        let size: usize = fields.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        into.reserve(size + 128);
        write_status(status, into);
        self.write_fields(status, fields, into);
        self.write_length(response, transfer, into);
        self.write_persistence(status, persists, into);
        into.put_slice(b"\r\n");
        (transfer, persists)
    }

    fn transfer(&self, status: StatusCode, body: &impl Body) -> Transfer {
        match body.size_hint().exact() {
            _ if self.head || is_bodiless(status) => Transfer::Length(0),
            Some(length) => Transfer::Length(length),
            None if self.version == Version::HTTP_11 => Transfer::Chunked { trailers: self.trailers },
            None => Transfer::Close,
        }
    }

    /// All but those that frame the message, which are the connection's own to say.
    fn write_fields(&self, status: StatusCode, fields: &HeaderMap, into: &mut BytesMut) {
        let mut dated = false;
        for (name, value) in fields {
            dated |= name == header::DATE;
            if !self.is_framing(status, name) {
                write_field(name.as_str(), value.as_bytes(), into);
            }
        }
        if !dated && !status.is_informational() {
            write_date(into);
        }
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

    fn write_length<B: Body>(&self, response: &Response<B>, transfer: Transfer, into: &mut BytesMut) {
        let length = match transfer {
            Transfer::Chunked { .. } => return write_field("transfer-encoding", b"chunked", into),
            Transfer::Close => return,
            Transfer::Length(_) if is_bodiless(response.status()) => return,
            Transfer::Length(_) if self.head => {
                let told = response.headers().contains_key(header::CONTENT_LENGTH);
                response.body().size_hint().exact().filter(|length| !told && *length > 0)
            }
            Transfer::Length(length) => Some(length),
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

/// RFC 9112, section 6.3.
fn is_bodiless(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
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

fn write_field(name: &str, value: &[u8], into: &mut BytesMut) {
    into.reserve(name.len() + value.len() + 4);
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        into.put_slice(part);
    }
}

#[expect(clippy::disallowed_methods, reason = "it is told to people, and decides nothing")]
fn write_date(into: &mut BytesMut) {
    write_field("date", httpdate::fmt_http_date(SystemTime::now()).as_bytes(), into);
}

/// The answer to a request that was not read, with a word why; the connection ends with it.
pub(super) fn write_refusal(status: StatusCode, why: &str, into: &mut BytesMut) {
    let mut response = Response::new(http_body_util::Full::<bytes::Bytes>::from(format!("{why}\n")));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    let asked = Asked { head: false, version: Version::HTTP_11, trailers: false, persists: false };
    asked.write(&response, into);
    into.put_slice(why.as_bytes());
    into.put_slice(b"\n");
}
