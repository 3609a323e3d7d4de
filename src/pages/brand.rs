//! Whose pages they are: name, logo, colours, links and texts of the operators.

use std::fmt::Write as _;

use url::Url;

use super::contrast::{Colour, TEXT};
use super::csp::{STYLE, Style};
use super::link::safe_link;
use super::picture::Picture;

/// What pages of people who are signed in have beyond [`STYLE`].
const WIDE: &str = concat!(include_str!("templates/style.css"), include_str!("templates/portal.css"));

/// The picture of the tab where there is no logo.
const TAB_ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' fill='none' \
    stroke='%230b8a78'%3E%3Cpath stroke-width='3.5' d='M4 30V14a12 12 0 0 1 24 0v16'/%3E%3Cpath stroke-width='2.5' \
    d='M11 7v17m5-20v22m5-19v17M5 12.5h22M5 19h22'/%3E%3C/svg%3E";

/// Whose pages they are.
#[derive(Debug, Clone)]
pub struct Brand {
    /// What people call the gateway.
    pub name: String,
    /// The logo, as an address that holds it.
    pub logo: Option<String>,
    /// Links at the end of every page.
    pub links: Vec<BrandLink>,
    /// Texts of the operators.
    pub texts: BrandTexts,
    /// The sheet of pages on the way to an app.
    pub narrow: Style,
    /// The sheet of the portal.
    pub wide: Style,
}

/// What the configuration says of a brand; all of it may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrandSettings {
    /// What people call the gateway.
    pub name: Option<String>,
    /// Its logo.
    pub logo: Option<Picture>,
    /// The colours of what stands out.
    pub accent: Option<Accent>,
    /// Links at the end of every page.
    pub links: Vec<BrandLink>,
    /// Texts of the operators.
    pub texts: BrandTexts,
}

/// A link of the operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrandLink {
    /// What it says.
    pub title: String,
    /// Where it leads.
    pub url: Url,
}

impl BrandLink {
    pub(crate) fn link(&self) -> &str {
        safe_link(self.url.as_str())
    }
}

/// Texts of the operators, each a text and no markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrandTexts {
    /// Where people choose how to sign in.
    pub sign_in: Option<String>,
    /// Where an app is closed to somebody.
    pub refused: Option<String>,
    /// Above the apps of the portal.
    pub portal: Option<String>,
}

/// The colours of what stands out, by day and by night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    light: Colour,
    dark: Colour,
}

/// What text of the accent stands on: the card and the ground of `style.css`, by day and by night.
const BY_DAY: [Colour; 2] = [Colour::WHITE, Colour::new(0xf3, 0xf5, 0xf3)];
const BY_NIGHT: [Colour; 2] = [Colour::new(0x14, 0x1c, 0x1a), Colour::new(0x0d, 0x13, 0x12)];

/// An accent that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LowContrast {
    /// Whether by day; else by night.
    pub by_day: bool,
    /// How well it stands out.
    pub found: f64,
    /// The nearest colour that can be read.
    pub instead: Colour,
}

impl Accent {
    /// `light` by day and `dark` by night, where that is given; else what becomes of the same colour by night.
    ///
    /// # Errors
    /// Where one of them cannot be read on the pages.
    pub fn new(light: Colour, dark: Option<Colour>) -> Result<Self, LowContrast> {
        readable(light, true)?;
        let dark = dark.unwrap_or_else(|| light.until(Colour::WHITE, &BY_NIGHT, 7.0));
        readable(dark, false)?;
        Ok(Self { light, dark })
    }

    /// The colours that follow, as a sheet that stands behind the others.
    fn sheet(self) -> String {
        let mut sheet = String::from("\n:root {");
        Self::put(&mut sheet, self.light, BY_DAY, Colour::BLACK);
        sheet.push_str("}\n@media (prefers-color-scheme: dark) { :root {");
        Self::put(&mut sheet, self.dark, BY_NIGHT, Colour::WHITE);
        sheet.push_str("} }\n");
        sheet
    }

