//! What strangers wrote, shown to somebody else.

/// `text` with U+FFFD in place of characters that steer: what strangers wrote must not move the cursor of a
/// terminal or change what stands beside it.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// Control characters, and those that turn the direction of what follows (Unicode Standard Annex 9, section 2).
#[must_use]
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_is_shown_as_it_is() {
        assert_eq!(
            visible("Zoë\u{1b}[2J\u{9b}K\r\n\u{202e}x"),
            "Zoë\u{fffd}[2J\u{fffd}K\u{fffd}\u{fffd}\u{fffd}x"
        );
    }
}
