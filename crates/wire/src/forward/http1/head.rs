//! Heads: the request's is written, the response's is read (RFC 9112, sections 2 to 6).

use std::mem::MaybeUninit;

use bytes::{Buf, BufMut, BytesMut};
use http::{Method, Request, Response, StatusCode};
use httparse::Status;

use super::Http1Error;
use crate::http1::{
    BodyDecoder, Chunk, MAX_FIELDS, MAX_HEAD, Persistence, digits, is_bodiless, read_fields, write_fields,
};

/// A response's head, and what it says of what follows.
#[derive(Debug)]
pub(super) struct ResponseHead {
    pub(super) response: Response<()>,
    pub(super) download: BodyDecoder,
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

/// Fields that are parsed on the stack.
const FEW: usize = MAX_FIELDS;

/// Takes a whole head of at most so many fields from the front of `received`; `None` where it is not whole yet.
pub(super) fn read(
    received: &mut BytesMut,
    asked: &Method,
    max_fields: usize,
) -> Result<Option<ResponseHead>, Http1Error> {
    let mut few = [const { MaybeUninit::uninit() }; FEW];
    let read = match parse(&mut few[..max_fields.min(FEW)], received, asked) {
        Err(Http1Error::TooManyFields(_)) if max_fields > FEW => {
            parse(&mut vec![MaybeUninit::uninit(); max_fields], received, asked)
        }
        read => read,
    };
    Ok(read?.map(|(length, head)| {
        received.advance(length);
        head
    }))
}

fn parse<'a>(
    fields: &mut [MaybeUninit<httparse::Header<'a>>],
    received: &'a [u8],
    asked: &Method,
) -> Result<Option<(usize, ResponseHead)>, Http1Error> {
    let mut parsed = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    match parser.parse_response_with_uninit_headers(&mut parsed, received, fields)? {
        Status::Complete(length) if length <= MAX_HEAD => {
            Ok(Some((length, head(&parsed, &received[..length], asked)?)))
        }
        Status::Partial if received.len() < MAX_HEAD => Ok(None),
        Status::Complete(_) | Status::Partial => Err(Http1Error::TooLarge),
    }
}

fn head(
    parsed: &httparse::Response<'_, '_>,
    text: &[u8],
    asked: &Method,
) -> Result<ResponseHead, Http1Error> {
    let old = parsed.version == Some(0);
    let status = StatusCode::from_u16(parsed.code.unwrap_or_default());
    let mut response = Response::new(());
    *response.status_mut() = status.map_err(|_| Http1Error::Malformed("status is no number from 100"))?;
    let fields = FramingFields::of(parsed.headers)?;
    *response.headers_mut() = read_fields(parsed.headers, text)?;
    let download = fields.framing(response.status(), asked, old)?;
    let persists = fields.persistence.lasts(old) && download.has_end();
    Ok(ResponseHead { response, download, persists })
}

/// What a response's fields say of its body, and of the connection.
#[derive(Debug, Default)]
struct FramingFields {
    /// The one length that all `Content-Length` fields state.
    length: Option<u64>,
    /// Whether all of `Transfer-Encoding` is `chunked`: there is no other coding that everybody reads alike.
    chunked: Option<bool>,
    persistence: Persistence,
}

impl FramingFields {
    /// Reads them in one walk.
    fn of(parsed: &[httparse::Header<'_>]) -> Result<Self, Http1Error> {
        let mut fields = Self::default();
        for field in parsed {
            fields.read(field)?;
        }
        Ok(fields)
    }

    fn read(&mut self, field: &httparse::Header<'_>) -> Result<(), Http1Error> {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        match field.name.len() {
            10 if is("connection") => {
                self.persistence.read(field.value);
            }
            14 if is("content-length") => {
                field.value.split(|byte| *byte == b',').try_for_each(|number| self.state(number))?;
            }
            17 if is("transfer-encoding") => {
                let only = field.value.eq_ignore_ascii_case(b"chunked") && self.chunked.is_none();
                self.chunked = Some(only);
            }
            _ => {}
        }
        Ok(())
    }

    fn state(&mut self, number: &[u8]) -> Result<(), Http1Error> {
        let number = digits(number.trim_ascii());
        if number.is_none() || self.length.is_some() && self.length != number {
            return Err(Http1Error::Malformed("length is not one number"));
        }
        self.length = number;
        Ok(())
    }

    /// How the body is framed (RFC 9112, section 6.3). What two programs could read differently is refused
    /// (invariant 12).
    fn framing(&self, status: StatusCode, asked: &Method, old: bool) -> Result<BodyDecoder, Http1Error> {
        let bodiless = is_bodiless(status) || asked == Method::HEAD;
        match (self.chunked, self.length) {
            // Other programs frame these in another way: by the length, or up to the connection's end.
            (Some(chunked), _) if old || !chunked => {
                Err(Http1Error::Malformed("transfer coding is not just chunked"))
            }
            _ if bodiless => Ok(BodyDecoder::DONE),
            // A length beside chunks does not count (RFC 9112, section 6.3), and is not passed on.
            (Some(_), _) => Ok(BodyDecoder::Chunked(Chunk::Line)),
            (None, Some(length)) => Ok(BodyDecoder::Length(length)),
            (None, None) => Ok(BodyDecoder::Close),
        }
    }
}
