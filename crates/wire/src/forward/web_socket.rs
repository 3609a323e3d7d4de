//! The heads of WebSocket frames (RFC 6455, section 5.2), followed as they pass by.

/// The longest head of a frame without its masking key.
const LONGEST: usize = 10;
/// What a control frame holds at most (section 5.5), less the status code of a close frame.
const REASON: usize = 123;

/// What a peer is told before its connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// The status code (section 7.4).
    pub code: u16,
    /// Why; of more than 123 bytes the rest is left out.
    pub reason: &'static str,
}

impl CloseFrame {
    /// The frame, masked where a `mask` is given, as a client has to (section 5.3).
    pub(super) fn bytes(self, mask: Option<[u8; 4]>) -> Vec<u8> {
        let reason = self.reason.as_bytes();
        let reason = &reason[..reason.len().min(REASON)];
        let payload = self.code.to_be_bytes().into_iter().chain(reason.iter().copied());
        let length = u8::try_from(2 + reason.len()).unwrap_or_default();
        match mask {
            None => [0x88, length].into_iter().chain(payload).collect(),
            Some(mask) => {
                let head = [0x88, 0x80 | length].into_iter().chain(mask);
                let key = mask.into_iter().cycle();
                head.chain(payload.zip(key).map(|(byte, key)| byte ^ key)).collect()
            }
        }
    }
}

/// Knows, of one direction of a WebSocket, whether a frame is under way. Looks at heads alone: what it costs
/// depends on the number of frames, and what is in them it never sees.
///
/// - Between frames (`known` and `left` are 0): a frame of our own may be put in here.
/// - In a head: `known` bytes of it are there. With the last one its length is known, and `left` is set.
/// - In a frame: `left` bytes of it are still to come.
/// - Over: a close frame has begun, or something that is no frame. Nothing leads on from here.
///
/// [`FrameTracker::follow`] alone moves it, past bytes that have been written.
#[derive(Debug, Default)]
pub(super) struct FrameTracker {
    head: [u8; LONGEST],
    /// Bytes of the head that are there; 0 between frames and behind a whole head.
    known: usize,
    /// Bytes of the present frame that are still to come, its masking key among them.
    left: u64,
    kind: FrameKind,
    /// Nothing may be sent any more: a close frame has passed, or something that is no frame.
    over: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FrameKind {
    #[default]
    Control,
    Data,
}

impl FrameTracker {
    /// Follows what passes; whether any of it belongs to a data frame (section 5.6).
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> bool {
        let mut data = false;
        while !bytes.is_empty() && !self.over {
            let taken = if self.left > 0 { self.pass(bytes.len()) } else { self.read(bytes) };
            bytes = &bytes[taken..];
            data |= self.kind == FrameKind::Data && self.known == 0;
        }
        data
    }

    /// Whether another frame may be put in here.
    pub(super) const fn is_between(&self) -> bool {
        self.known == 0 && self.left == 0 && !self.over
    }

    /// How many of so many bytes belong to the present frame.
    fn pass(&mut self, bytes: usize) -> usize {
        let taken = usize::try_from(self.left).map_or(bytes, |left| left.min(bytes));
        self.left -= taken as u64;
        taken
    }

    /// Takes what belongs to the head.
    fn read(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while self.known < self.length() && taken < bytes.len() {
            self.head[self.known] = bytes[taken];
            self.known += 1;
            taken += 1;
        }
        if self.known == self.length() {
            self.begin();
        }
        taken
    }

    /// Bytes of the head, as far as that is known.
    const fn length(&self) -> usize {
        match self.head[1] & 0x7f {
            _ if self.known < 2 => 2,
            126 => 4,
            127 => LONGEST,
            _ => 2,
        }
    }

    fn begin(&mut self) {
        let payload = match self.length() {
            2 => u64::from(self.head[1] & 0x7f),
            length => self.head[2..length].iter().fold(0, |size, byte| size << 8 | u64::from(*byte)),
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        let opcode = self.head[0] & 0x0f;
        let data = mutant!(opcode < 8, "ping-is-use" => true);
        self.kind = if data { FrameKind::Data } else { FrameKind::Control };
        // The most significant bit must be 0.
        self.over = opcode == 8 || payload >> 63 == 1;
        self.left = payload.saturating_add(mask);
        self.known = 0;
    }
}

#[cfg(test)]
mod tests;
