//! The line behind each block.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_events::{Field, Seen, Value};

use super::hash::Hash;

/// Lines of a block at most, so that a footer with eight bytes of each is no longer than any other line.
pub(crate) const LINES: u64 = 512;

/// What a footer begins with, and no event.
pub(crate) const FOOTER: &[u8] = b"{\"v\":1,\"type\":\"record.block\",";

/// What is told of a block behind it. The hash is over the lines as they were written; the footer itself is in no block, for
/// all that it says can be worked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    /// The chain.
    pub chain: Arc<str>,
    /// The number of the block in its chain, from 1 on.
    pub number: u64,
    /// How many lines it has.
    pub lines: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// The hash of the block before.
    pub prev: Hash,
    /// Eight bytes of each line's hash; none where there are more than 512 lines, as after a time without chain.
    pub leaves: Option<Vec<[u8; 8]>>,
    /// The hash of this one.
    pub hash: Hash,
}

impl Footer {
    /// The line, with its line feed.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let Self { chain, number, lines, bytes, prev, leaves, hash } = self;
        let mut line = String::from_utf8_lossy(FOOTER).into_owned();
        let _ = write!(
            line,
            "\"chain\":\"{chain}\",\"number\":{number},\"lines\":{lines},\"bytes\":{bytes},\"prev\":\"{prev}\""
        );
        if let Some(leaves) = leaves {
            let _ = write!(line, ",\"leaves\":\"{}\"", STANDARD.encode(leaves.as_flattened()));
        }
        let _ = writeln!(line, ",\"hash\":\"{hash}\"}}");
        line.into_bytes()
    }

    /// What a line says; none where it is no footer to the letter.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        if !line.starts_with(FOOTER) {
            return None;
        }
        let seen = Seen::read(line).ok()?;
        let hash = |name| Hash::read(text(&seen, name)?);
        let footer = Self {
            chain: chain_name(text(&seen, "chain")?)?,
            number: number(&seen, "number")?,
            lines: number(&seen, "lines")?,
            bytes: seen.number(Field::Bytes)?,
            prev: hash("prev")?,
            leaves: match text(&seen, "leaves") {
                Some(leaves) => Some(read_leaves(leaves)?),
                None => None,
            },
            hash: hash("hash")?,
        };
        let counted = footer.leaves.as_ref().is_none_or(|leaves| leaves.len() as u64 == footer.lines);
        (counted && footer.line() == line).then_some(footer)
    }
}

fn read_leaves(text: &str) -> Option<Vec<[u8; 8]>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (leaves, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| leaves.to_vec())
}

pub(crate) fn text<'a>(seen: &'a Seen<'_>, name: &str) -> Option<&'a str> {
    match seen.named(name)? {
        Value::Text(text) => Some(text),
        Value::Number(_) | Value::Flag(_) | Value::Texts(_) | Value::Other(_) => None,
    }
}

pub(crate) fn number(seen: &Seen<'_>, name: &str) -> Option<u64> {
    match seen.named(name)? {
        Value::Number(number) => Some(*number),
        Value::Text(_) | Value::Flag(_) | Value::Texts(_) | Value::Other(_) => None,
    }
}

/// A name of a chain, which can stand anywhere as it is.
pub(crate) fn chain_name(name: &str) -> Option<Arc<str>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    (!name.is_empty() && name.len() <= 128 && name.bytes().all(plain)).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use portcullis_events::LONGEST_LINE;

    use super::*;

    fn footer(lines: u64) -> Footer {
        let leaves = (0..lines).map(u64::to_be_bytes).collect();
        let (chain, prev, hash) = ("a".repeat(128).into(), Hash::NONE, Hash::of(b"x"));
        Footer { chain, number: u64::MAX, lines, bytes: u64::MAX, prev, leaves: Some(leaves), hash }
    }

    #[test]
    fn the_longest_footer_is_no_longer_than_a_line() {
        let line = footer(LINES).line();
        assert!(line.len() <= LONGEST_LINE, "{}", line.len());
        assert_eq!(Footer::read(&line), Some(footer(LINES)));
        let bare = Footer { leaves: None, lines: 1 << 32, ..footer(1) };
        assert_eq!(Footer::read(&bare.line()), Some(bare));
    }

    #[test]
    fn what_is_no_footer_to_the_letter_is_none() {
        let line = String::from_utf8(footer(2).line()).unwrap();
        for wrong in [
            line.trim_end().to_owned(),
            format!(" {line}"),
            line.replace("\"lines\":2", "\"lines\":3"),
            line.replace("\"lines\":2", "\"lines\":02"),
            line.replace("\"lines\":2", "\"lines\":99999999999999999999"),
            line.replace("\"bytes\"", "\"more\":1,\"bytes\""),
            line.replace("aaaaa", "a\\u0061aaa"),
            line.replace("aaaaa", "a+aaa"),
            line.replace("000000000", "00000000A"),
            line.replace("AAAAAAAAAAA", "AAAAAAAAAA"),
        ] {
            assert_ne!(wrong, line);
            assert_eq!(Footer::read(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
