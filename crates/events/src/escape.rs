//! Text into a line: copied where it is clean, escaped where it is not. A line is valid JSON whatever anybody sends, and
//! inert on a terminal: no character of it moves a cursor, changes a colour or turns text round (invariant 28).

use std::fmt;

/// What stands for bytes that are no UTF-8.
const REPLACEMENT: &str = "\u{FFFD}";

/// Writes the inside of a JSON string, up to a bound. Behind the first character that does not fit nothing is written.
pub(crate) struct Quoted<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
    cut: bool,
}

impl<'a> Quoted<'a> {
    /// Writes at most `room` bytes.
    pub(crate) fn new(out: &'a mut Vec<u8>, room: usize) -> Self {
        let end = out.len() + room;
        Self { out, end, cut: false }
    }

    /// Whether something did not fit.
    pub(crate) const fn is_cut(&self) -> bool {
        self.cut
    }

    fn room(&self) -> usize {
        self.end.saturating_sub(self.out.len())
    }

    pub(crate) fn push(&mut self, text: &str) {
        if text.len() <= self.room() && is_clean(text.as_bytes()) && !self.cut {
            return self.out.extend_from_slice(text.as_bytes());
        }
        let mut rest = text;
        while !self.cut && !rest.is_empty() {
            rest = self.push_some(rest);
        }
    }

    /// Bytes that may be no UTF-8; whether they were.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) -> bool {
        let mut whole = true;
        for chunk in bytes.utf8_chunks() {
            self.push(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.push(REPLACEMENT);
                whole = false;
            }
            if self.cut {
                break;
            }
        }
        whole
    }

    /// The clean beginning of `text` and the character behind it; gives the rest.
    fn push_some<'t>(&mut self, text: &'t str) -> &'t str {
        let clean = text.bytes().take_while(|byte| is_clean(&[*byte])).count();
        let fits = clean.min(self.room());
        self.out.extend_from_slice(&text.as_bytes()[..fits]);
        self.cut = fits < clean;
        let rest = &text[clean..];
        match rest.chars().next() {
            Some(letter) if !self.cut => {
                self.push_character(letter);
                &rest[letter.len_utf8()..]
            }
            _ => rest,
        }
    }

    fn push_character(&mut self, letter: char) {
        let mut space = [0; 12];
        let encoded = encode(letter, &mut space);
        if mutant!(encoded.len() <= self.room(), "record-cut-inside-a-character" => self.room() > 0) {
            let length = encoded.len().min(self.room());
            self.out.extend_from_slice(&encoded[..length]);
        } else {
            self.cut = true;
        }
    }
}

impl fmt::Write for Quoted<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// Writes text as it stands within the quotes of a line: inert on a terminal, with `"` and `\` escaped.
pub fn push_inert(text: &str, out: &mut Vec<u8>) {
    // An escape has at most six bytes for each of a text's.
    Quoted::new(out, text.len().saturating_mul(6)).push(text);
}

/// Whether a character does nothing to a terminal and turns no text round: it stands in lines as itself, or behind a `\\`.
#[must_use]
pub fn is_inert(letter: char) -> bool {
    !is_escaped(letter)
}

/// Whether all of it is printable ASCII that JSON takes as it is. Without a branch, so that many bytes are looked at at
/// once.
fn is_clean(bytes: &[u8]) -> bool {
    let dirty = |byte: u8| !(0x20..0x7F).contains(&byte) | (byte == b'"') | (byte == b'\\');
    let clean = !bytes.iter().fold(false, |found, byte| found | dirty(*byte));
    mutant!(clean, "record-line-unescaped" => true)
}

/// A character as it stands in a line: itself, or an escape.
fn encode(letter: char, space: &mut [u8; 12]) -> &[u8] {
    match letter {
        '"' | '\\' => {
            space[..2].copy_from_slice(&[b'\\', letter as u8]);
            &space[..2]
        }
        _ if is_escaped(letter) => encode_units(letter, space),
        _ => letter.encode_utf8(space).as_bytes(),
    }
}

