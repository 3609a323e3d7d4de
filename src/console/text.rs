//! What comes from outside, as it is shown: of bounded length, and without characters that change what stands beside it.
//! Markup is escaped by the templates.

use std::borrow::Borrow;
use std::time::Duration;

use crate::pages::visible;

/// Characters at most in a row of a table, and where a value stands for itself (invariant 14).
const SHORT: usize = 120;
const LONG: usize = 2_000;

pub(super) fn short(text: &str) -> String {
    visible(&clipped(text, SHORT))
}

pub(super) fn long(text: &str) -> String {
    visible(&clipped(text, LONG))
}

fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The first letter or digit, in upper case.
pub(super) fn initial(name: &str) -> String {
    let first = name.chars().find(|c| c.is_alphanumeric());
    first.map_or_else(|| "·".into(), |c| c.to_uppercase().collect())
}

/// `1,234,567`.
pub(super) fn grouped(number: impl Borrow<u64>) -> String {
    let digits = number.borrow().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 thing`, `2 things`.
pub(super) fn many(count: impl Borrow<u64>, one: &str) -> String {
    let count = *count.borrow();
    format!("{} {one}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A span in its two largest units: `3 d 4 h`, `12 min`, `8 s`.
pub(super) fn span(span: impl Borrow<Duration>) -> String {
    let seconds = span.borrow().as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(units.len() - 1);
    let (size, unit) = units[first];
    let rest = units.get(first + 1).map(|(size, unit)| (seconds % units[first].0 / size, unit));
    match rest {
        Some((rest, smaller)) if rest > 0 && size > 60 => {
            format!("{} {unit} {rest} {smaller}", seconds / size)
        }
        _ => format!("{} {unit}", seconds / size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_spans_are_easy_to_read() {
        for (number, text) in [(0_u64, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min"),
            (3_600, "1 h"),
            (3_720, "1 h 2 min"),
            (90_000, "1 d 1 h"),
            (8_640_000, "100 d"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
        assert_eq!(
            (many(1_u64, "sign-in"), many(2_u64, "sign-in")),
            ("1 sign-in".into(), "2 sign-ins".into())
        );
    }

    #[test]
    fn invariant_15_what_strangers_wrote_is_short_and_steers_nothing() {
        assert_eq!(short("a\u{202e}b\u{7}"), "a\u{fffd}b\u{fffd}");
        assert_eq!(short(&"é".repeat(8_192)).chars().count(), SHORT + 1);
        assert_eq!(long(&"é".repeat(8_192)).chars().count(), LONG + 1);
        assert_eq!((initial("\u{202e}<b>"), initial("…")), ("B".into(), "·".into()));
    }
}
