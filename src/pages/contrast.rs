//! Colours that people can tell apart (WCAG 2.2, success criteria 1.4.3 and 1.4.11).

use std::fmt;
use std::str::FromStr;

/// The least contrast of text and what it stands on.
pub(super) const TEXT: f64 = 4.5;

/// A colour of the screen (sRGB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// A text that is no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a colour: expected `#` and six hexadecimal digits")]
pub struct ColourError;

impl FromStr for Colour {
    type Err = ColourError;

    /// `#0a6a5c`, or `#fff` where digits repeat.
    fn from_str(text: &str) -> Result<Self, ColourError> {
        let digits =
            text.strip_prefix('#').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = |digits: &str| u32::from_str_radix(digits, 16).map_err(|_| ColourError);
        match digits.map(str::len) {
            Some(6) => {
                let [_, red, green, blue] = number(&text[1..])?.to_be_bytes();
                Ok(Self([red, green, blue]))
            }
            Some(3) => {
                let [_, _, high, low] = number(&text[1..])?.to_be_bytes();
                Ok(Self([high & 15, low >> 4, low & 15].map(|digit| digit * 17)))
            }
            _ => Err(ColourError),
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Colour {
    /// White.
    pub const WHITE: Self = Self([255; 3]);
    /// Black.
    pub const BLACK: Self = Self([0; 3]);

    /// The colour of three shares, each from 0 to 255.
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// How well this stands out from `other`: 1 (the same) to 21 (black and white).
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The least contrast with any of `others`.
    #[must_use]
    pub fn least_contrast(self, others: &[Self]) -> f64 {
        others.iter().map(|other| self.contrast(*other)).fold(f64::INFINITY, f64::min)
    }

    /// So many hundredths of `other` in this.
    #[must_use]
    pub fn mixed(self, other: Self, hundredths: u8) -> Self {
        let part = u32::from(hundredths.min(100));
        let mix = |one: u8, two: u8| (u32::from(one) * (100 - part) + u32::from(two) * part + 50) / 100;
        let share = |at: usize| u8::try_from(mix(self.0[at], other.0[at])).unwrap_or(u8::MAX);
        Self([0, 1, 2].map(share))
    }

    /// This with as little of `other` as lets it stand out from all of `behind` by `least`.
    #[must_use]
    pub fn until(self, other: Self, behind: &[Self], least: f64) -> Self {
        let mixed = (0..=100).map(|hundredths| self.mixed(other, hundredths));
        mixed.into_iter().find(|colour| colour.least_contrast(behind) >= least).unwrap_or(other)
    }

    fn luminance(self) -> f64 {
        let linear = |share: u8| {
            let share = f64::from(share) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        text.parse().unwrap()
    }

    #[test]
    fn contrast_is_reckoned_as_the_guideline_does() {
        assert!((colour("#000").contrast(colour("#fff")) - 21.0).abs() < 0.001);
        assert!((colour("#777777").contrast(colour("#ffffff")) - 4.478).abs() < 0.001);
    }

    #[test]
    fn colours_are_read_and_written() {
        assert_eq!(colour("#0a6A5c").to_string(), "#0a6a5c");
        assert_eq!(colour("#f0a"), Colour::new(255, 0, 170));
        for wrong in ["", "#", "0a6a5c", "#0a6a5", "#0a6a5cff", "#ééé", "red", "#0a6a5g", "#+12"] {
            assert!(wrong.parse::<Colour>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_colour_is_moved_no_further_than_needed() {
        let dark = colour("#ffd43b").until(Colour::BLACK, &[Colour::WHITE], TEXT);
        assert!(dark.contrast(Colour::WHITE) >= TEXT && dark.contrast(Colour::WHITE) < 4.8, "{dark}");
        assert_eq!(colour("#0a6a5c").until(Colour::BLACK, &[Colour::WHITE], TEXT), colour("#0a6a5c"));
        assert_eq!(colour("#102030").mixed(colour("#304050"), 50), colour("#203040"));
    }
}