fn encode_units(letter: char, space: &mut [u8; 12]) -> &[u8] {
    let mut units = [0; 2];
    let units = letter.encode_utf16(&mut units);
    for (unit, place) in units.iter().zip(space.as_chunks_mut::<6>().0) {
        let digit = |shift: u32| b"0123456789abcdef"[usize::from(unit >> shift & 15)];
        *place = [b'\\', b'u', digit(12), digit(8), digit(4), digit(0)];
    }
    &space[..units.len() * 6]
}

/// Whether a terminal, or whatever shows lines to people, could take the character for a command.
fn is_escaped(letter: char) -> bool {
    let control = mutant!(letter.is_control(), "record-c1-passes" => letter.is_ascii_control());
    control || mutant!(is_format(letter), "record-bidi-passes" => false)
}

/// The format characters of Unicode 16 (general category Cf), line and paragraph separators, and the tags and selectors
/// of plane 14: none is seen, and some turn or hide what is.
const fn is_format(letter: char) -> bool {
    matches!(
        letter,
        '\u{AD}'
            | '\u{600}'..='\u{605}'
            | '\u{61C}'
            | '\u{6DD}'
            | '\u{70F}'
            | '\u{890}'..='\u{891}'
            | '\u{8E2}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{110BD}'
            | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, room: usize) -> (String, bool) {
        let mut out = b"before ".to_vec();
        let mut quoted = Quoted::new(&mut out, room);
        quoted.push(text);
        let cut = quoted.is_cut();
        (String::from_utf8(out.split_off(7)).unwrap(), cut)
    }

    #[test]
    fn clean_text_is_copied() {
        assert_eq!(written("/wiki/Strasse?", 14), ("/wiki/Strasse?".into(), false));
        assert_eq!(written("Jürgen 日本 🦀", 99), ("Jürgen 日本 🦀".into(), false));
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(written("a\"b\\c", 99).0, r#"a\"b\\c"#);
        assert_eq!(written("\0\t\n\r\x1b[2J\x7f", 99).0, r"\u0000\u0009\u000a\u000d\u001b[2J\u007f");
        assert_eq!(written("\u{80}\u{9b}31m\u{9f}", 99).0, r"\u0080\u009b31m\u009f");
        assert_eq!(written("\u{202E}gpj\u{2066}\u{61C}\u{200F}", 99).0, r"\u202egpj\u2066\u061c\u200f");
        assert_eq!(written("\u{2028}\u{2029}\u{FEFF}\u{AD}", 99).0, r"\u2028\u2029\ufeff\u00ad");
        assert_eq!(written("\u{E0041}", 99).0, r"\udb40\udc41");
    }

    #[test]
    fn it_ends_between_characters() {
        assert_eq!(written("abcdef", 5), ("abcde".into(), true));
        assert_eq!(written("abcü", 4), ("abc".into(), true));
        assert_eq!(written("ab\x1bc", 7), ("ab".into(), true));
        assert_eq!(written("ab\"", 3), ("ab".into(), true));
        assert_eq!(written("日本", 3), ("日".into(), true));
        assert_eq!(written("", 0), (String::new(), false));
    }

    #[test]
    fn behind_what_did_not_fit_comes_nothing() {
        let mut out = Vec::new();
        let mut quoted = Quoted::new(&mut out, 4);
        ["abc", "日", "d"].into_iter().for_each(|text| quoted.push(text));
        assert!(quoted.is_cut());
        assert_eq!(out, b"abc");
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let mut out = Vec::new();
        let mut quoted = Quoted::new(&mut out, 99);
        assert!(quoted.push_bytes("ü".as_bytes()));
        assert!(!quoted.push_bytes(b"\xFFa\xC3"));
        assert_eq!(String::from_utf8(out).unwrap(), "ü\u{FFFD}a\u{FFFD}");
    }
}
