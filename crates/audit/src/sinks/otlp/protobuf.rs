//! The wire format of Protocol Buffers, as far as messages of OTLP need it to be written; and the one number that is read.

/// A message that is being written.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How a field's value is laid out.
#[derive(Clone, Copy)]
enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Delimited = 2,
    Fixed32 = 5,
}

impl Message {
    /// The bytes of the whole message.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn key(&mut self, field: u32, wire: WireType) {
        self.varint(u64::from(field) << 3 | wire as u64);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// A number of the types `uint64`, `int64`, an enumeration or a flag.
    pub(super) fn number(&mut self, field: u32, number: u64) {
        self.key(field, WireType::Varint);
        self.varint(number);
    }

    /// A number of the type `fixed64`.
    pub(super) fn fixed64(&mut self, field: u32, number: u64) {
        self.key(field, WireType::Fixed64);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A number of the type `fixed32`.
    pub(super) fn fixed32(&mut self, field: u32, number: u32) {
        self.key(field, WireType::Fixed32);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A number of the type `double`.
    pub(super) fn double(&mut self, field: u32, number: f64) {
        self.fixed64(field, number.to_bits());
    }

    /// Bytes, or text.
    pub(super) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.key(field, WireType::Delimited);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A message within this one.
    pub(super) fn message(&mut self, field: u32, inner: &Self) {
        self.bytes(field, &inner.0);
    }

    /// A list of numbers of the type `fixed64` or `double`, which are laid out alike.
    pub(super) fn packed(&mut self, field: u32, numbers: impl Iterator<Item = u64>) {
        let bytes: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
        self.bytes(field, &bytes);
    }
}

/// The number in `field` of the message in `outer` of an answer: how many of what was sent was not taken.
pub(super) fn number_within(answer: &[u8], outer: u32, field: u32) -> Option<u64> {
    let inner = find(answer, outer)?.1;
    let (number, bytes) = find(inner, field)?;
    bytes.is_empty().then_some(number)
}

/// The first value of a field: a number, or bytes.
fn find(mut message: &[u8], wanted: u32) -> Option<(u64, &[u8])> {
    while !message.is_empty() {
        let key = take_varint(&mut message)?;
        let found = match key & 7 {
            0 => (take_varint(&mut message)?, &[][..]),
            1 => (0, take(&mut message, 8)?),
            2 => {
                let length = usize::try_from(take_varint(&mut message)?).ok()?;
                (0, take(&mut message, length)?)
            }
            5 => (0, take(&mut message, 4)?),
            _ => return None,
        };
        if key >> 3 == u64::from(wanted) {
            return Some(found);
        }
    }
    None
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(taken)
}

fn take_varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(message, 1)?[0];
        number |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
