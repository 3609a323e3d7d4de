//! The wire, byte by byte, against a reference that reads all at once.

use bytes::{BufMut, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode};
use proptest::prelude::*;

use super::Http1Error;
use super::connection::unseen;
use super::head::{self, ResponseHead};
use crate::http1::BodyDecoder;

fn read(text: &str, asked: &Method) -> Result<Option<ResponseHead>, Http1Error> {
    head::read(&mut BytesMut::from(text), asked, 100)
}

fn get(text: &str) -> Result<Option<ResponseHead>, Http1Error> {
    read(text, &Method::GET)
}

/// What a body of `wire` is read as, when it comes in pieces of `sizes`: its bytes, trailers and rest.
fn received(head: &str, wire: &[u8], sizes: &[usize]) -> Result<(Vec<u8>, HeaderMap, Vec<u8>), Http1Error> {
    let mut download = get(head)?.unwrap().download;
    let (mut body, mut trailers, mut buffer) = (Vec::new(), HeaderMap::new(), BytesMut::new());
    let (mut wire, mut sizes) = (wire, sizes.iter().cycle());
    while !download.is_done() {
        match download.take(&mut buffer)? {
            Some(frame) => match frame.into_data() {
                Ok(data) => body.put(data),
                Err(frame) => trailers = frame.into_trailers().unwrap(),
            },
            None if download.is_done() => {}
            None if wire.is_empty() => download.close()?,
            None => {
                let (piece, rest) = wire.split_at((*sizes.next().unwrap()).min(wire.len()));
                buffer.put_slice(piece);
                wire = rest;
            }
        }
    }
    Ok((body, trailers, [&buffer[..], wire].concat()))
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn a_head_is_read_once_it_is_whole_and_nothing_behind_it() {
    let whole = "HTTP/1.1 404 Nowhere At All\r\nX: 1\r\nX: 2\r\nContent-Length: 5\r\n\r\nhello";
    let end = whole.len() - 5;
    for cut in 0..end {
        assert!(get(&whole[..cut]).unwrap().is_none(), "{cut}");
    }
    let mut buffer = BytesMut::from(whole);
    let head = head::read(&mut buffer, &Method::GET, 100).unwrap().unwrap();
    assert_eq!((head.response.status(), &buffer[..]), (StatusCode::NOT_FOUND, &b"hello"[..]));
    assert_eq!(head.response.headers().get_all("x").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert!(head.persists && head.download == BodyDecoder::Length(5));
}

#[test]
fn invariant_12_what_a_head_says_of_its_body_is_read_in_one_way_or_not_at_all() {
    let body = |fields: &str, asked: &Method, status: u16| {
        read(&format!("HTTP/1.1 {status} x\r\n{fields}\r\n"), asked).map(|head| head.unwrap().download)
    };
    for (fields, expected) in [
        ("", BodyDecoder::Close),
        ("Content-Length: 0\r\n", BodyDecoder::DONE),
        ("Content-Length: 7\r\nContent-Length: 7\r\n", BodyDecoder::Length(7)),
        ("Content-Length: 7 ,7\r\n", BodyDecoder::Length(7)),
        ("Content-Length: 18446744073709551615\r\n", BodyDecoder::Length(u64::MAX)),
    ] {
        assert_eq!(body(fields, &Method::GET, 200).unwrap(), expected, "{fields}");
        assert_eq!(body(fields, &Method::HEAD, 200).unwrap(), BodyDecoder::DONE, "{fields}");
        assert_eq!(body(fields, &Method::GET, 304).unwrap(), BodyDecoder::DONE, "{fields}");
        assert_eq!(body(fields, &Method::GET, 204).unwrap(), BodyDecoder::DONE, "{fields}");
    }
    assert!(matches!(
        body("Transfer-Encoding: Chunked\r\nContent-Length: 3\r\n", &Method::GET, 200),
        Ok(BodyDecoder::Chunked(_))
    ));
    for fields in [
        "Content-Length:\r\n",
        "Content-Length: +7\r\n",
        "Content-Length: 0x7\r\n",
        "Content-Length: 7,\r\n",
        "Content-Length: 7, 8\r\n",
        "Content-Length: 7\r\nContent-Length: 8\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding:\r\n",
        "Content-Length : 7\r\n",
        "Content-Length: 7\r\n 8\r\n",
    ] {
        assert!(
            matches!(body(fields, &Method::GET, 200), Err(Http1Error::Malformed(_) | Http1Error::Head(_))),
            "{fields}"
        );
    }
}

#[test]
fn invariant_14_a_head_that_comes_in_drops_is_looked_over_once() {
    let head = vec![b'x'; 64 * 1024];
    let (mut seen, mut looked_at) = (1, 0);
    for end in 2..=head.len() {
        looked_at += unseen(&mut seen, &head[..end]).len();
    }
    assert!(looked_at <= 4 * head.len(), "{looked_at} bytes");
    let end = "HTTP/1.1 200 OK\r\nX: 1\r\n\r\n";
    for drop in 1..end.len() {
        let last = unseen(&mut { end.len() - drop }, end.as_bytes());
        assert!(last.ends_with(b"\n\r\n"), "however it is cut: {drop}");
    }
}

#[test]
fn a_connection_is_kept_where_both_versions_of_http_say_so() {
    let persists = |head: &str| get(head).unwrap().unwrap().persists;
    assert!(persists("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    assert!(persists("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n"));
    assert!(!persists("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
    assert!(!persists("HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 0\r\n\r\n"));
    assert!(!persists("HTTP/1.1 200 OK\r\n\r\n"), "only its end ends such a body");
}

#[test]
fn heads_and_trailers_are_bounded() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: 1\r\n".repeat(101));
    assert!(matches!(get(&many), Err(Http1Error::TooManyFields(_))));
    let long = |start: &str, bytes: usize| start.to_owned() + &"x".repeat(bytes - start.len());
    let begin = |bytes: usize| long("HTTP/1.1 200 OK\r\nX: ", bytes);
    let whole = |bytes: usize| begin(bytes - 4) + "\r\n\r\n";
    assert!(get(&whole(65_536)).unwrap().is_some());
    assert!(matches!(get(&whole(65_537)), Err(Http1Error::TooLarge)));
    assert!(get(&begin(65_535)).unwrap().is_none());
    assert!(matches!(get(&begin(65_536)), Err(Http1Error::TooLarge)), "whatever comes of it");
    let trailers = |bytes: usize| "0\r\n".to_owned() + &long("X: ", bytes);
    let whole = trailers(65_532) + "\r\n\r\n";
    assert_eq!(received(CHUNKED, whole.as_bytes(), &[4096]).unwrap().1.len(), 1);
    assert!(matches!(received(CHUNKED, trailers(65_536).as_bytes(), &[4096]), Err(Http1Error::TooLarge)));
    assert!(matches!(received(CHUNKED, trailers(65_535).as_bytes(), &[4096]), Err(Http1Error::Closed)));
    let line = "1;".to_owned() + &"x".repeat(5000);
    assert!(matches!(received(CHUNKED, line.as_bytes(), &[4096]), Err(Http1Error::Malformed(_))));
}

#[test]
fn invariant_12_chunks_are_read_strictly() {
    for (wire, body, rest) in [
        ("0\r\n\r\n", "", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello", ""),
        ("00A;x=\"y\"\r\n0123456789\r\n1\r\n!\r\n000\r\n\r\nHTTP/1.1", "0123456789!", "HTTP/1.1"),
    ] {
        for size in 1..wire.len() {
            let (read, _, left) = received(CHUNKED, wire.as_bytes(), &[size]).unwrap();
            assert_eq!((&read[..], &left[..]), (body.as_bytes(), rest.as_bytes()), "{wire:?} by {size}");
        }
    }
    for wire in [
        "",
        "5\r\nhello",
        "5\r\nhello\r\n",
        "5\r\nhello\r\n0\r\n",
        "\r\n\r\n",
        "5\nhello\n0\n\n",
        "5\r\nhelloo\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5;x=\"\n\"\r\nhello\r\n0\r\n\r\n",
        "0\r\nx: 1\n\r\n",
        "0\r\nx: 1\r\n\n",
        "5\r\nhello\n0\r\n\r\n",
        "-1\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 5\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nx",
        "0\r\nno field\r\n\r\n",
    ] {
        for size in [1, 2, 3, 64] {
            assert!(received(CHUNKED, wire.as_bytes(), &[size]).is_err(), "{wire:?} by {size}");
        }
    }
}

#[test]
fn trailers_follow_the_last_chunk() {
    let wire = b"2\r\nok\r\n0\r\nGrpc-Status: 0\r\nX: 1\r\n\r\n";
    for size in 1..wire.len() {
        let (body, trailers, rest) = received(CHUNKED, wire, &[size]).unwrap();
        assert_eq!(
            (&body[..], trailers["grpc-status"].as_bytes(), &rest[..]),
            (&b"ok"[..], &b"0"[..], &b""[..])
        );
    }
}

#[test]
fn a_request_is_written_as_it_is() {
    let mut request = Request::put("/a%20b?c=d").body(()).unwrap();
    *request.headers_mut() = crate::forward::fixtures::map(&[("host", "a.example"), ("x", "1"), ("x", "2")]);
    let mut written = BytesMut::new();
    head::write(&request, &[b"via: 1.1 x\r\n"], &mut written);
    assert_eq!(written, "PUT /a%20b?c=d HTTP/1.1\r\nhost: a.example\r\nx: 1\r\nx: 2\r\nvia: 1.1 x\r\n\r\n");
}

proptest! {
    #[test]
    fn any_body_in_any_chunks_and_any_pieces_is_read_as_it_was(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
        sizes in prop::collection::vec(1usize..30, 1..6),
        behind in "[ -~]{0,8}",
    ) {
        let mut wire = Vec::new();
        for chunk in &chunks {
            wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"0\r\n\r\n");
        wire.extend_from_slice(behind.as_bytes());
        let (body, _, rest) = received(CHUNKED, &wire, &sizes).unwrap();
        prop_assert_eq!(&body, &chunks.concat());
        prop_assert_eq!(&rest, behind.as_bytes());
        let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let (again, _, rest) = received(&length, &[&body[..], behind.as_bytes()].concat(), &sizes).unwrap();
        prop_assert_eq!((&again, &rest[..]), (&body, behind.as_bytes()));
    }
}