    fn put(sheet: &mut String, accent: Colour, [card, ground]: [Colour; 2], away: Colour) {
        let on = if accent.contrast(Colour::WHITE) >= TEXT { Colour::WHITE } else { Colour::BLACK };
        // As much of the accent as leaves the accent itself readable on it.
        let tint = (0..=12).rev().map(|part| card.mixed(accent, part));
        let tint = tint.into_iter().find(|tint| accent.contrast(*tint) >= TEXT).unwrap_or(card);
        let strong = accent.mixed(away, 25);
        let strong = if on.contrast(strong) >= TEXT { strong } else { accent };
        let ring = accent.until(away, &[card, ground], 3.0);
        let written = write!(
            sheet,
            " --accent: {accent}; --accent-strong: {strong}; --on-accent: {on}; --tint: {tint}; --ring: {ring}; "
        );
        debug_assert!(written.is_ok(), "a text takes whatever is written");
    }
}

fn readable(accent: Colour, by_day: bool) -> Result<(), LowContrast> {
    let (behind, away) = if by_day { (BY_DAY, Colour::BLACK) } else { (BY_NIGHT, Colour::WHITE) };
    let found = accent.least_contrast(&behind);
    if mutant!(found >= TEXT, "low-contrast-accent-loads" => true) {
        return Ok(());
    }
    Err(LowContrast { by_day, found, instead: accent.until(away, &behind, TEXT) })
}

impl Brand {
    /// What the settings say, and the gateway's own where they say nothing.
    #[must_use]
    pub fn new(settings: &BrandSettings) -> Self {
        let colours = settings.accent.map(Accent::sheet).unwrap_or_default();
        Self {
            name: settings.name.clone().unwrap_or_else(|| "Portcullis".into()),
            logo: settings.logo.as_ref().map(Picture::inline),
            links: settings.links.clone(),
            texts: settings.texts.clone(),
            narrow: Style::owned(format!("{STYLE}{colours}")),
            wide: Style::owned(format!("{WIDE}{colours}")),
        }
    }

    /// The address of the tab's picture, which holds it.
    #[must_use]
    pub fn tab_icon(&self) -> &str {
        self.logo.as_deref().unwrap_or(TAB_ICON)
    }
}

impl Default for Brand {
    fn default() -> Self {
        Self::new(&BrandSettings::default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value<'s>(sheet: &'s str, name: &str) -> Vec<&'s str> {
        sheet.split(&format!(" --{name}: ")).skip(1).map(|rest| rest.split(';').next().unwrap()).collect()
    }

    proptest! {
        /// Whatever accent loads, all that is made of it can be read.
        #[test]
        fn every_colour_that_follows_can_be_read(red: u8, green: u8, blue: u8, dark: Option<(u8, u8, u8)>) {
            let dark = dark.map(|(red, green, blue)| Colour::new(red, green, blue));
            let Ok(accent) = Accent::new(Colour::new(red, green, blue), dark) else { return Ok(()) };
            let sheet = accent.sheet();
            for (at, behind) in [BY_DAY, BY_NIGHT].into_iter().enumerate() {
                let colour = |name: &str| value(&sheet, name)[at].parse::<Colour>().unwrap();
                let accent = colour("accent");
                prop_assert!(accent.least_contrast(&behind) >= 4.5 && accent.contrast(colour("tint")) >= 4.5, "{sheet}");
                prop_assert!(colour("on-accent").contrast(accent) >= 4.5, "{sheet}");
                prop_assert!(colour("on-accent").contrast(colour("accent-strong")) >= 4.5, "{sheet}");
                prop_assert!(colour("ring").least_contrast(&behind) >= 3.0, "{sheet}");
            }
        }
    }

    #[test]
    fn an_accent_that_cannot_be_read_says_what_could() {
        let low = Accent::new("#ffd43b".parse().unwrap(), None).unwrap_err();
        assert!(low.by_day && low.found < 1.5 && Accent::new(low.instead, None).is_ok(), "{low:?}");
        let low = Accent::new("#0a6a5c".parse().unwrap(), Some("#0a6a5c".parse().unwrap())).unwrap_err();
        assert!(!low.by_day && Accent::new("#0a6a5c".parse().unwrap(), Some(low.instead)).is_ok(), "{low:?}");
    }

    /// What this file takes for granted of the sheet.
    #[test]
    fn the_grounds_are_those_of_the_sheet() {
        let grounds = |name: &str| value(STYLE, name);
        let written = |colours: [Colour; 2]| colours.map(|colour| colour.to_string());
        let [card, ground] = written(BY_DAY);
        let [dark_card, dark_ground] = written(BY_NIGHT);
        assert_eq!(grounds("ground"), [ground, dark_ground]);
        assert_eq!((grounds("card")[0], grounds("card")[1]), ("#fff", dark_card.as_str()));
        assert_eq!(card, "#ffffff");
    }
}
