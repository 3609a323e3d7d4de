//! Whether charts stand out from what is behind them (WCAG 2.2, success criterion 1.4.11), computed from the style sheet.

use std::collections::HashMap;

const SHEET: &str = include_str!("../templates/console/console.css");

/// The colours of a theme, by their names in the sheet.
fn colours(theme: &str) -> HashMap<&str, [f64; 3]> {
    let declared =
        theme.split([';', '{', '}']).filter_map(|line| line.trim().strip_prefix("--")?.split_once(':'));
    declared.filter_map(|(name, value)| Some((name, rgb(value.trim())?))).collect()
}

/// `#abc` or `#aabbcc`.
fn rgb(hex: &str) -> Option<[f64; 3]> {
    let digits = hex.strip_prefix('#')?;
    let whole: String = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        6 => digits.to_owned(),
        _ => return None,
    };
    let part = |at: usize| Some(f64::from(u8::from_str_radix(&whole[at..at + 2], 16).ok()?));
    Some([part(0)?, part(2)?, part(4)?])
}

/// WCAG 2.2, "relative luminance".
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |value: f64| {
        let value = value / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = colour.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn everything_that_charts_draw_stands_out_in_both_themes() {
    let (light, rest) = SHEET.split_once("@media (prefers-color-scheme: dark)").expect("both themes");
    let dark = rest.split_once("}\n}").expect("the dark one ends").0;
    let (light, mut whole) = (colours(light), colours(light));
    whole.extend(colours(dark));
    for (theme, colours) in [("light", &light), ("dark", &whole)] {
        for drawn in [
            "chart-ok",
            "chart-refused",
            "chart-failed",
            "chart-left",
            "chart-info",
            "chart-p50",
            "chart-p95",
            "chart-p99",
        ] {
            let ratio = contrast(colours[drawn], colours["card"]);
            assert!(ratio >= 3.0, "{drawn} on the card, {theme}: {ratio:.2}");
        }
        for (text, ground) in
            [("ink", "card"), ("soft", "card"), ("soft", "ground"), ("soft", "side"), ("accent", "card")]
        {
            let ratio = contrast(colours[text], colours[ground]);
            assert!(ratio >= 4.5, "{text} on {ground}, {theme}: {ratio:.2}");
        }
    }
}

#[test]
fn contrast_is_as_the_standard_has_it() {
    let of = |one, other| contrast(rgb(one).unwrap(), rgb(other).unwrap());
    assert!((of("#000", "#fff") - 21.0).abs() < 1e-9 && (of("#777777", "#ffffff") - 4.48).abs() < 0.01);
}
