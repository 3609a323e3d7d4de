//! FrameTracker as a WebSocket library writes them, cut into pieces anywhere.

use std::ops::Range;

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::*;

const OPCODES: [OpCode; 6] = [
    OpCode::Data(Data::Continue),
    OpCode::Data(Data::Text),
    OpCode::Data(Data::Binary),
    OpCode::Control(Control::Ping),
    OpCode::Control(Control::Pong),
    OpCode::Control(Control::Close),
];

/// What one frame is on the wire, and whether a data frame stands there.
fn written((opcode, size, masked): (usize, usize, bool)) -> (Vec<u8>, OpCode, usize) {
    let opcode = OPCODES[opcode];
    let size = if matches!(opcode, OpCode::Control(_)) { size % 126 } else { size };
    let mask = masked.then_some([1, 2, 3, 4]);
    let header = FrameHeader { opcode, mask, ..FrameHeader::default() };
    let head = header.len(size as u64) - if masked { 4 } else { 0 };
    let mut bytes = Vec::new();
    Frame::from_payload(header, vec![7; size].into()).format(&mut bytes).unwrap();
    (bytes, opcode, head)
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![0..4_usize, 120..130_usize, 65_530..65_540_usize]
}

proptest! {
    #[test]
    fn frames_are_told_apart_wherever_the_bytes_are_cut(
        frames in proptest::collection::vec((0..OPCODES.len(), sizes(), any::<bool>()), 1..8),
        cuts in proptest::collection::vec(1..70_000_usize, 0..20),
        small in proptest::collection::vec(1..4_usize, 0..40),
    ) {
        let (mut stream, mut starts, mut data) = (Vec::new(), vec![0], Vec::<Range<usize>>::new());
        for frame in frames {
            let (bytes, opcode, head) = written(frame);
            let start = stream.len();
            stream.extend(bytes);
            if opcode == OpCode::Control(Control::Close) {
                break;
            }
            starts.push(stream.len());
            if matches!(opcode, OpCode::Data(_)) {
                // From where the head is whole.
                data.push(start + head - 1..stream.len());
            }
        }
        let (mut follower, mut at) = (FrameTracker::default(), 0);
        let mut sizes = small.into_iter().chain(cuts).chain(std::iter::repeat(1_000));
        while at < stream.len() {
            let end = stream.len().min(at + sizes.next().unwrap());
            let seen = follower.follow(&stream[at..end]);
            prop_assert_eq!(seen, data.iter().any(|span| span.start < end && at < span.end), "{}..{}", at, end);
            prop_assert_eq!(follower.is_between(), starts.contains(&end), "at {}", end);
            at = end;
        }
    }

    #[test]
    fn invariant_14_no_bytes_break_the_follower(pieces in proptest::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let mut follower = FrameTracker::default();
        for piece in pieces {
            follower.follow(&piece);
        }
    }
}

#[test]
fn what_is_no_frame_is_followed_no_further() {
    let mut follower = FrameTracker::default();
    follower.follow(&[0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0]);
    assert!(!follower.is_between() && !follower.follow(&[0x82, 0]) && !follower.is_between());
}

#[test]
fn a_library_reads_the_close_frame() {
    for (role, mask) in [(Role::Client, None), (Role::Server, Some([9, 8, 7, 6]))] {
        let close = CloseFrame { code: 1008, reason: "signed out" };
        let wire = std::io::Cursor::new(close.bytes(mask));
        let mut socket = WebSocket::from_raw_socket(wire, role, None);
        let Message::Close(Some(read)) = socket.read().unwrap() else { panic!("no close frame") };
        assert_eq!((read.code, read.reason.as_str()), (CloseCode::Policy, "signed out"));
    }
}
