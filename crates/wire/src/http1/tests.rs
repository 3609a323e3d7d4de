//! What goes out, by any stream.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

/// A stream that takes so many bytes at once, whatever it is offered.
struct Narrow(Vec<u8>, usize);

impl tokio::io::AsyncWrite for Narrow {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        let taken = bytes.len().min(self.1);
        self.0.extend_from_slice(&bytes[..taken]);
        std::task::Poll::Ready(Ok(taken))
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

/// A body of unknown length that is at its end with its only frame, as one of HTTP/2 can be.
struct Once(Option<Bytes>);

impl http_body::Body for Once {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        std::task::Poll::Ready(self.0.take().map(|data| Ok(http_body::Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}

#[test]
fn invariant_12_the_last_chunk_stands_behind_its_data() {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    for size in [1, 8192, 8193, 100_000] {
        let data = Bytes::from(vec![b'x'; size]);
        let mut encoder = BodyEncoder::Chunked { trailers: true };
        let (mut outgoing, mut narrow) = (Outgoing::default(), Narrow(Vec::new(), 3000));
        assert!(encoder.poll_fill(&mut Once(Some(data.clone())), &mut outgoing, &mut cx).is_ready());
        assert!(outgoing.poll_write(&mut narrow, &mut cx).is_ready());
        let expected = [format!("{size:x}\r\n").as_bytes(), &data, b"\r\n0\r\n\r\n"].concat();
        assert!(narrow.0 == expected, "{size}");
    }
}

proptest! {
    #[test]
    fn what_goes_out_is_whole_and_in_order(
        pieces in prop::collection::vec((0usize..20_000, prop::sample::select(vec![&b""[..], b"\r\n"])), 0..12),
        width in 1usize..9000,
    ) {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let (mut outgoing, mut narrow, mut expected) = (Outgoing::default(), Narrow(Vec::new(), width), Vec::new());
        for (at, (size, end)) in pieces.iter().enumerate() {
            let piece = vec![u8::try_from(at).unwrap(); *size];
            expected.extend_from_slice(&piece);
            expected.extend_from_slice(end);
            while !outgoing.has_room() {
                prop_assert!(outgoing.poll_write(&mut narrow, &mut cx).is_ready());
            }
            outgoing.push(Bytes::from(piece), end);
        }
        prop_assert!(outgoing.poll_write(&mut narrow, &mut cx).is_ready());
        prop_assert!(narrow.0 == expected && (expected.is_empty() || outgoing.is_whole()));
    }
}

#[test]
fn what_has_left_holds_no_memory() {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let mut room = bytes::BytesMut::zeroed(100_000);
    let mut outgoing = Outgoing::default();
    outgoing.push(room.split().freeze(), b"");
    assert!(outgoing.poll_write(&mut Narrow(Vec::new(), 30_000), &mut cx).is_ready());
    assert!(room.try_reclaim(100_000), "the next piece would need memory of its own");
}

proptest! {
    #[test]
    fn parts_are_what_splitting_gives(text in "[ab ;]{0,20}") {
        let split = text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::as_bytes);
        prop_assert_eq!(parts(b';', text.as_bytes()).collect::<Vec<_>>(), split.collect::<Vec<_>>());
    }
}
