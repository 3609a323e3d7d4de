use proptest::prelude::*;

use super::*;

fn scan(bytes: &[u8]) -> Result<Framing, Ambiguity> {
    let mut framing = Framing::new();
    framing.scan(bytes).map_err(|(_, ambiguity)| ambiguity).map(|()| framing)
}

/// The same, one byte at a time.
fn scan_bytes(bytes: &[u8]) -> Result<Framing, Ambiguity> {
    let mut framing = Framing::new();
    bytes.chunks(1).try_for_each(|byte| framing.scan(byte).map_err(|(_, ambiguity)| ambiguity))?;
    Ok(framing)
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
        ("POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", Coding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", Chunk),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;x\n", BareLineFeed),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: y\n\r\n", BareLineFeed),
    ];
    for (bytes, expected) in cases {
        assert_eq!(scan(bytes.as_bytes()).err(), Some(*expected), "{bytes:?}");
        assert_eq!(scan_bytes(bytes.as_bytes()).err(), Some(*expected), "{bytes:?}, byte by byte");
    }
}

#[test]
fn a_framing_field_padded_out_of_sight_is_refused() {
    let padded = format!("POST / HTTP/1.1\r\nContent-Length:{}4\r\n\r\n", " ".repeat(100));
    assert_eq!(scan(padded.as_bytes()).err(), Some(Ambiguity::Length));
    let padded = format!("POST / HTTP/1.1\r\nTransfer-Encoding:{}chunked\r\n\r\n", " ".repeat(100));
    assert_eq!(scan(padded.as_bytes()).err(), Some(Ambiguity::Coding));
}

#[test]
fn the_refused_line_is_where_it_is_said_to_be() {
    let before = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n";
    let bytes = format!("{before}Host: a\n\r\n");
    assert_eq!(Framing::new().scan(bytes.as_bytes()).err(), Some((before.len(), Ambiguity::BareLineFeed)));
}

#[test]
fn a_head_is_open_from_its_first_byte_to_its_last() {
    let mut framing = Framing::new();
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r";
    for byte in head {
        framing.scan(&[*byte]).unwrap();
        assert!(framing.in_head());
    }
    framing.scan(b"\n").unwrap();
    assert!(!framing.in_head());
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
        let bytes = messages.concat();
        let mut framing = Framing::new();
        for part in bytes.chunks(cut) {
            prop_assert_eq!(framing.scan(part), Ok(()));
        }
        prop_assert_eq!(framing.state, State::Start);
        prop_assert!(!framing.in_head());
        let bad = b"GET / HTTP/1.1\n";
        prop_assert_eq!(framing.scan(bad), Err((0, Ambiguity::BareLineFeed)), "the next head is found");
    }

    #[test]
    fn any_bytes_are_judged_alike_however_they_are_cut(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'#'), any::<u8>()], 0..200),
    ) {
        prop_assert_eq!(scan(&bytes).err(), scan_bytes(&bytes).err());
    }
}
