use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::listener::http1::body_channel::BodySender;

/// What is wrong with the messages in `bytes`, which come in pieces of `size`; and what is left at their end.
fn scan(bytes: &[u8], size: usize) -> Result<BytesMut, HeadError> {
    let (mut received, mut at, mut body) = (BytesMut::new(), Scan::default(), BodyDecoder::DONE);
    for piece in bytes.chunks(size) {
        received.extend_from_slice(piece);
        loop {
            let before = (received.len(), body);
            if !body.is_done() {
                while body.take(&mut received).map_err(|_| Ambiguity::Chunk)?.is_some() {}
            } else if let Some(end) = at.end(&received)? {
                body = read(&received.split_to(end), 100)?.framing;
                at = Scan::default();
            }
            if before == (received.len(), body) {
                break;
            }
        }
    }
    Ok(received)
}

fn ambiguity(bytes: &[u8], size: usize) -> Option<Ambiguity> {
    match scan(bytes, size) {
        Err(HeadError::Ambiguous(ambiguity)) => Some(ambiguity),
        Ok(_) | Err(_) => None,
    }
}

#[test]
fn invariant_12_what_two_servers_frame_differently_is_refused() {
    use Ambiguity::*;
    let cases: &[(&str, Ambiguity)] = &[
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", BareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", BareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", BareLineFeed),
        ("\nGET / HTTP/1.1\r\n\r\n", BareLineFeed),
        ("GET /a#b HTTP/1.1\r\n\r\n", Fragment),
        ("POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", Framing),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nCONTENT-LENGTH: 4\r\n\r\n", Framing),
        ("POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n", Framing),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", Framing),
        ("POST / HTTP/1.1\r\nContent-Length: +4\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length: 4, 4\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Coding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n", Coding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", Coding),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Coding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;x\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;x=\"\n\"\r\na\r\n0\r\n\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: y\n\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n folded: y\r\n\r\n", Chunk),
    ];
    for (bytes, expected) in cases {
        for size in [bytes.len(), 1, 2, 3] {
            assert_eq!(ambiguity(bytes.as_bytes(), size), Some(*expected), "{bytes:?} by {size}");
        }
    }
}

#[test]
fn invariant_12_what_is_no_request_is_refused() {
    let cases: &[&str] = &[
        "POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length : 4\r\n\r\n",
        "POST / HTTP/1.1\r\n Content-Length: 4\r\n\r\n",
        "GET / HTTP/1.1\r\nX: 1\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nX: 1\rY: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nX: \0\r\n\r\n",
        "GET / HTTP/1.1\r\n: 1\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        " GET / HTTP/1.1\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.2\r\n\r\n",
        "GET / http/1.1\r\n\r\n",
        "GET /\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01",
        "\r\n\0",
        "\x7f\r\n",
        "\r\n/ HTTP/1.1\r\n",
    ];
    for case in cases {
        for size in [case.len(), 1] {
            assert!(scan(case.as_bytes(), size).is_err(), "{case:?} by {size}");
        }
    }
}

#[test]
fn a_head_is_read_as_it_was_written() {
    let text = b"\r\nPOST /a?b=c HTTP/1.1\r\nHost: a\r\nX:  1 \r\nX: \r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n";
    let head = read(text, 100).unwrap();
    assert_eq!((head.method, head.uri.to_string()), (Method::POST, "/a?b=c".to_owned()));
    assert_eq!(head.fields.get_all("x").iter().collect::<Vec<_>>(), ["1", ""]);
    assert_eq!((head.framing, head.persists, head.expects), (BodyDecoder::Length(3), true, true));
    let says = |text: &str| read(text.as_bytes(), 100).unwrap().persists;
    assert!(!says("GET / HTTP/1.0\r\n\r\n") && says("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n"));
    assert!(!says("GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: Close\r\n\r\n"));
}

#[test]
fn invariant_14_a_head_has_no_more_fields_than_it_may() {
    for most in [0, 1, 99, 100, 101, 5000, 100_000] {
        let head = |fields: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(fields));
        if most < 20_000 {
            assert_eq!(read(head(most).as_bytes(), most).unwrap().fields.len(), most);
        }
        assert!(matches!(read(head(most + 1).as_bytes(), most), Err(HeadError::TooLarge)), "{most}");
    }
}

#[test]
fn a_target_too_long_for_a_uri_is_told_so() {
    let target = "/".repeat(70_000);
    let refused = read(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes(), 100).unwrap_err();
    assert_eq!(refused.status(), http::StatusCode::URI_TOO_LONG);
}

#[test]
fn a_body_that_nobody_reads_is_taken_where_it_has_come() {
    for (framing, came, over) in [
        (BodyDecoder::Length(5), "hello", true),
        (BodyDecoder::Length(6), "hello", false),
        (BodyDecoder::Chunked(Chunk::Line), "5\r\nhello\r\n0\r\n\r\n", true),
        (BodyDecoder::Chunked(Chunk::Line), "5\r\nhello\r\n0\r\n", false),
        (BodyDecoder::Chunked(Chunk::Line), "5\r\nhello!\r\n0\r\n\r\n", false),
        (BodyDecoder::DONE, "", true),
    ] {
        let mut received = BytesMut::from(came);
        let (sender, reader) = BodySender::new(framing, false);
        drop(reader);
        assert_eq!(sender.finish(&mut received), over, "{framing:?} {came:?}");
    }
}

/// A well-formed message whose body looks like anything, heads included.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80),
        Just(b"GET /#x HTTP/1.1\nContent-Length: 1\r\nTransfer-Encoding: y\r\n\n".to_vec()),
    ];
    let head = prop_oneof![Just("POST / HTTP/1.1\r\n"), Just("\r\nPUT /x HTTP/1.1\r\nHost: a\r\n")];
    (head, body, any::<bool>(), 1..9_usize).prop_map(|(head, body, chunked, size)| {
        let mut bytes = head.as_bytes().to_vec();
        if chunked {
            bytes.extend(b"Transfer-Encoding: Chunked\r\n\r\n");
            for chunk in body.chunks(size) {
                bytes.extend(format!("{:x};ext=\"#\" \r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\nX-Trailer: #\r\n\r\n");
        } else {
            bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
            bytes.extend(body);
        }
        bytes
    })
}

proptest! {
    #[test]
    fn good_messages_pass_however_they_are_cut(
        messages in proptest::collection::vec(message(), 0..5),
        cut in 1..40_usize,
    ) {
        let mut bytes = messages.concat();
        prop_assert_eq!(scan(&bytes, cut).unwrap(), BytesMut::new());
        bytes.extend_from_slice(b"GET / HTTP/1.1\n");
        prop_assert_eq!(ambiguity(&bytes, cut), Some(Ambiguity::BareLineFeed), "the next head is found");
    }

    #[test]
    fn any_bytes_are_judged_alike_however_they_are_cut(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'#'), any::<u8>()], 0..200),
    ) {
        let whole = scan(&bytes, bytes.len().max(1));
        let drops = scan(&bytes, 1);
        prop_assert_eq!(whole.is_err(), drops.is_err());
    }
}
