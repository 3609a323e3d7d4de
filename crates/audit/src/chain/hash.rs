//! SHA-256 (FIPS 180-4), of lines and of blocks.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub(crate) [u8; 32]);

impl Hash {
    /// What stands for the block before the first one.
    pub const NONE: Self = Self([0; 32]);

    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::read_digest(digest(&SHA256, bytes).as_ref())
    }

    fn read_digest(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(bytes);
        Self(hash)
    }

    /// What the digits say; none where they are not 64 lower ones.
    #[must_use]
    pub fn read(digits: &str) -> Option<Self> {
        let (mut hash, digits) = ([0; 32], digits.as_bytes());
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? * 16 + digit(pair[1])?;
        }
        Some(Self(hash))
    }

    /// What a footer tells of a line's hash.
    #[must_use]
    pub const fn short(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        [a, b, c, d, e, f, g, h]
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hash of a block that is being filled: of the block before, and of each line's hash.
#[derive(Clone)]
pub struct BlockHash(Context);

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockHash({})", self.hash())
    }
}

impl BlockHash {
    /// A block behind this one.
    #[must_use]
    pub fn behind(before: &Hash) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(mutant!(&before.0, "chain-forgets-the-block-before" => &[0; 32]));
        Self(context)
    }

    /// A line more.
    pub fn add(&mut self, line: &Hash) {
        self.0.update(&line.0);
    }

    /// Its hash, with all that was added.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::read_digest(self.0.clone().finish().as_ref())
    }

    /// The hash of a block of these lines.
    #[must_use]
    pub fn of<'a>(before: &Hash, lines: impl IntoIterator<Item = &'a Hash>) -> Hash {
        let mut block = Self::behind(before);
        lines.into_iter().for_each(|line| block.add(line));
        block.hash()
    }
}

/// A line that comes in parts.
#[derive(Default)]
pub(crate) struct LineHash(Option<Context>, u64);

impl fmt::Debug for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineHash({} bytes)", self.1)
    }
}

impl LineHash {
    /// Bytes more of it.
    pub(crate) fn add(&mut self, part: &[u8]) {
        self.0.get_or_insert_with(|| Context::new(&SHA256)).update(part);
        self.1 += part.len() as u64;
    }

    /// Bytes of it that are there already.
    pub(crate) const fn bytes(&self) -> u64 {
        self.1
    }

    /// The hash of the line that ends with this part.
    pub(crate) fn end(&mut self, part: &[u8]) -> Hash {
        match std::mem::take(self).0 {
            None => Hash::of(part),
            Some(mut context) => {
                context.update(part);
                Hash::read_digest(context.finish().as_ref())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4's own examples, and a block of two lines put together by hand.
    #[test]
    fn hashes_are_those_of_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Hash::of(b"abc").to_string(), abc);
        assert_eq!(Hash::read(abc), Some(Hash::of(b"abc")));
        for wrong in [&abc[1..], &abc.to_uppercase(), &format!("{abc}0"), ""] {
            assert_eq!(Hash::read(wrong), None, "{wrong}");
        }
        let (one, two) = (Hash::of(b"one\n"), Hash::of(b"two\n"));
        let text = [&[0; 32][..], &one.0, &two.0].concat();
        assert_eq!(BlockHash::of(&Hash::NONE, [&one, &two]), Hash::of(&text));
    }

    #[test]
    fn a_line_in_parts_is_the_same_line() {
        let mut line = LineHash::default();
        line.add(b"on");
        assert_eq!(line.bytes(), 2);
        assert_eq!(line.end(b"e\n"), Hash::of(b"one\n"));
        assert_eq!(line.end(b"two\n"), Hash::of(b"two\n"));
    }
}
