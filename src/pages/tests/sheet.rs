//! Colours of the sheet that people can tell apart (WCAG 2.2, success criteria 1.4.3 and 1.4.11).

use std::collections::BTreeMap;

use crate::pages::{Colour, STYLE};

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

fn colours(theme: &str) -> BTreeMap<&str, Colour> {
    let block = STYLE.split_once(theme).unwrap().1.split_once("--shadow").unwrap().0;
    let pairs = block.split("--").filter_map(|line| line.trim().trim_end_matches(';').split_once(": "));
    pairs.filter_map(|(name, colour)| Some((name, colour.parse().ok()?))).collect()
}

#[test]
fn text_and_shapes_stand_out_by_day_and_by_night() {
    for theme in [LIGHT, DARK] {
        let colours = colours(theme);
        for (pairs, least) in [(&TEXT[..], 4.5), (&SHAPES[..], 3.0)] {
            for (front, back) in pairs {
                let found = colours[front].contrast(colours[back]);
                assert!(found >= least, "{front} on {back}: {found:.2} in {theme}");
            }
        }
    }
}
