//! Colours that people can tell apart (WCAG 2.2, success criteria 1.4.3 and 1.4.11).

use std::collections::BTreeMap;

use crate::pages::STYLE;

const LIGHT: &str = ":root {";
const DARK: &str = "@media (prefers-color-scheme: dark) {";

/// Text and what it stands on.
const TEXT: [(&str, &str); 13] = [
    ("ink", "card"),
    ("ink", "ground"),
    ("ink", "tint"),
    ("ink", "field"),
    ("ink", "bad-tint"),
    ("soft", "card"),
    ("soft", "ground"),
    ("accent", "card"),
    ("accent", "tint"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("bad", "card"),
    ("bad", "bad-tint"),
];
/// Shapes that mean something and what they stand on.
const SHAPES: [(&str, &str); 3] = [("field-line", "card"), ("ring", "card"), ("ring", "ground")];

fn colours(theme: &str) -> BTreeMap<&str, [f64; 3]> {
    let block = STYLE.split_once(theme).unwrap().1.split_once("--shadow").unwrap().0;
    let pairs = block.split("--").filter_map(|line| line.trim().trim_end_matches(';').split_once(": #"));
    pairs.map(|(name, hex)| (name, channels(hex))).collect()
}

fn channels(hex: &str) -> [f64; 3] {
    let width = hex.len() / 3;
    [0, 1, 2].map(|place| {
        let digits = &hex[place * width..(place + 1) * width];
        let digits = if width == 1 { digits.repeat(2) } else { digits.to_owned() };
        let share = f64::from(u8::from_str_radix(&digits, 16).unwrap()) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    })
}

fn luminance([red, green, blue]: [f64; 3]) -> f64 {
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_and_shapes_stand_out_by_day_and_by_night() {
    for theme in [LIGHT, DARK] {
        let colours = colours(theme);
        for (pairs, least) in [(&TEXT[..], 4.5), (&SHAPES[..], 3.0)] {
            for (front, back) in pairs {
                let found = contrast(colours[front], colours[back]);
                assert!(found >= least, "{front} on {back}: {found:.2} in {theme}");
            }
        }
    }
}

#[test]
fn contrast_is_reckoned_as_the_guideline_does() {
    assert!((contrast(channels("000"), channels("fff")) - 21.0).abs() < 0.001);
    assert!((contrast(channels("777777"), channels("ffffff")) - 4.478).abs() < 0.001);
}
