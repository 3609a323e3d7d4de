//! Moments as text. The text of a second is kept: of most lines only the last digits are new.

use portcullis_rules::clock::Timestamp;

/// The last microsecond that RFC 3339 can write: the end of the year 9999.
const LAST: u64 = 253_402_300_799_999_999;

/// Writes moments, and keeps the text of the last one's second.
#[derive(Debug)]
pub(crate) struct Stamp {
    second: u64,
    /// `2026-11-30T19:05:13.`
    text: [u8; 20],
}

impl Stamp {
    pub(crate) fn new() -> Self {
        Self { second: 0, text: *b"1970-01-01T00:00:00." }
    }

    /// Writes so many microseconds after 1970, such as `2026-11-30T19:05:13.123456Z`.
    pub(crate) fn write(&mut self, micros: u64, out: &mut Vec<u8>) {
        let (second, part) = (micros.min(LAST) / 1_000_000, micros.min(LAST) % 1_000_000);
        if second != self.second {
            self.text = text_of(second);
            self.second = second;
        }
        out.extend_from_slice(&self.text);
        out.extend_from_slice(&digits::<6>(part));
        out.push(b'Z');
    }
}

fn text_of(second: u64) -> [u8; 20] {
    let mut text = *b"0000-00-00T00:00:00.";
    let written = Timestamp::from_seconds(second).rfc3339();
    for (to, from) in text[..19].iter_mut().zip(written.bytes()) {
        *to = from;
    }
    text
}

fn digits<const N: usize>(mut number: u64) -> [u8; N] {
    let mut text = [b'0'; N];
    for digit in text.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    text
}

#[cfg(test)]
mod tests {
    use portcullis_rules::clock::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn written(micros: u64) -> String {
        let mut out = Vec::new();
        Stamp::new().write(micros, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn moments_have_six_digits_behind_the_second() {
        assert_eq!(written(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(written(1_582_934_400_000_001), "2020-02-29T00:00:00.000001Z");
        assert_eq!(written(u64::MAX), "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn the_second_that_is_kept_is_the_right_one() {
        let (mut stamp, mut out) = (Stamp::new(), Vec::new());
        for micros in [1_999_999, 2_000_000, 2_000_001, 1_000_000] {
            out.clear();
            stamp.write(micros, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), written(micros));
        }
    }

    proptest! {
        #[test]
        fn dates_are_those_of_another_calendar(second in 0..253_402_300_800u64) {
            let expected = Timestamp::from_seconds(second).rfc3339().replace('Z', ".000000Z");
            prop_assert_eq!(written(second * 1_000_000), expected);
        }
    }
}
