use super::*;

/// Feeds `bytes` in parts of `cut` bytes and then closes.
async fn header(bytes: &[u8], version: ProxyVersion, cut: usize) -> Result<Proxied, ProxyError> {
    let (mut near, mut far) = tokio::io::duplex(cut);
    let bytes = bytes.to_vec();
    let writer = async move {
        // The reader goes as soon as it has seen enough.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut near, &bytes).await;
    };
    let (_, read) = tokio::join!(writer, async move { read(&mut far, version).await });
    read
}

fn binary_header(command: u8, family: u8, addresses: &[u8], tlvs: &[u8]) -> Vec<u8> {
    let mut bytes = v2::PROTOCOL_PREFIX.to_vec();
    bytes.extend([0x20 | command, family]);
    bytes.extend(u16::try_from(addresses.len() + tlvs.len()).unwrap().to_be_bytes());
    bytes.extend(addresses);
    bytes.extend(tlvs);
    bytes
}

const V4: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 0x30, 0x39, 0x01, 0xbb];

fn addresses(peer: &str, local: &str) -> Option<(SocketAddr, SocketAddr)> {
    Some((peer.parse().unwrap(), local.parse().unwrap()))
}

#[tokio::test]
async fn good_headers_are_read_however_they_are_cut() {
    let v4 = addresses("192.0.2.7:12345", "10.0.0.1:443");
    let v6 = addresses("[2001:db8::1]:1", "[::1]:2");
    let ip6 =
        ["2001:db8::1", "::1"].map(|text| text.parse::<std::net::Ipv6Addr>().unwrap().octets()).concat();
    let mut with_tlv = binary_header(1, 0x11, &V4, &[0x20, 0, 3, 1, 2, 3]);
    with_tlv.extend(b"rest");
    let cases: Vec<(Vec<u8>, _)> = vec![
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\r\nrest".to_vec(), v4),
        (b"PROXY TCP6 2001:db8::1 ::1 1 2\r\nrest".to_vec(), v6),
        (b"PROXY UNKNOWN\r\nrest".to_vec(), None),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\nrest".to_vec(), None),
        ([binary_header(1, 0x11, &V4, &[]), b"rest".to_vec()].concat(), v4),
        (with_tlv, v4),
        ([binary_header(1, 0x21, &[&ip6[..], &[0, 1, 0, 2]].concat(), &[]), b"rest".to_vec()].concat(), v6),
        ([binary_header(0, 0x11, &V4, &[]), b"rest".to_vec()].concat(), None),
        ([binary_header(0, 0x00, &[], &[]), b"rest".to_vec()].concat(), None),
    ];
    for (bytes, expected) in cases {
        let version = if bytes[0] == b'P' { ProxyVersion::V1 } else { ProxyVersion::V2 };
        for (version, cut) in [(version, 1), (version, 7), (version, 600), (ProxyVersion::Any, 1)] {
            let read = header(&bytes, version, cut).await.unwrap();
            assert_eq!(read.addresses, expected, "{bytes:?} cut into {cut}");
            assert!(b"rest".starts_with(&read.rest), "nothing but what follows the header is handed on");
        }
        assert_eq!(header(&bytes, version, 600).await.unwrap().rest, "rest");
    }
}

#[tokio::test]
async fn invariant_10_a_connection_without_a_good_header_is_closed() {
    let bad: Vec<(Vec<u8>, ProxyVersion)> = vec![
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), ProxyVersion::V1),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), ProxyVersion::V2),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), ProxyVersion::Any),
        (b"\x16\x03\x01\x02\x00\x01".to_vec(), ProxyVersion::V1),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\n".to_vec(), ProxyVersion::V1),
        (b"PROXY UNKNOWN\n".to_vec(), ProxyVersion::V1),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 +12345 443\r\n".to_vec(), ProxyVersion::V1),
        (b"PROXY TCP6 ::1 ::1 12345 +443\r\n".to_vec(), ProxyVersion::V1),
        (b"PROXY UNKNOWN x\n\r\n".to_vec(), ProxyVersion::V1),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 12345\r\n".to_vec(), ProxyVersion::V1),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 012345 443\r\n".to_vec(), ProxyVersion::V1),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 99999 443\r\n".to_vec(), ProxyVersion::V1),
        (b"PROXY TCP4 ::1 ::1 1 2\r\n".to_vec(), ProxyVersion::V1),
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 1 2\rX\n".to_vec(), ProxyVersion::V1),
        (b"PROXY UDP4 1.1.1.1 1.1.1.1 1 2\r\n".to_vec(), ProxyVersion::V1),
        ([b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 200]].concat(), ProxyVersion::V1),
        (b"PROXY TCP4 192.0.2.7 10.0".to_vec(), ProxyVersion::V1),
        (b"".to_vec(), ProxyVersion::Any),
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 1 2\r\n".to_vec(), ProxyVersion::V2),
        (binary_header(1, 0x11, &V4, &[]), ProxyVersion::V1),
        (binary_header(1, 0x11, &V4[..8], &[]), ProxyVersion::V2),
        (binary_header(1, 0x11, &V4, &[])[..20].to_vec(), ProxyVersion::V2),
        (binary_header(1, 0x11, &V4, &[0; 600]), ProxyVersion::V2),
        (binary_header(1, 0x12, &V4, &[]), ProxyVersion::V2),
        (binary_header(1, 0x31, &[0; 216], &[]), ProxyVersion::V2),
        (binary_header(1, 0x00, &[], &[]), ProxyVersion::V2),
        (binary_header(2, 0x11, &V4, &[]), ProxyVersion::V2),
    ];
    for (bytes, version) in bad {
        for cut in [1, 600] {
            assert!(header(&bytes, version, cut).await.is_err(), "{version:?} {bytes:?} cut into {cut}");
        }
    }
}
